//! The files in memory, and the folder that holds what survives.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The number of the folder that everything is in.
pub const ROOT: u64 = 1;

/// A file or a folder.
#[derive(Debug, Default)]
pub struct Node {
    /// The folder it is in; itself for the root.
    parent: u64,
    /// `None` for the root and once nothing names it any more.
    name: Option<OsString>,
    /// What a folder holds; `None` for a file.
    children: Option<BTreeMap<OsString, u64>>,
    /// Permission bits.
    pub mode: u16,
    /// What a file holds.
    pub content: Vec<u8>,
    /// What was written since the last sync.
    dirty: Vec<Range<usize>>,
    /// Whether its length was set since the last sync.
    is_resized: bool,
}

impl Node {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.children.is_some()
    }
}

/// A change of names or modes that no sync has made durable yet. Paths are below the folder.
#[derive(Debug)]
enum Change {
    Made {
        path: PathBuf,
        mode: u16,
        is_folder: bool,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Removed {
        path: PathBuf,
        is_folder: bool,
    },
    Mode {
        path: PathBuf,
        mode: u16,
    },
}

/// The file system's state.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    nodes: HashMap<u64, Node>,
    next: u64,
    pending: Vec<Change>,
}

fn absent() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Disk {
    /// Reads what survived in `folder`.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let root = Node {
            parent: ROOT,
            children: Some(BTreeMap::new()),
            mode: 0o700,
            ..Node::default()
        };
        let mut disk = Self {
            folder: folder.to_owned(),
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            pending: Vec::new(),
        };
        disk.read_folder(ROOT, folder)?;
        Ok(disk)
    }

    fn read_folder(&mut self, parent: u64, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, about) = (entry.path(), entry.metadata()?);
            let mode = u16::try_from(about.permissions().mode() & 0o7777).unwrap_or(0o600);
            let number = self.insert(parent, &entry.file_name(), mode, about.is_dir());
            if about.is_dir() {
                self.read_folder(number, &path)?;
            } else {
                self.node_mut(number)?.content = fs::read(&path)?;
            }
        }
        Ok(())
    }

    fn insert(&mut self, parent: u64, name: &OsStr, mode: u16, is_folder: bool) -> u64 {
        let number = self.next;
        self.next += 1;
        let node = Node {
            parent,
            name: Some(name.to_owned()),
            children: is_folder.then(BTreeMap::new),
            mode,
            ..Node::default()
        };
        self.nodes.insert(number, node);
        if let Some(names) = self.names_mut(parent) {
            names.insert(name.to_owned(), number);
        }
        number
    }

    fn names_mut(&mut self, folder: u64) -> Option<&mut BTreeMap<OsString, u64>> {
        self.nodes.get_mut(&folder)?.children.as_mut()
    }

    /// The node of a number.
    pub fn node(&self, number: u64) -> io::Result<&Node> {
        self.nodes.get(&number).ok_or_else(absent)
    }

    fn node_mut(&mut self, number: u64) -> io::Result<&mut Node> {
        self.nodes.get_mut(&number).ok_or_else(absent)
    }

    /// The number of a name in a folder.
    pub fn find(&self, parent: u64, name: &OsStr) -> io::Result<u64> {
        let names = self.node(parent)?.children.as_ref();
        names
            .and_then(|names| names.get(name))
            .copied()
            .ok_or_else(absent)
    }

    /// What a folder holds.
    pub fn list(&self, folder: u64) -> io::Result<Vec<(OsString, u64)>> {
        let names = self.node(folder)?.children.as_ref().ok_or_else(absent)?;
        Ok(names
            .iter()
            .map(|(name, number)| (name.clone(), *number))
            .collect())
    }

    /// Where a node is below the folder; `None` once it has no name.
    fn path(&self, number: u64) -> Option<PathBuf> {
        if number == ROOT {
            return Some(PathBuf::new());
        }
        let node = self.nodes.get(&number)?;
        let name = node.name.as_ref()?;
        Some(self.path(node.parent)?.join(name))
    }

    /// Makes a file or a folder; its number.
    pub fn make(
        &mut self,
        parent: u64,
        name: &OsStr,
        mode: u16,
        is_folder: bool,
    ) -> io::Result<u64> {
        if self.find(parent, name).is_ok() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let number = self.insert(parent, name, mode, is_folder);
        let path = self.path(number).ok_or_else(absent)?;
        self.pending.push(Change::Made {
            path,
            mode,
            is_folder,
        });
        Ok(number)
    }

    /// Takes a name away. Whoever has the file open keeps it.
    pub fn remove(&mut self, parent: u64, name: &OsStr) -> io::Result<()> {
        let number = self.find(parent, name)?;
        let path = self.path(number).ok_or_else(absent)?;
        let is_folder = self.node(number)?.is_folder();
        self.forget_name(parent, name, number);
        self.pending.push(Change::Removed { path, is_folder });
        Ok(())
    }

    fn forget_name(&mut self, parent: u64, name: &OsStr, number: u64) {
        if let Some(names) = self.names_mut(parent) {
            names.remove(name);
        }
        if let Some(node) = self.nodes.get_mut(&number) {
            node.name = None;
        }
    }

    /// Gives a file another name, in the place of what had it.
    pub fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> io::Result<()> {
        let number = self.find(from.0, from.1)?;
        let old = self.path(number).ok_or_else(absent)?;
        if let Ok(replaced) = self.find(to.0, to.1) {
            self.forget_name(to.0, to.1, replaced);
        }
        self.forget_name(from.0, from.1, number);
        let node = self.node_mut(number)?;
        node.parent = to.0;
        node.name = Some(to.1.to_owned());
        if let Some(names) = self.names_mut(to.0) {
            names.insert(to.1.to_owned(), number);
        }
        let new = self.path(number).ok_or_else(absent)?;
        self.pending.push(Change::Renamed { from: old, to: new });
        Ok(())
    }

    /// Sets permission bits.
    pub fn set_mode(&mut self, number: u64, mode: u16) -> io::Result<()> {
        self.node_mut(number)?.mode = mode;
        if let Some(path) = self.path(number) {
            self.pending.push(Change::Mode { path, mode });
        }
        Ok(())
    }

    /// Sets a file's length.
    pub fn resize(&mut self, number: u64, length: usize) -> io::Result<()> {
        let node = self.node_mut(number)?;
        node.content.resize(length, 0);
        node.is_resized = true;
        Ok(())
    }

    /// Writes into memory.
    pub fn write(&mut self, number: u64, at: usize, bytes: &[u8]) -> io::Result<()> {
        let node = self.node_mut(number)?;
        let end = at + bytes.len();
        if node.content.len() < end {
            node.content.resize(end, 0);
        }
        node.content[at..end].copy_from_slice(bytes);
        match node.dirty.last_mut() {
            Some(last) if last.end == at => last.end = end,
            _ => node.dirty.push(at..end),
        }
        Ok(())
    }

    /// Makes all changes of names durable, and what a file holds.
    pub fn sync(&mut self, number: u64) -> io::Result<()> {
        for change in std::mem::take(&mut self.pending) {
            self.make_durable(change)?;
        }
        let Some(path) = self.path(number).map(|path| self.folder.join(path)) else {
            return Ok(());
        };
        let node = self.node_mut(number)?;
        if node.is_folder() {
            return Ok(());
        }
        let file = OpenOptions::new().write(true).open(path)?;
        let length = node.content.len();
        if std::mem::take(&mut node.is_resized) {
            file.set_len(u64::try_from(length).map_err(io::Error::other)?)?;
        }
        for range in std::mem::take(&mut node.dirty) {
            let bytes = &node.content[range.start.min(length)..range.end.min(length)];
            file.write_all_at(bytes, u64::try_from(range.start).map_err(io::Error::other)?)?;
        }
        Ok(())
    }

    fn make_durable(&self, change: Change) -> io::Result<()> {
        let there = |path: &Path| self.folder.join(path);
        match change {
            Change::Made {
                path,
                mode,
                is_folder,
            } => {
                if is_folder {
                    fs::create_dir(there(&path))?;
                } else {
                    drop(fs::File::create(there(&path))?);
                }
                fs::set_permissions(there(&path), Permissions::from_mode(mode.into()))
            }
            Change::Renamed { from, to } => fs::rename(there(&from), there(&to)),
            Change::Removed {
                path,
                is_folder: true,
            } => fs::remove_dir(there(&path)),
            Change::Removed { path, .. } => fs::remove_file(there(&path)),
            Change::Mode { path, mode } => {
                fs::set_permissions(there(&path), Permissions::from_mode(mode.into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    #[test]
    fn only_what_was_synced_is_there_after_a_power_cut() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut disk = Disk::open(folder.path())?;
        let kept = disk.make(ROOT, name("kept"), 0o600, false)?;
        disk.write(kept, 0, b"before")?;
        disk.sync(kept)?;
        disk.write(kept, 0, b"after!")?;
        let lost = disk.make(ROOT, name("lost"), 0o600, false)?;
        disk.write(lost, 0, b"never synced")?;
        drop(disk);
        let after = Disk::open(folder.path())?;
        let kept = after.find(ROOT, name("kept"))?;
        assert_eq!(after.node(kept)?.content, b"before");
        assert!(
            after.find(ROOT, name("lost")).is_err(),
            "it was never synced"
        );
        Ok(())
    }

    #[test]
    fn a_sync_carries_earlier_names_but_not_other_files_bytes() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut disk = Disk::open(folder.path())?;
        let other = disk.make(ROOT, name("other"), 0o600, false)?;
        disk.write(other, 0, b"bytes")?;
        let one = disk.make(ROOT, name("one.new"), 0o600, false)?;
        disk.write(one, 3, b"d")?;
        disk.rename((ROOT, name("one.new")), (ROOT, name("one")))?;
        disk.sync(one)?;
        let after = Disk::open(folder.path())?;
        let found = after.find(ROOT, name("one"))?;
        assert_eq!(after.node(found)?.content, b"\0\0\0d");
        let other = after.find(ROOT, name("other"))?;
        assert!(
            after.node(other)?.content.is_empty(),
            "it was named, not synced"
        );
        Ok(())
    }
}
