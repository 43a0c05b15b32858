//! Who may call what. The program's own table of routes is walked against the running program:
//! what is mounted is described and documented, and each route answers every kind of key as it
//! says. What agents may never do is written here a second time, by hand.

mod agents;
mod caller;
mod keys;
mod table;
