//! What must hold on any page of the window: how it looks, what it says to a screen reader, and
//! that nobody's text runs.
//!
//! Each check answers sentences, one a fault, so that a view with ten faults tells all ten. The
//! checks are scripts, because only the page knows its own layout; whoever uses one shows with a
//! planted fault that it can fail.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::webdriver::{Session, keys};

const LAYOUT: &str = include_str!("page/layout.js");
const AXE: &str = include_str!("page/axe.js");
const WATCH: &str = include_str!("page/watch.js");
const MADE: &str = include_str!("page/made.js");

/// Presses of Tab until the focus is in the page, at the most.
const TABS: usize = 3;

/// Overflow, cut text without a title, targets under 24 pixels and focus that is not seen.
pub fn layout_faults(session: &Session) -> Result<Vec<String>> {
    // Whoever pressed Tab sees where the focus is; a script's focus is then shown too. Behind a
    // dialog's last control Tab leaves the page, and the next one comes back.
    for _ in 0..TABS {
        session.press(keys::TAB)?;
        let is_inside = "return document.hasFocus() && document.activeElement !== document.body";
        if session.execute(is_inside)? == Value::Bool(true) {
            break;
        }
    }
    sentences(&session.execute(LAYOUT)?)
}

/// Which of axe-core's rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Those of WCAG 2.2 to AA, and best practice.
    All,
    /// Those that colours decide.
    Colours,
}

/// What axe-core finds serious or critical on the page as it is.
pub fn axe_faults(session: &Session, axe: &str, rules: Rules) -> Result<Vec<String>> {
    let is_there = session.execute("return !!window.axe")?;
    if is_there != Value::Bool(true) {
        session.execute(&format!("{axe}; return 1"))?;
    }
    let script = match rules {
        Rules::All => AXE.to_owned(),
        Rules::Colours => format!("const only = ['color-contrast', 'link-in-text-block'];\n{AXE}"),
    };
    let found = session.execute_async(&script)?;
    ensure!(
        found["passed"].is_string() || !found["faults"].is_null(),
        "axe answered {found}"
    );
    sentences(&found["faults"])
}

/// axe-core's own text: of `CALSETA_AXE`, else of the installed test tools.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' one place that reads this setting"
)]
pub fn axe_source() -> Result<String> {
    let path = std::env::var("CALSETA_AXE").map_or_else(
        |_| {
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
            root.join("target/tools/node/node_modules/axe-core/axe.min.js")
        },
        PathBuf::from,
    );
    std::fs::read_to_string(&path).with_context(|| {
        format!(
            "{}: axe-core is missing; `cargo xtask setup` installs it",
            path.display()
        )
    })
}

/// Begins to record what hostile text must never lead to.
pub fn watch(session: &Session) -> Result<()> {
    session.execute(WATCH).map(drop)
}

/// What was recorded since [`watch`], and what stands in the page that only text can have made.
pub fn hostile_faults(session: &Session) -> Result<Vec<String>> {
    let mut faults = sentences(&session.execute("return window.__watch ?? ['nobody watched']")?)?;
    faults.extend(sentences(&session.execute(MADE)?)?);
    Ok(faults)
}

fn sentences(value: &Value) -> Result<Vec<String>> {
    let list = value
        .as_array()
        .with_context(|| format!("no list: {value}"))?;
    let text = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
    Ok(list.iter().map(text).collect())
}
