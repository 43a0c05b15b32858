//! The kernel's questions, answered from the [`Disk`].

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow,
    WriteFlags,
};

use super::disk::Disk;

/// How long the kernel may believe a name: this process alone changes them.
const BELIEVED: Duration = Duration::from_secs(1);
/// The size of a block, in bytes.
const BLOCK: u32 = 4096;
/// What statfs says is free, in blocks: this disk is never full.
const FREE_BLOCKS: u64 = 1 << 20;

/// A [`Disk`] as a file system.
#[derive(Debug)]
struct Forgetful(Mutex<Disk>);

/// Gives the disk to the kernel at `place`, in the background, until this is dropped.
pub fn serve(disk: Disk, place: &Path) -> io::Result<fuser::BackgroundSession> {
    let mut config = Config::default();
    config.mount_options = vec![MountOption::FSName("forgetful".to_owned())];
    fuser::spawn_mount(Forgetful(Mutex::new(disk)), place, &config)
}

fn attributes(disk: &Disk, number: u64, request: &Request) -> io::Result<FileAttr> {
    let node = disk.node(number)?;
    let size = u64::try_from(node.content.len()).map_err(io::Error::other)?;
    let kind = if node.is_folder() {
        FileType::Directory
    } else {
        FileType::RegularFile
    };
    Ok(FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: node.mode,
        nlink: 1,
        uid: request.uid(),
        gid: request.gid(),
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    })
}

fn bits(mode: u32) -> u16 {
    u16::try_from(mode & 0o7777).unwrap_or(0o600)
}

/// The number by which the kernel knows an error. The disk's own errors carry none.
fn number(error: io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::NotFound => Errno::ENOENT,
        io::ErrorKind::AlreadyExists => Errno::EEXIST,
        _ => Errno::from(error),
    }
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

impl Forgetful {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(
        &self,
        request: &Request,
        (parent, name): (INodeNo, &OsStr),
        mode: u32,
        is_folder: bool,
    ) -> io::Result<FileAttr> {
        let mut disk = self.disk();
        let number = disk.make(parent.0, name, bits(mode), is_folder)?;
        attributes(&disk, number, request)
    }
}

fn empty(result: io::Result<()>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(number(error)),
    }
}

fn entry(result: io::Result<FileAttr>, reply: ReplyEntry) {
    match result {
        Ok(found) => reply.entry(&BELIEVED, &found, Generation(0)),
        Err(error) => reply.error(number(error)),
    }
}

impl Filesystem for Forgetful {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        let found = disk
            .find(parent.0, name)
            .and_then(|number| attributes(&disk, number, request));
        entry(found, reply);
    }

    fn getattr(&self, request: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match attributes(&self.disk(), ino.0, request) {
            Ok(found) => reply.attr(&BELIEVED, &found),
            Err(error) => reply.error(number(error)),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let set = mode
            .map_or(Ok(()), |mode| disk.set_mode(ino.0, bits(mode)))
            .and_then(|()| size.map_or(Ok(()), |size| disk.resize(ino.0, index(size))))
            .and_then(|()| attributes(&disk, ino.0, request));
        match set {
            Ok(now) => reply.attr(&BELIEVED, &now),
            Err(error) => reply.error(number(error)),
        }
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        entry(
            self.made(request, (parent, name), mode & !umask, true),
            reply,
        );
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.made(request, (parent, name), mode & !umask, false) {
            Ok(made) => {
                let none = FopenFlags::empty();
                reply.created(&BELIEVED, &made, Generation(0), FileHandle(0), none);
            }
            Err(error) => reply.error(number(error)),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.disk().remove(parent.0, name), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.disk().remove(parent.0, name), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let renamed = self.disk().rename((parent.0, name), (newparent.0, newname));
        empty(renamed, reply);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().node(ino.0) {
            Ok(node) => {
                let start = index(offset).min(node.content.len());
                let end = start
                    .saturating_add(index(size.into()))
                    .min(node.content.len());
                reply.data(&node.content[start..end]);
            }
            Err(error) => reply.error(number(error)),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.disk().write(ino.0, index(offset), data) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(0)),
            Err(error) => reply.error(number(error)),
        }
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(self.disk().sync(ino.0), reply);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(self.disk().sync(ino.0), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let disk = self.disk();
        let names = match disk.list(ino.0) {
            Ok(names) => names,
            Err(error) => return reply.error(number(error)),
        };
        for (place, (name, number)) in names.iter().enumerate().skip(index(offset)) {
            let is_folder = disk.node(*number).is_ok_and(super::disk::Node::is_folder);
            let kind = if is_folder {
                FileType::Directory
            } else {
                FileType::RegularFile
            };
            let next = u64::try_from(place + 1).unwrap_or(u64::MAX);
            if reply.add(INodeNo(*number), next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let free = FREE_BLOCKS;
        reply.statfs(2 * free, free, free, free, free, BLOCK, 255, BLOCK);
    }
}
