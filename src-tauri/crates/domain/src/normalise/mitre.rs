//! ATT&CK tactics by name, because agents are promised ids (`TA0001`) and sources write names.

/// The Enterprise tactics, names squeezed to lower-case letters.
const TACTICS: &[(&str, &str)] = &[
    ("reconnaissance", "TA0043"),
    ("resourcedevelopment", "TA0042"),
    ("initialaccess", "TA0001"),
    ("execution", "TA0002"),
    ("persistence", "TA0003"),
    ("privilegeescalation", "TA0004"),
    ("defenseevasion", "TA0005"),
    ("defenceevasion", "TA0005"),
    ("credentialaccess", "TA0006"),
    ("discovery", "TA0007"),
    ("lateralmovement", "TA0008"),
    ("collection", "TA0009"),
    ("commandandcontrol", "TA0011"),
    ("exfiltration", "TA0010"),
    ("impact", "TA0040"),
];
/// Longer names are no tactic's and are not looked up.
const MAX_NAME_BYTES: usize = 40;

/// The id of a tactic named in any of the usual ways (`Initial Access`, `InitialAccess`,
/// `initial-access`); what is not known comes back as it is.
pub(super) fn tactic_id(name: &str) -> &str {
    if name.len() > MAX_NAME_BYTES {
        return name;
    }
    let squeezed: String = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    TACTICS
        .iter()
        .find(|(known, _)| *known == squeezed)
        .map_or(name, |(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_tactic_has_its_id() {
        for name in [
            "Initial Access",
            "InitialAccess",
            "initial-access",
            "initial_access",
        ] {
            assert_eq!(tactic_id(name), "TA0001");
        }
        assert_eq!(tactic_id("TA0001"), "TA0001");
        assert_eq!(
            tactic_id("InhibitResponseFunction"),
            "InhibitResponseFunction"
        );
    }
}
