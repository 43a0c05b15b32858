//! Which rows of a long list are on the screen: fixed heights, so it is arithmetic.

use std::ops::Range;

/// Rows above and below the screen that are painted too, so that a quick scroll shows no hole.
const OVERSCAN_ROWS: usize = 12;

/// The part of a list that is painted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// Indices of the painted rows.
    pub(crate) rows: Range<usize>,
    /// Whether the end is so near that the next page should be read.
    pub(crate) wants_more: bool,
}

/// The window of a list of `count` rows of `row_px`, scrolled by `scroll_px` in `height_px`.
pub(crate) fn window_of(count: usize, row_px: f64, scroll_px: f64, height_px: f64) -> Window {
    let first = whole(scroll_px / row_px);
    let seen = whole((height_px / row_px).ceil()) + 1;
    let start = first.saturating_sub(OVERSCAN_ROWS).min(count);
    let end = (first + seen + OVERSCAN_ROWS).min(count);
    Window {
        rows: start..end,
        wants_more: end + OVERSCAN_ROWS >= count,
    }
}

/// How far to scroll so that row `index` is wholly seen below a sticky header; `None` when it is.
pub(crate) fn scroll_to(
    index: usize,
    row_px: f64,
    scroll_px: f64,
    height_px: f64,
    header_px: f64,
) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "row numbers are far below 2^52")]
    let top = index as f64 * row_px;
    let visible = height_px - header_px;
    if top < scroll_px {
        Some(top)
    } else if top + row_px > scroll_px + visible {
        Some(top + row_px - visible)
    } else {
        None
    }
}

fn whole(rows: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to what a list can hold"
    )]
    let rows = rows.clamp(0.0, 1e9) as usize;
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_painted_rows_surround_the_seen_ones() {
        let window = window_of(1_000, 28.0, 2_800.0, 280.0);
        assert_eq!(
            window.rows,
            88..123,
            "rows 100 to 110 are seen, twelve more on each side"
        );
        assert!(!window.wants_more);
    }

    #[test]
    fn the_ends_are_clamped() {
        assert_eq!(window_of(5, 28.0, 0.0, 600.0).rows, 0..5);
        assert_eq!(window_of(0, 28.0, 0.0, 600.0).rows, 0..0);
        assert_eq!(
            window_of(5, 28.0, 1e9, 600.0).rows,
            5..5,
            "scrolled past the end"
        );
    }

    #[test]
    fn the_next_page_is_wanted_before_its_rows_are_seen() {
        assert!(window_of(100, 28.0, 1_500.0, 840.0).wants_more);
        assert!(!window_of(100, 28.0, 0.0, 840.0).wants_more);
    }

    #[test]
    fn a_row_under_the_header_or_below_the_edge_is_scrolled_to() {
        assert_eq!(scroll_to(3, 28.0, 0.0, 300.0, 28.0), None);
        assert_eq!(scroll_to(0, 28.0, 56.0, 300.0, 28.0), Some(0.0));
        assert_eq!(scroll_to(20, 28.0, 0.0, 308.0, 28.0), Some(308.0));
    }
}
