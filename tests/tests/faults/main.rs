//! Faults: kills at any moment, peers that hang, crowds that post at once. What was accepted is
//! kept and delivered, or the test says what was lost.
//!
//! Time is never asserted but as a condition with a generous deadline. The test of loss has a
//! control, a build that answers before it commits: it must lose, or the test proves nothing.

mod agent;
mod burst;
mod delivery;
mod findings;
mod hostile;
mod kill;
mod owner;
mod retries;
mod stop;
mod world;
