//! The command line as a person uses it: the real program, run against real servers.

mod calseta;
mod import;
mod import_hostile;
mod import_sources;
mod import_world;
mod keys;
mod old_server;
mod verify;
