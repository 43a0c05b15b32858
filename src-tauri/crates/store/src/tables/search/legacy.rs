//! v1.1.0's filters of the alert list, beside a query. They compare exactly.

use rusqlite::types::Value as Sql;

use super::Sub;
use super::piece::{self, Piece};
use crate::tables::alert_list::AlertFilter;
use crate::tables::blob;

/// Adds what the filter asks for.
pub(super) fn add(pieces: &mut Vec<Piece>, filter: &AlertFilter) {
    let text = |word: &str| Sql::Text(word.to_owned());
    if !filter.status.is_empty() {
        let words = filter.status.iter().map(|status| text(status.as_str()));
        pieces.push(Piece::one_of("status", words.collect()));
    }
    if !filter.severity.is_empty() {
        let ranks = filter
            .severity
            .iter()
            .map(|s| Sql::Integer(s.rank().into()));
        pieces.push(Piece::one_of("severity", ranks.collect()));
    }
    if !filter.source_name.is_empty() {
        let names = filter.source_name.iter().map(|name| text(name));
        pieces.push(Piece::one_of("source_name", names.collect()));
    }
    if !filter.enrichment_status.is_empty() {
        let words: Vec<&str> = filter
            .enrichment_status
            .iter()
            .map(|e| e.as_str())
            .collect();
        pieces.push(piece::enrichment(&words));
    }
    if let Some(is_enriched) = filter.is_enriched {
        let is = if is_enriched {
            "IS NOT NULL"
        } else {
            "IS NULL"
        };
        pieces.push(Piece::new(Sub::new(
            format!("+a.enriched_at {is}"),
            Vec::new(),
        )));
    }
    if let Some(rule) = filter.rule {
        let tests = Sub::new(
            "{} = (SELECT id FROM detection_rule WHERE uuid = ?)",
            vec![Sql::Blob(blob(rule.uuid()).to_vec())],
        );
        pieces.push(Piece::column("detection_rule_id", &tests));
    }
    for (bound, op) in [(filter.from, ">="), (filter.to, "<=")] {
        if let Some(at) = bound {
            let tests = Sub::new(format!("{{}} {op} ?"), vec![Sql::Integer(at.millis())]);
            pieces.push(Piece::column("occurred_at", &tests));
        }
    }
    for tag in &filter.tags {
        let named = vec![text(tag)];
        let mut piece = Piece::new(Sub::new(
            "EXISTS (SELECT 1 FROM alert_tag l CROSS JOIN tag t ON t.id = l.tag_id
               WHERE l.alert_id = a.id AND t.name = ?)",
            named.clone(),
        ));
        piece.driver = Some(Sub::new(
            "SELECT l.alert_id FROM tag t CROSS JOIN alert_tag l ON l.tag_id = t.id
             WHERE t.name = ?",
            named,
        ));
        pieces.push(piece);
    }
}
