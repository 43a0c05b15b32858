//! Keeping and losing on purpose: backups, damaged databases, retention, and what may leave the
//! machine, with the real program.

mod backups;
mod outbound;
mod program;
mod removal;
