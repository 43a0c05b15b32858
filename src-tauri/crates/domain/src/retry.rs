use crate::Timestamp;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome { Ok, Http { status: u16, retry_after_ms: Option<i64> }, Timeout, Connect, Tls, Blocked, TooLarge, Unknown }
impl Outcome { pub const fn word(&self) -> &'static str { unimplemented!() } }
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision { Delivered, RetryAt(Timestamp), Dead { reason: String, disable_agent: bool } }
pub const SCHEDULE_MS: [i64; 12] = [0; 12];
pub fn next(attempt: u32, outcome: &Outcome, now: Timestamp, jitter: f64) -> Decision { let _ = (attempt, outcome, now, jitter); unimplemented!() }
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<i64> { let _ = (value, now); unimplemented!() }
