//! The columns of the queue: which there are, how wide, and which of them fit.

use std::collections::BTreeMap;

use calseta_domain::query::SortField;
use serde::{Deserialize, Serialize};

/// The gap between two columns, in CSS pixels; the stylesheet's `--space-4`.
const GAP_PX: u32 = 12;
/// What the title needs before others may have room.
const TITLE_MIN_PX: u32 = 220;
/// A column is at least so wide: its head must be a target (WCAG 2.2, 2.5.8).
pub(crate) const MIN_PX: u32 = 34;
/// And at most so wide.
pub(crate) const MAX_PX: u32 = 640;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Column {
    Severity,
    Age,
    Title,
    Indicators,
    Verdict,
    Agents,
    Rule,
    Source,
    Status,
    Enrichment,
    Classification,
    Occurred,
    Updated,
}

impl Column {
    /// Every column, in the order of the menu.
    pub(crate) const ALL: [Self; 13] = [
        Self::Severity,
        Self::Age,
        Self::Title,
        Self::Indicators,
        Self::Verdict,
        Self::Agents,
        Self::Rule,
        Self::Source,
        Self::Status,
        Self::Enrichment,
        Self::Classification,
        Self::Occurred,
        Self::Updated,
    ];
    /// Those that are shown unless somebody chooses others.
    pub(crate) const SHOWN: [Self; 9] = [
        Self::Severity,
        Self::Age,
        Self::Title,
        Self::Indicators,
        Self::Verdict,
        Self::Agents,
        Self::Rule,
        Self::Source,
        Self::Status,
    ];
    /// Which go first when there is no room.
    const EXPENDABLE: [Self; 10] = [
        Self::Updated,
        Self::Occurred,
        Self::Classification,
        Self::Enrichment,
        Self::Rule,
        Self::Source,
        Self::Indicators,
        Self::Verdict,
        Self::Agents,
        Self::Status,
    ];

    /// The word in storage and in saved views.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Age => "age",
            Self::Title => "title",
            Self::Indicators => "indicators",
            Self::Verdict => "verdict",
            Self::Agents => "agents",
            Self::Rule => "rule",
            Self::Source => "source",
            Self::Status => "status",
            Self::Enrichment => "enrichment",
            Self::Classification => "classification",
            Self::Occurred => "occurred",
            Self::Updated => "updated",
        }
    }

    /// From a saved view's word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.word() == word)
    }

    /// In full.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Severity => "Severity",
            Self::Age => "Age",
            Self::Title => "Alert",
            Self::Indicators => "Key indicators",
            Self::Verdict => "Verdict",
            Self::Agents => "Agents",
            Self::Rule => "Rule",
            Self::Source => "Source",
            Self::Status => "Status",
            Self::Enrichment => "Enrichment",
            Self::Classification => "Closed as",
            Self::Occurred => "Occurred",
            Self::Updated => "Updated",
        }
    }

    /// Its width unless somebody sets another, in CSS pixels; the title takes what is left.
    const fn default_px(self) -> u32 {
        match self {
            Self::Severity => 30,
            Self::Age => 40,
            Self::Title => TITLE_MIN_PX,
            Self::Indicators => 280,
            Self::Verdict => 106,
            Self::Agents => 92,
            Self::Rule => 170,
            Self::Status => 102,
            Self::Source | Self::Enrichment => 84,
            Self::Classification => 160,
            Self::Occurred | Self::Updated => 132,
        }
    }

    /// What its head sorts by.
    pub(crate) const fn sorts_by(self) -> Option<SortField> {
        match self {
            Self::Severity => Some(SortField::Severity),
            Self::Age | Self::Occurred => Some(SortField::Occurred),
            Self::Title => Some(SortField::Title),
            Self::Verdict => Some(SortField::Malice),
            Self::Source => Some(SortField::Source),
            Self::Status => Some(SortField::Status),
            Self::Updated => Some(SortField::Updated),
            Self::Indicators
            | Self::Agents
            | Self::Rule
            | Self::Enrichment
            | Self::Classification => None,
        }
    }
}

