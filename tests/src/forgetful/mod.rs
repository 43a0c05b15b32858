//! A file system that loses, in a power cut, whatever was not synced.
//!
//! kill -9 alone cannot tell a build that syncs from one that does not: the kernel keeps what the
//! process wrote. Here the files live in the memory of the file system's own process, and only
//! what a program syncs is written to the folder that plays the disk. Killing that process is the
//! power cut. What it promises is what a journaling file system promises: a sync makes the file's
//! bytes durable, and with them every change of names made before; nothing else is durable at all.
//!
//! Start reading at [`disk::Disk`]; [`mount::serve`] gives it to the kernel.

pub mod disk;
pub mod mount;
