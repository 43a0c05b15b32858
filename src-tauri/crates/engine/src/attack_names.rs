//! The names of ATT&CK's tactics and techniques, bundled: a rule shows them without any network.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use calseta_domain::FieldError;
use calseta_domain::attack::{Kind, Table};
use calseta_domain::query::Query;

/// Parsed at the first use; the file is part of the program and a test of the domain reads it.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::parse(include_str!("../../../../assets/catalog/attack.json"))
        .expect("the bundled table is part of the program and was checked with it")
});

/// Ids and names that a person wrote, as ids without repetition; what is none is an error.
pub(crate) fn ids(
    errors: &mut Vec<FieldError>,
    path: &str,
    kind: Kind,
    given: &[String],
) -> Vec<String> {
    let mut ids: Vec<String> = Vec::with_capacity(given.len());
    for (n, text) in given.iter().enumerate() {
        match TABLE.check(&format!("{path}.{n}"), kind, text) {
            Ok(id) if ids.contains(&id) => {}
            Ok(id) => ids.push(id),
            Err(error) => errors.push(error),
        }
    }
    ids
}

/// A query whose techniques may be named instead of numbered.
pub(crate) fn in_query(query: Query) -> Query {
    query.with_attack_ids(&TABLE)
}

/// The names of those ids that have one.
pub(crate) fn names<'a>(ids: impl IntoIterator<Item = &'a String>) -> BTreeMap<String, String> {
    ids.into_iter()
        .filter_map(|id| Some((id.clone(), TABLE.name(id)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids_and_ids_have_names() {
        let mut errors = Vec::new();
        let given = ["Initial Access".to_owned(), "TA0001".to_owned()];
        let ids = ids(&mut errors, "mitre_tactics", Kind::Tactic, &given);
        assert_eq!(ids, ["TA0001"]);
        assert!(errors.is_empty());
        assert_eq!(names(&ids)["TA0001"], "Initial Access");
        super::ids(
            &mut errors,
            "mitre_techniques",
            Kind::Technique,
            &["T9999".to_owned()],
        );
        assert_eq!(errors[0].path, "mitre_techniques.0");
    }
}
