//! ATT&CK ids: agents are promised ids (`TA0001`), and sources, people and requests write names.
//!
//! The fourteen tactics are here, because every normaliser needs them. The names of the hundreds of
//! techniques are data that the backend reads in and hands over as a [`Table`]: the window links
//! this crate and must not carry them.

use std::collections::HashMap;

use serde::Deserialize;

use crate::FieldError;
use crate::field_error::nearest;

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
pub fn tactic_id(name: &str) -> &str {
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

/// The id of a tactic or technique: an id in upper case, a tactic's name as its id, and anything
/// else trimmed and as it was written.
pub fn id_of(text: &str) -> String {
    let text = text.trim();
    let upper = text.to_ascii_uppercase();
    if is_id(&upper) {
        return upper;
    }
    tactic_id(text).to_owned()
}

/// Whether a text is spelled like an id: `TA0001`, `T1078`, `T1078.004`.
pub fn is_id(text: &str) -> bool {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(number) = text.strip_prefix("TA") {
        return digits(number, 4);
    }
    match text.strip_prefix('T').map(|number| number.split_once('.')) {
        Some(Some((technique, part))) => digits(technique, 4) && digits(part, 3),
        Some(None) => digits(&text[1..], 4),
        None => false,
    }
}

/// Which kind of ATT&CK entry a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `TA0001`.
    Tactic,
    /// `T1078`.
    Technique,
    /// `T1078.004`.
    SubTechnique,
}

impl Kind {
    const fn what(self) -> &'static str {
        match self {
            Self::Tactic => "ATT&CK tactic",
            Self::Technique => "ATT&CK technique",
            Self::SubTechnique => "ATT&CK sub-technique",
        }
    }

    fn is_of(self, id: &str) -> bool {
        match self {
            Self::Tactic => id.starts_with("TA"),
            Self::Technique => !id.starts_with("TA") && !id.contains('.'),
            Self::SubTechnique => id.contains('.'),
        }
    }
}

/// The names of one release of ATT&CK.
#[derive(Debug, Clone)]
pub struct Table {
    version: String,
    /// Sorted by id.
    entries: Vec<Entry>,
    /// Squeezed names to places in `entries`; the first of equal names within a kind.
    by_name: HashMap<String, Vec<usize>>,
}

/// A tactic, technique or sub-technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The tactics it serves, as ids; empty for a tactic.
    pub tactics: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    version: String,
    tactics: Vec<TacticRow>,
    techniques: Vec<TechniqueRow>,
}

#[derive(Deserialize)]
struct TacticRow {
    id: String,
    name: String,
    short_name: String,
}

#[derive(Deserialize)]
struct TechniqueRow {
    id: String,
    name: String,
    #[serde(default)]
    tactics: Vec<String>,
}

