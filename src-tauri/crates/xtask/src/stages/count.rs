//! Counting tests from the lines in which Rust's test runner sums up.

use anyhow::{Result, bail};
use std::ops::AddAssign;

/// How many tests ran.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) ignored: u64,
}

impl Count {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`; other lines are nothing.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let sums = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        let number = |what: &str| {
            sums.split("; ")
                .find_map(|sum| sum.strip_suffix(what)?.trim().parse::<u64>().ok())
        };
        Some(Self {
            passed: number("passed")?,
            ignored: number("ignored")?,
        })
    }

    /// An ignored test is a skipped check.
    pub(crate) fn refuse_ignored(self) -> Result<Self> {
        if self.ignored > 0 {
            bail!(
                "{} tests were ignored; a check that is skipped is a check that failed",
                self.ignored
            );
        }
        Ok(self)
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.ignored += other.ignored;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.10s";

    #[test]
    fn the_runner_s_sum_is_read() {
        assert_eq!(
            Count::of_line(LINE),
            Some(Count {
                passed: 12,
                ignored: 2
            })
        );
        assert_eq!(Count::of_line("test store::a_thing ... ok"), None);
    }

    #[test]
    fn an_ignored_test_fails_the_stage() {
        assert!(Count::of_line(LINE).unwrap().refuse_ignored().is_err());
        assert!(
            Count {
                passed: 1,
                ignored: 0
            }
            .refuse_ignored()
            .is_ok()
        );
    }
}