/// A column as wide as it is; the title's width is what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Which.
    pub(crate) column: Column,
    /// In CSS pixels.
    pub(crate) px: u32,
}

/// The columns that fit into `width_px`, in order. Rather than cut the title short, the least
/// needed give way: first they get narrower, then they go.
pub(crate) fn fit(chosen: &[Column], widths: &BTreeMap<Column, u32>, width_px: u32) -> Vec<Placed> {
    let chosen = if chosen.is_empty() {
        &Column::SHOWN[..]
    } else {
        chosen
    };
    let mut placed: Vec<Placed> = chosen
        .iter()
        .map(|column| Placed {
            column: *column,
            px: widths
                .get(column)
                .map_or(column.default_px(), |px| (*px).clamp(MIN_PX, MAX_PX)),
        })
        .collect();
    for column in Column::EXPENDABLE {
        let room = title_room(&placed, width_px);
        if room >= TITLE_MIN_PX {
            break;
        }
        if column == Column::Indicators {
            let missing = TITLE_MIN_PX - room;
            if let Some(one) = placed.iter_mut().find(|one| one.column == column)
                && one.px > missing + MIN_PX * 4
            {
                one.px -= missing;
                break;
            }
        }
        placed.retain(|one| one.column != column);
    }
    placed
}

/// What is left for the title; negative room is none.
fn title_room(placed: &[Placed], width_px: u32) -> u32 {
    let others: u32 = placed
        .iter()
        .filter(|one| one.column != Column::Title)
        .map(|one| one.px)
        .sum();
    // A gap between each two, and one at each edge.
    let gaps = GAP_PX * u32::try_from(placed.len() + 1).unwrap_or(u32::MAX);
    width_px.saturating_sub(others + gaps)
}

/// As the value of `grid-template-columns`.
pub(crate) fn template(placed: &[Placed]) -> String {
    let track = |one: &Placed| match one.column {
        Column::Title => "minmax(0,1fr)".to_owned(),
        _ => format!("{}px", one.px),
    };
    placed.iter().map(track).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width_px: u32) -> Vec<Column> {
        fit(&[], &BTreeMap::new(), width_px)
            .iter()
            .map(|one| one.column)
            .collect()
    }

    #[test]
    fn a_wide_list_has_all_columns_and_a_narrow_one_the_needed() {
        assert_eq!(shown(1_500), Column::SHOWN);
        let narrow = shown(560);
        assert!(narrow.contains(&Column::Title) && narrow.contains(&Column::Severity));
        assert!(!narrow.contains(&Column::Rule) && !narrow.contains(&Column::Indicators));
        assert!(shown(300).contains(&Column::Title));
    }

    #[test]
    fn the_title_keeps_its_room_at_every_usual_width() {
        for width in (420..2_400).step_by(20) {
            let placed = fit(&[], &BTreeMap::new(), width);
            assert!(title_room(&placed, width) >= TITLE_MIN_PX, "{width}");
        }
    }

    #[test]
    fn the_indicators_give_way_before_they_go() {
        let wide = fit(&[], &BTreeMap::new(), 1_500);
        let less = fit(&[], &BTreeMap::new(), 960);
        let px = |all: &[Placed]| {
            all.iter()
                .find(|one| one.column == Column::Indicators)
                .map(|one| one.px)
        };
        assert!(px(&less).is_some() && px(&less) < px(&wide));
    }

    #[test]
    fn widths_set_by_hand_stay_within_their_bounds() {
        let widths = [(Column::Rule, 5), (Column::Source, 9_000)].into();
        let placed = fit(
            &[Column::Rule, Column::Title, Column::Source],
            &widths,
            5_000,
        );
        assert_eq!((placed[0].px, placed[2].px), (MIN_PX, MAX_PX));
        assert_eq!(template(&placed), "34px minmax(0,1fr) 640px");
    }

    #[test]
    fn words_come_back() {
        for column in Column::ALL {
            assert_eq!(Column::from_word(column.word()), Some(column));
        }
    }
}