impl Table {
    /// Reads the catalog's file: `{version, tactics: [{id, name, short_name}], techniques: [{id,
    /// name, tactics: [id]}]}`.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let file: File = serde_json::from_str(json)?;
        let mut aliases = Vec::new();
        let mut entries = Vec::new();
        for row in file.tactics {
            aliases.push((squeezed(&row.short_name), row.id.clone()));
            entries.push(Entry {
                id: row.id,
                name: row.name,
                tactics: Vec::new(),
            });
        }
        let technique = |row: TechniqueRow| Entry {
            id: row.id,
            name: row.name,
            tactics: row.tactics,
        };
        entries.extend(file.techniques.into_iter().map(technique));
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            by_name.entry(squeezed(&entry.name)).or_default().push(at);
        }
        for (name, id) in aliases {
            let Ok(at) = entries.binary_search_by(|entry| entry.id.cmp(&id)) else {
                continue;
            };
            let known = by_name.entry(name).or_default();
            if !known.contains(&at) {
                known.push(at);
            }
        }
        Ok(Self {
            version: file.version,
            entries,
            by_name,
        })
    }

    /// The release of ATT&CK, `18.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Everything, by id.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of an id.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.id.as_str().cmp(id));
        at.ok().and_then(|at| self.entries.get(at))
    }

    /// The name for people: `Valid Accounts: Cloud Accounts` for a sub-technique, because its own
    /// name alone says too little. `None` when the id is not known.
    pub fn name(&self, id: &str) -> Option<String> {
        let own = &self.entry(id)?.name;
        let parent = id
            .split_once('.')
            .and_then(|(parent, _)| self.entry(parent));
        Some(match parent {
            Some(parent) if !own.starts_with(&parent.name) => format!("{}: {own}", parent.name),
            _ => own.clone(),
        })
    }

    /// The id that a text means: an id in any case, or a name in any of the usual ways (`Initial
    /// Access`, `InitialAccess`, `initial-access`, `Valid Accounts`). `None` when it is not known,
    /// or when the name is not that of exactly one entry of the kind.
    pub fn id(&self, kind: Kind, text: &str) -> Option<&str> {
        let text = text.trim();
        if text.len() > MAX_ENTRY_NAME_BYTES {
            return None;
        }
        let of_kind = |entry: &&Entry| kind.is_of(&entry.id);
        let exact = self.entry(&text.to_ascii_uppercase()).filter(of_kind);
        if let Some(entry) = exact {
            return Some(&entry.id);
        }
        // A spelling that the table does not have, such as the British one.
        let alias = self.entry(tactic_id(text)).filter(of_kind);
        if let Some(entry) = alias {
            return Some(&entry.id);
        }
        let named = self.by_name.get(&squeezed(text))?;
        let mut of_kind = named
            .iter()
            .filter_map(|at| self.entries.get(*at))
            .filter(of_kind);
        match (of_kind.next(), of_kind.next()) {
            (Some(entry), None) => Some(&entry.id),
            _ => None,
        }
    }

    /// As [`Self::id`] where the kind is not known; a technique wins over a tactic, and that over a
    /// sub-technique.
    pub fn id_of_any(&self, text: &str) -> Option<&str> {
        [Kind::Technique, Kind::Tactic, Kind::SubTechnique]
            .into_iter()
            .find_map(|kind| self.id(kind, text))
    }

    /// The id that a request means; what is not known is refused, with the nearest id or name.
    pub fn check(&self, path: &str, kind: Kind, text: &str) -> Result<String, FieldError> {
        if let Some(id) = self.id(kind, text) {
            return Ok(id.to_owned());
        }
        let none: [&str; 0] = [];
        let mut error = FieldError::unknown_word(path, kind.what(), text, &none);
        let example = match kind {
            Kind::Tactic => "TA0001 or Initial Access",
            Kind::Technique => "T1078 or Valid Accounts",
            Kind::SubTechnique => "T1078.004",
        };
        error.message = format!(
            "{} in ATT&CK {}; write an id or a name, like {example}",
            error.message, self.version
        );
        error.allowed = None;
        error.did_you_mean = self.suggestion(kind, text);
        Err(error)
    }

    fn suggestion(&self, kind: Kind, text: &str) -> Option<String> {
        let of_kind = || self.entries.iter().filter(|entry| kind.is_of(&entry.id));
        let names: Vec<&str> = of_kind().map(|entry| entry.name.as_str()).collect();
        if let Some(name) = nearest(text, &names) {
            return of_kind()
                .find(|entry| entry.name == name)
                .map(|entry| entry.id.clone());
        }
        let upper = text.trim().to_ascii_uppercase();
        // A sub-technique that does not exist: its technique may.
        let parent = upper.split_once('.').map(|(parent, _)| parent);
        parent
            .and_then(|id| self.entry(id))
            .map(|entry| entry.id.clone())
    }

    /// What a payload wrote, as ids where it is known and as it was written where not.
    pub fn normalised(&self, kind: Kind, text: &str) -> String {
        self.id(kind, text)
            .map_or_else(|| id_of(text), str::to_owned)
    }
}

/// Longer texts are no entry's name.
const MAX_ENTRY_NAME_BYTES: usize = 200;

