//! Severity, verdict and status: by shape, letter and word, never by colour alone.
//!
//! Severity is a filled glyph, a verdict a pill with an icon, a status an outlined word: the three
//! scales cannot be taken for one another.

use calseta_contract::alert::{EnrichmentResultView, FindingSummary};
use calseta_domain::{AlertStatus, Malice, Severity};
use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::text::{clip, visible};

/// An agent's name in a chip is cut to this many characters.
const AGENT_CHARS: usize = 18;

const fn shape(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "M6.3 1.5h5.4l4.8 4.8v5.4l-4.8 4.8H6.3l-4.8-4.8V6.3z",
        Severity::High => "M9 1.2 17.4 16H.6z",
        Severity::Medium => "M9 .8 17.2 9 9 17.2.8 9z",
        Severity::Low => "M9 1.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15z",
        Severity::Informational => "M2.8 2.8h12.4v12.4H2.8z",
        Severity::Pending => "M9 2a7 7 0 1 1 0 14A7 7 0 0 1 9 2z",
    }
}

const fn letter(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "C",
        Severity::High => "H",
        Severity::Medium => "M",
        Severity::Low => "L",
        Severity::Informational => "I",
        Severity::Pending => "?",
    }
}

/// The shape with its letter. The word is its accessible name.
#[component]
pub(crate) fn SeverityGlyph(severity: Severity) -> impl IntoView {
    // The triangle's centre of gravity is lower than its box's.
    let baseline = if severity == Severity::High {
        "14.2"
    } else {
        "12.6"
    };
    view! {
        <svg
            class="severity"
            data-severity=severity.as_str()
            viewBox="0 0 18 18"
            role="img"
            aria-label=severity.as_str()
        >
            <path d=shape(severity)></path>
            <text x="9" y=baseline text-anchor="middle">{letter(severity)}</text>
        </svg>
    }
}

/// Glyph and word.
#[component]
pub(crate) fn SeverityChip(severity: Severity) -> impl IntoView {
    view! {
        <span class="severity-chip">
            <SeverityGlyph severity />
            <span aria-hidden="true">{severity.as_str()}</span>
        </span>
    }
}

/// A verdict of whatever author, reduced to its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerdictMark {
    Malicious,
    Suspicious,
    Benign,
    Unknown,
}

impl VerdictMark {
    const fn word(self) -> &'static str {
        match self {
            Self::Malicious => "malicious",
            Self::Suspicious => "suspicious",
            Self::Benign => "benign",
            Self::Unknown => "unknown",
        }
    }

    const fn glyph(self) -> Glyph {
        match self {
            Self::Malicious => Glyph::Shield,
            Self::Suspicious => Glyph::Warning,
            Self::Benign => Glyph::Check,
            Self::Unknown => Glyph::Question,
        }
    }
}

impl From<Malice> for VerdictMark {
    fn from(malice: Malice) -> Self {
        match malice {
            Malice::Malicious => Self::Malicious,
            Malice::Suspicious => Self::Suspicious,
            Malice::Benign => Self::Benign,
            Malice::Pending => Self::Unknown,
        }
    }
}

/// The mark of a finding's verdict word; never guessed when none was sent.
pub(crate) fn verdict_of(word: Option<&str>) -> VerdictMark {
    match word {
        Some("malicious") => VerdictMark::Malicious,
        Some("suspicious") => VerdictMark::Suspicious,
        Some("benign") => VerdictMark::Benign,
        _ => VerdictMark::Unknown,
    }
}

/// A pill with icon and word.
#[component]
pub(crate) fn VerdictChip(
    /// Whose icon and colour.
    #[prop(into)]
    mark: VerdictMark,
    /// The word, when another than the mark's is said (`Pending`, `Inconclusive`).
    #[prop(into)]
    word: String,
) -> impl IntoView {
    view! {
        <span class="verdict" data-verdict=mark.word()>
            <Icon glyph=mark.glyph() />
            {word}
        </span>
    }
}

/// A status: outlined and neutral, so that it does not compete with severity.
#[component]
pub(crate) fn StatusChip(status: AlertStatus) -> impl IntoView {
    let glyph = match status {
        AlertStatus::Open => Glyph::StatusOpen,
        AlertStatus::Triaging => Glyph::StatusTriaging,
        AlertStatus::Escalated => Glyph::StatusEscalated,
        AlertStatus::Closed => Glyph::StatusClosed,
    };
    view! {
        <span class="status" data-status=status.as_str()>
            <Icon glyph />
            {status.as_str()}
        </span>
    }
}

/// What one provider said, in a word or a number: `VirusTotal 14`.
#[component]
pub(crate) fn ProviderChip(
    /// The provider, for people.
    #[prop(into)]
    name: String,
    /// Its most telling figure, if it has one.
    figure: Option<String>,
    /// What it answered.
    result: EnrichmentResultView,
) -> impl IntoView {
    let mark = if result.success {
        result.malice.into()
    } else {
        VerdictMark::Unknown
    };
    let said = match figure {
        _ if !result.success => "failed".to_owned(),
        Some(figure) => figure,
        None if result.malice == Malice::Pending => "no verdict".to_owned(),
        None => result.malice.as_str().to_owned(),
    };
    let failed = !result.success;
    view! {
        <span class="verdict verdict--provider" class:verdict--failed=failed data-verdict=mark.word()>
            <Icon glyph=if failed { Glyph::Close } else { mark.glyph() } />
            <span class="verdict__provider">{name}</span>
            <span class="verdict__figure">{visible(&said).into_owned()}</span>
            {result.demo.then(|| view! { <span class="verdict__demo">"demo"</span> })}
        </span>
    }
}

/// One agent's answer in a row: its mark, its name in the tooltip.
#[component]
pub(crate) fn AgentChip(finding: FindingSummary) -> impl IntoView {
    let mark = verdict_of(finding.verdict.as_deref());
    let agent = clip(&visible(&finding.agent), AGENT_CHARS);
    let said = finding
        .verdict
        .unwrap_or_else(|| "no verdict sent".to_owned());
    let label = format!("{agent}: {said}");
    view! {
        <span class="agent-chip" data-verdict=mark.word() role="img" aria-label=label.clone() title=label>
            <Icon glyph=mark.glyph() />
        </span>
    }
}
