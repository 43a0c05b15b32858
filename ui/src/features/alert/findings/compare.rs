//! Several agents' findings side by side, their evidence aligned by the datum that it names.

use std::collections::{BTreeMap, HashMap};

use calseta_contract::finding::{Citation, FindingView};
use calseta_domain::IndicatorId;
use leptos::prelude::*;
use serde_json::Value;

use super::evidence::Mark;
use crate::components::{VerdictChip, verdict_of};
use crate::text::{capital, clip, visible, visible_lines};

/// Columns; more agents than that are compared one below the other.
const MAX_COLUMNS: usize = 5;
/// A cell's text is cut to this many characters.
const CELL_CHARS: usize = 600;

/// What the alert's indicators are called, by their id.
pub(super) type Values = HashMap<IndicatorId, String>;

/// One row: a heading and a cell per finding.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    title: String,
    cells: Vec<String>,
    /// Two of them say different things.
    contradicts: bool,
    /// Or one of them says nothing.
    differs: bool,
}

impl Line {
    fn new(title: impl Into<String>, cells: Vec<String>) -> Self {
        let said: Vec<&String> = cells.iter().filter(|cell| !cell.is_empty()).collect();
        let contradicts = said.windows(2).any(|pair| pair[0] != pair[1]);
        let differs = contradicts || said.len() != cells.len();
        Self {
            title: title.into(),
            cells,
            contradicts,
            differs,
        }
    }
}

/// The table. Newest finding of each author, at most five of them.
#[component]
pub(super) fn Compare(findings: Vec<FindingView>, values: Values) -> impl IntoView {
    let findings = newest_of_each(findings);
    let only_differences = RwSignal::new(false);
    let heads = findings
        .iter()
        .map(|finding| {
            let word = finding.verdict.as_deref().map_or_else(|| "No verdict".to_owned(), capital);
            view! {
                <th scope="col">
                    <span class="compare__author">{visible(&finding.author.name).into_owned()}</span>
                    <VerdictChip mark=verdict_of(finding.verdict.as_deref()) word />
                </th>
            }
        })
        .collect_view();
    let lines = lines(&findings, &values);
    let row = |line: Line| {
        let (differs, contradicts) = (line.differs, line.contradicts);
        let cells = line.cells.into_iter().map(|cell| view! { <td>{cell}</td> });
        view! {
            <tr
                class:compare__row--differs=contradicts
                hidden=move || only_differences.get() && !differs
            >
                <th scope="row">{line.title}</th>
                {cells.collect_view()}
            </tr>
        }
    };
    view! {
        <label class="compare__only">
            <input
                type="checkbox"
                prop:checked=move || only_differences.get()
                on:change=move |event| only_differences.set(event_target_checked(&event))
            />
            "Only what differs"
        </label>
        <div class="compare" tabindex="0" role="region" aria-label="Findings side by side">
            <table>
                <thead><tr><th scope="col"><span class="visually-hidden">"What"</span></th>{heads}</tr></thead>
                <tbody>{lines.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn newest_of_each(findings: Vec<FindingView>) -> Vec<FindingView> {
    let mut kept: Vec<FindingView> = Vec::new();
    for finding in findings {
        let known = kept
            .iter()
            .any(|other| other.author.name == finding.author.name);
        if !known && finding.superseded_by.is_none() && kept.len() < MAX_COLUMNS {
            kept.push(finding);
        }
    }
    kept
}

fn lines(findings: &[FindingView], values: &Values) -> Vec<Line> {
    let each =
        |read: &dyn Fn(&FindingView) -> String| findings.iter().map(read).collect::<Vec<_>>();
    let list = |items: &[String]| clip(&visible_lines(&items.join("\n")), CELL_CHARS);
    let mut lines = vec![
        Line::new(
            "Verdict",
            each(&|f| f.verdict.as_deref().map(capital).unwrap_or_default()),
        ),
        Line::new(
            "Confidence",
            each(&|f| f.confidence_level.clone().unwrap_or_default()),
        ),
        Line::new(
            "Would close as",
            each(&|f| f.proposed_classification.clone().unwrap_or_default()),
        ),
        Line::new(
            "Why",
            each(&|f| clip(&visible_lines(&f.summary), CELL_CHARS)),
        ),
    ];
    lines.extend(data(findings, values));
    lines.extend([
        Line::new("Not checked", each(&|f| list(&f.not_checked))),
        Line::new("Recommended", each(&|f| list(&f.recommended_actions))),
        Line::new(
            "Model",
            each(&|f| {
                f.usage
                    .as_ref()
                    .and_then(|u| u.model.clone())
                    .unwrap_or_default()
            }),
        ),
        Line::new("Tokens", each(&tokens)),
    ]);
    lines.retain(|line| line.cells.iter().any(|cell| !cell.is_empty()));
    lines
}

fn tokens(finding: &FindingView) -> String {
    let usage = finding.usage.as_ref();
    let all = usage.map_or(0, |usage| {
        usage.input_tokens.unwrap_or(0) + usage.output_tokens.unwrap_or(0)
    });
    if all == 0 {
        String::new()
    } else {
        all.to_string()
    }
}

/// A line for every datum that anybody cites: what each says of it, and whether that is so.
fn data(findings: &[FindingView], values: &Values) -> Vec<Line> {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (column, finding) in findings.iter().enumerate() {
        for (index, citation) in finding.citations.iter().enumerate() {
            let Some(datum) = datum(citation, values) else {
                continue;
            };
            let mark = Mark::of(finding.citation_checks.get(index));
            let expected = match &citation.expected {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => citation.claim.clone(),
            };
            let cells = rows
                .entry(datum)
                .or_insert_with(|| vec![String::new(); findings.len()]);
            if !cells[column].is_empty() {
                cells[column].push('\n');
            }
            cells[column].push_str(mark.sign());
            cells[column].push(' ');
            cells[column].push_str(&clip(&visible(&expected), CELL_CHARS));
        }
    }
    rows.into_iter()
        .map(|(datum, cells)| Line::new(clip(&visible(&datum), CELL_CHARS), cells))
        .collect()
}

/// What a citation is about, so that two authors who name the same thing share a line.
fn datum(citation: &Citation, values: &Values) -> Option<String> {
    let reference = citation.reference.as_ref()?;
    let path = reference.path.as_deref().unwrap_or_default();
    if let Some(pointer) = &reference.raw_pointer {
        return Some(format!("payload {pointer}"));
    }
    // The end of an id is enough to keep two objects apart.
    let tail = |id: String| id.rsplit('-').next().unwrap_or_default().to_owned();
    if let Some(id) = reference.indicator_uuid {
        let named = values.get(&id).cloned();
        let named = named.unwrap_or_else(|| format!("indicator …{}", tail(id.to_string())));
        return Some(format!("{named} {path}"));
    }
    if let Some(id) = reference.document_uuid {
        return Some(format!("document …{} {path}", tail(id.to_string())));
    }
    reference
        .alert_uuid
        .map(|id| format!("alert …{} {path}", tail(id.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_say_the_same_do_not_differ() {
        let line = |cells: &[&str]| Line::new("x", cells.iter().map(|c| (*c).to_owned()).collect());
        assert!(!line(&["benign", "benign"]).differs);
        assert!(line(&["benign", "malicious"]).differs);
        let half = line(&["benign", ""]);
        assert!(
            half.differs && !half.contradicts,
            "one of them says nothing"
        );
    }
}