fn squeezed(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
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

    fn table() -> Table {
        Table::parse(
            r#"{"version": "18.1",
                "tactics": [
                    {"id": "TA0001", "name": "Initial Access", "short_name": "initial-access"},
                    {"id": "TA0005", "name": "Stealth", "short_name": "defense-evasion"}],
                "techniques": [
                    {"id": "T1078", "name": "Valid Accounts", "tactics": ["TA0001", "TA0005"]},
                    {"id": "T1078.004", "name": "Cloud Accounts", "tactics": ["TA0001"]},
                    {"id": "T1586.003", "name": "Cloud Accounts", "tactics": ["TA0001"]},
                    {"id": "T1586", "name": "Compromise Accounts"}]}"#,
        )
        .expect("a table")
    }

    #[test]
    fn ids_and_names_in_any_spelling_are_found() {
        let table = table();
        for (kind, text, id) in [
            (Kind::Tactic, " ta0001 ", Some("TA0001")),
            (Kind::Tactic, "InitialAccess", Some("TA0001")),
            (Kind::Tactic, "defence evasion", Some("TA0005")),
            (Kind::Tactic, "defense-evasion", Some("TA0005")),
            (Kind::Tactic, "Stealth", Some("TA0005")),
            (Kind::Tactic, "T1078", None),
            (Kind::Technique, "t1078", Some("T1078")),
            (Kind::Technique, "valid accounts", Some("T1078")),
            (Kind::Technique, "T1078.004", None),
            (Kind::Technique, "T9999", None),
            (Kind::SubTechnique, "T1078.004", Some("T1078.004")),
            (Kind::SubTechnique, "Cloud Accounts", None),
            (Kind::Technique, "", None),
        ] {
            assert_eq!(table.id(kind, text), id, "{text}");
        }
    }

    #[test]
    fn a_query_may_name_what_only_the_table_knows() {
        let now = crate::Timestamp::from_millis(0);
        let text = "-(mitre:\"valid accounts\",T9999 OR x) mitre:\"Novel\",*";
        let query = crate::query::Query::parse(text, now).expect("a query");
        assert_eq!(
            query.with_attack_ids(&table()).to_string(),
            "-(mitre:T1078,T9999 OR x) mitre:Novel,*"
        );
    }

    #[test]
    fn names_are_for_people_and_unknown_ids_have_none() {
        let table = table();
        assert_eq!(table.name("T1078").as_deref(), Some("Valid Accounts"));
        let name = table.name("T1078.004");
        assert_eq!(name.as_deref(), Some("Valid Accounts: Cloud Accounts"));
        assert_eq!(table.name("T1078.999"), None);
        let tactics = table.entry("T1078").map(|entry| entry.tactics.len());
        assert_eq!(tactics, Some(2));
        assert_eq!(table.version(), "18.1");
    }

    #[test]
    fn a_request_must_name_what_exists_and_a_payload_need_not() {
        let table = table();
        assert_eq!(
            table.check("p", Kind::Tactic, "Initial Access"),
            Ok("TA0001".to_owned())
        );
        let error = table
            .check("p.0", Kind::Tactic, "Inital Acess")
            .expect_err("misspelt");
        assert_eq!(error.path, "p.0");
        assert_eq!(error.did_you_mean.as_deref(), Some("TA0001"));
        assert!(
            error.message.contains("TA0001 or Initial Access"),
            "{}",
            error.message
        );
        let error = table
            .check("p", Kind::SubTechnique, "T1078.999")
            .expect_err("unknown");
        assert_eq!(error.did_you_mean.as_deref(), Some("T1078"));
        assert_eq!(
            table.normalised(Kind::Tactic, "Novel Tactic"),
            "Novel Tactic"
        );
        assert_eq!(table.normalised(Kind::Technique, " t9999 "), "T9999");
    }

    #[test]
    fn every_tactic_of_the_catalog_is_known_here_by_its_names() {
        let file = include_str!("../../../../assets/catalog/attack.json");
        let table = Table::parse(file).expect("the catalog's file");
        let tactics: Vec<_> = table
            .entries()
            .iter()
            .filter(|e| Kind::Tactic.is_of(&e.id))
            .collect();
        assert!(tactics.len() >= 14, "{}", tactics.len());
        for tactic in tactics {
            assert_eq!(tactic_id(&tactic.name), tactic.id, "{}", tactic.name);
        }
        for entry in table.entries() {
            assert!(is_id(&entry.id), "{}", entry.id);
            assert_eq!(id_of(&entry.id.to_lowercase()), entry.id);
            assert!(
                entry.tactics.iter().all(|id| table.entry(id).is_some()),
                "{}",
                entry.id
            );
        }
        assert!(table.entry("T1078.004").is_some() && table.entries().len() > 600);
    }
}
