//! Alerts as a file: a table for people, or the API's own objects a line each.

use calseta_contract::alert::AlertSummary;
use calseta_domain::CloseClassification;

/// What the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Comma-separated values with a line of names (RFC 4180).
    Csv,
    /// A JSON object a line, as the API gives it.
    Ndjson,
}

impl Format {
    /// What its name ends with.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// The columns of the table.
const COLUMNS: [&str; 16] = [
    "uuid",
    "title",
    "severity",
    "status",
    "verdict",
    "rule",
    "source",
    "occurred_at",
    "ingested_at",
    "updated_at",
    "closed_at",
    "close_classification",
    "duplicate_count",
    "tags",
    "key_indicators",
    "findings",
];

/// The whole file.
pub(crate) fn written(format: Format, rows: &[AlertSummary]) -> String {
    match format {
        Format::Csv => {
            let mut out = line(&COLUMNS.map(str::to_owned));
            for alert in rows {
                out.push_str(&line(&cells(alert)));
            }
            out
        }
        Format::Ndjson => rows
            .iter()
            // A summary was read from JSON: it can be written as JSON.
            .filter_map(|alert| serde_json::to_string(alert).ok())
            .map(|one| one + "\n")
            .collect(),
    }
}

fn cells(alert: &AlertSummary) -> [String; 16] {
    let indicators = alert.key_indicators.iter().map(|one| one.value.as_str());
    let findings = alert.finding_summary.iter().map(|one| {
        let verdict = one.verdict.as_deref().unwrap_or("no verdict");
        format!("{}: {verdict}", one.agent)
    });
    [
        alert.uuid.to_string(),
        alert.title.clone(),
        alert.severity.to_string(),
        alert.status.to_string(),
        alert.malice.to_string(),
        alert.detection_rule_name.clone().unwrap_or_default(),
        alert.source_name.clone(),
        alert.occurred_at.to_string(),
        alert.ingested_at.to_string(),
        alert.updated_at.to_string(),
        alert.closed_at.map(|at| at.to_string()).unwrap_or_default(),
        alert
            .close_classification
            .map(CloseClassification::as_str)
            .unwrap_or_default()
            .to_owned(),
        alert.duplicate_count.to_string(),
        alert.tags.join("; "),
        indicators.collect::<Vec<_>>().join("; "),
        findings.collect::<Vec<_>>().join("; "),
    ]
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",") + "\r\n"
}

/// A cell. What a spreadsheet would run is made text by an apostrophe: alerts are written by
/// attackers, too.
fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if is_formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\n', '\r', ';']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::alert_list::tests::alert;

    #[test]
    fn cells_are_quoted_and_never_run() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(quoted("@cmd"), "'@cmd");
    }

    #[test]
    fn a_table_has_a_line_of_names_and_a_line_an_alert() {
        let text = written(Format::Csv, &[alert(1), alert(2)]);
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("uuid,title,severity"));
        assert!(lines[1].starts_with(&alert(1).uuid.to_string()));
    }

    #[test]
    fn a_line_of_json_is_what_the_api_gave() {
        let text = written(Format::Ndjson, &[alert(7)]);
        let read: AlertSummary = serde_json::from_str(text.trim_end()).expect("one object");
        assert_eq!(read, alert(7));
    }
}
