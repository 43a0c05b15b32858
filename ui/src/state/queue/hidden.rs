//! What an empty view leaves out: the same question, asked of what is snoozed and suppressed.

use calseta_domain::query::{chips, with_term, without};

/// Keeps snoozed alerts out of a query.
const NOT_SNOOZED: &str = "-is:snoozed";
/// Finds snoozed alerts.
const SNOOZED: &str = "is:snoozed";
/// Finds suppressed alerts; without it, lists leave them out.
const SUPPRESSED: &str = "is:suppressed";

/// Alerts that an empty view does not show, and the queries that do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// How many it would find if it did not leave out the snoozed ones.
    pub(crate) snoozed: u64,
    /// How many it would find among the suppressed ones.
    pub(crate) suppressed: u64,
}

/// A query's snoozed alerts.
pub(crate) fn snoozed(q: &str) -> String {
    let term = chips(q)
        .into_iter()
        .find(|chip| chip.text.eq_ignore_ascii_case(NOT_SNOOZED));
    let rest = term.map_or_else(|| q.to_owned(), |chip| without(q, chip.span));
    with_term(&rest, SNOOZED)
}

/// A query's suppressed alerts.
pub(crate) fn suppressed(q: &str) -> String {
    with_term(q, SUPPRESSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_view_leaves_out_is_asked_for_in_its_place() {
        assert_eq!(
            snoozed("status:open -is:snoozed sev:high"),
            "status:open sev:high is:snoozed"
        );
        assert_eq!(suppressed("status:open"), "status:open is:suppressed");
        assert_eq!(snoozed(""), "is:snoozed");
    }
}
