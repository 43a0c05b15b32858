//! The client against real sockets on loopback, and the two tables it is judged by. One binary, so that it links once.

mod addresses;
mod blocked;
mod hostile;
mod local;
mod peer;
mod reached;
mod rebinding;
mod rules;
mod trust;
mod urls;
