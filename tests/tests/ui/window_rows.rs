//! The table of commands, continued: what changes how the window looks.

use crate::command_rows::At::{Alert, List};
use crate::command_rows::{Row, row};

/// All of them, run after those of [`crate::command_rows`].
pub(crate) const WINDOW_ROWS: &[Row] = &[
    row(
        "window.rail",
        List,
        "> Widen or narrow the rail",
        "return Math.abs(document.querySelector('.rail').getBoundingClientRect().width - __was.rail) > 20",
    ),
    row(
        "window.split-left",
        Alert,
        "Ctrl+Shift+ArrowLeft",
        "return document.querySelector('.queue').getBoundingClientRect().width < __was.list - 10",
    ),
    row(
        "window.split-right",
        Alert,
        "Ctrl+Shift+ArrowRight",
        "return document.querySelector('.queue').getBoundingClientRect().width > __was.list + 10",
    ),
    row(
        "density.comfortable",
        List,
        "> Comfortable rows",
        "return document.querySelector('.grid__row').getBoundingClientRect().height >= 44",
    ),
    row(
        "density.cosy",
        List,
        "> Cosy rows",
        "const high = document.querySelector('.grid__row').getBoundingClientRect().height; return high > 30 && high < 44",
    ),
    row(
        "density.compact",
        List,
        "> Compact rows",
        "return document.querySelector('.grid__row').getBoundingClientRect().height < 30",
    ),
    row(
        "theme.light",
        List,
        "> Light theme",
        "return document.documentElement.dataset.theme === 'light'",
    ),
    row(
        "theme.dark",
        List,
        "> Dark theme",
        "return document.documentElement.dataset.theme === 'dark'",
    ),
    row(
        "theme.contrast-dark",
        List,
        "> High contrast, dark",
        "return document.documentElement.dataset.theme === 'contrast-dark'",
    ),
    row(
        "theme.contrast-light",
        List,
        "> High contrast, light",
        "return document.documentElement.dataset.theme === 'contrast-light'",
    ),
    row(
        "theme.system",
        List,
        "> Theme of the desktop",
        "return document.documentElement.dataset.theme === 'dark'",
    ),
];
