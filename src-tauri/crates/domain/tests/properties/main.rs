//! Ten thousand cases of every kind: what a vendor, a person or a provider can send must never
//! make the pure rules panic, grow without bound or give what is not canonical. A failing case is
//! printed with its seed and kept in `proptest-regressions`, from where it is tried first.

mod documents;
mod normalise;
mod paths;
mod templates;

/// Cases of each property.
const CASES: u32 = 10_000;
