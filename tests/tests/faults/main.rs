//! Faults: kills at any moment, peers that hang, crowds that post at once. What was accepted is
//! kept and delivered, or the test says what was lost.
//!
//! Time is never asserted but as a condition with a generous deadline. The test of loss has a
//! control, a build that answers before it commits: it must lose, or the test proves nothing.

mod addresses;
mod agent;
mod backup;
mod burst;
mod damage;
mod delivery;
mod disk_full;
mod findings;
mod handover;
mod hostile;
mod kept;
mod kill;
mod log_size;
mod names;
mod overload;
mod owner;
mod parked;
mod points;
mod power;
mod retries;
mod sequences;
mod signatures;
mod squatter;
mod stop;
mod tools;
mod upgrade;
mod world;
