//! The store: the only SQL of the product, one SQLite file behind one writer.
//!
//! One writer thread owns the only read-write connection and groups what is asked of it into
//! commits; an answer is given only after its commit has reached the disk (`synchronous=FULL`).
//! Readers are a few read-only connections. Nothing outside this crate knows SQL or SQLite: callers
//! get typed verbs on a transaction, one file per table under `tables`. Read `open` for the file,
//! `writer` for the commit protocol and `tables::event` for the hash chain.

mod backup;
mod chain;
mod damage;
mod error;
pub mod faults;
mod functions;
mod migrate;
mod open;
mod reader;
mod restore;
mod salvage;
mod storage;
pub mod tables;
mod writer;

pub use backup::{Contents, CopyError, Depth, copy, inspect};
pub use chain::ChainHead;
pub use error::{OpenError, StoreError};
pub use open::{DataDir, Store};
pub use reader::ReadTx;
pub use restore::{BackupFiles, Restored, restore};
pub use salvage::{Salvaged, SalvagedTable, salvage};
pub use storage::{MAX_LOG_BYTES, StorageFacts};
pub use writer::{Wake, WriteTx};
