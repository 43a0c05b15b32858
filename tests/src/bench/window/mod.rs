//! What the window's user waits for, in a browser and in the real window, on a queue of any size.
//!
//! A key's time is from its event in the page to the second frame after it: the first frame paints
//! what the key led to, the second begins after that paint. A headless browser and a window on a
//! virtual display paint 60 frames a second, so that 16.7 to 33.3 ms of every key are the display's.

mod place;
mod visit;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::corpus;
use super::machine;
use super::report::{Report, say};
use crate::backend::{Backend, BackendOptions};
use crate::caseload;
use crate::dice::Dice;
use crate::webdriver::exchange;

/// One finding in so many alerts, as an analyst's queue has them.
const FINDING_EVERY: usize = 3;
/// Findings that a filled directory is given at the most; the rest of the queue waits for its own.
const FINDINGS_MAX: usize = 3_000;
/// Where the choice of findings begins.
const SEED: u64 = 0x0ca1_5e7a_be9c_0003;
/// What says that a directory has its findings.
const MARK: &str = "findings.json";

/// What is measured, and with which programs.
#[derive(Debug)]
pub struct Plan {
    /// `calseta`.
    pub program: PathBuf,
    /// `calseta-console`; without it only the browser is measured.
    pub console: Option<PathBuf>,
    /// The window's files.
    pub dist: PathBuf,
    /// Alerts in the queue.
    pub alerts: usize,
}

/// A running product and a key for it.
#[derive(Debug)]
pub(super) struct Api {
    authority: String,
    key: String,
}

impl Api {
    fn new(base_url: &str, key: &str) -> Result<Self> {
        let authority = base_url
            .strip_prefix("http://")
            .context("a loopback address")?;
        Ok(Self {
            authority: authority.to_owned(),
            key: key.to_owned(),
        })
    }

    /// A call that must succeed; the answer's `data`.
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let bearer = format!("Bearer {}", self.key);
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [("Authorization", bearer.as_str())];
        let (status, answer) = exchange(&self.authority, method, path, &headers, &text)?;
        anyhow::ensure!(
            (200..300).contains(&status),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&answer)
        );
        let mut answer: Value = serde_json::from_slice(&answer)?;
        Ok(answer["data"].take())
    }
}

/// Fills a directory or takes a filled one, and measures in the browser and in the window.
pub async fn all(plan: &Plan, dir: &Path) -> Result<Report> {
    let mut report = Report::default();
    say(&format!(
        "the window on {} alerts in {}",
        plan.alerts,
        dir.display()
    ));
    let (backend, key) = corpus::backend(&plan.program, dir, plan.alerts).await?;
    let api = Api::new(&backend.base_url, &key)?;
    tokio::task::block_in_place(|| find_something(&api, dir))?;
    backend.terminate().await?;
    sizes(&plan.dist, &mut report)?;

    let mut options = BackendOptions {
        program: plan.program.clone(),
        ..BackendOptions::new(&dir.join("data"))
    };
    options.arguments.push("--ui".to_owned());
    let dist = plan.dist.display().to_string();
    options
        .environment
        .push(("CALSETA_UI_DIST".to_owned(), dist));
    let backend = Backend::start(&options).await?;
    let api = Api::new(&backend.base_url, &key)?;
    let link = backend.ready["ui_url"]
        .as_str()
        .context("ui_url")?
        .to_owned();
    let browser = tokio::task::block_in_place(|| {
        let place = place::browser(&link)?;
        visit::measure("Chromium", &place.session, &api, &mut report)
    })?;
    report.put("chromium", browser);
    backend.terminate().await?;

    if let Some(console) = &plan.console {
        let window = tokio::task::block_in_place(|| {
            let place = place::window(console, &dir.join("data"))?;
            let api = Api::new(&place.base_url, &key)?;
            visit::measure("the window (WebKitGTK)", &place.session, &api, &mut report)
        })?;
        report.put("window", window);
    }
    report.put("alerts", json!(plan.alerts));
    report.put("machine", machine::facts());
    report.line("machine", machine::facts().to_string(), "");
    Ok(report)
}

/// Findings on the newest alerts, once a directory.
fn find_something(api: &Api, dir: &Path) -> Result<()> {
    if dir.join(MARK).exists() {
        return Ok(());
    }
    let mut dice = Dice::new(SEED);
    let (mut cursor, mut made) = (String::new(), 0);
    while made < FINDINGS_MAX {
        let path = format!("/v1/alerts?page_size=500&count=none&cursor={cursor}");
        let bearer = format!("Bearer {}", api.key);
        let headers = [("Authorization", bearer.as_str())];
        let (_, page) = exchange(&api.authority, "GET", &path, &headers, "")?;
        let page: Value = serde_json::from_slice(&page)?;
        let rows = page["data"].as_array().context("a list")?;
        for row in rows.iter().step_by(FINDING_EVERY) {
            let uuid = row["uuid"].as_str().context("a uuid")?;
            let path = format!("/v1/alerts/{uuid}/findings");
            api.call("POST", &path, &caseload::finding(&mut dice))?;
            made += 1;
        }
        let Some(next) = page["meta"]["next_cursor"].as_str() else {
            break;
        };
        next.clone_into(&mut cursor);
    }
    say(&format!("  {made} findings posted"));
    std::fs::write(dir.join(MARK), json!({ "findings": made }).to_string())?;
    Ok(())
}

/// What the browser loads, as it lies on the disk.
fn sizes(dist: &Path, report: &mut Report) -> Result<()> {
    let wasm = dist.join("calseta_ui_bg.wasm");
    let bytes = std::fs::metadata(&wasm)
        .with_context(|| format!("{}: build the window first", wasm.display()))?
        .len();
    report.line(
        "WebAssembly, raw",
        format!("{} KiB", bytes / 1024),
        "≤ 2,500 KB in release",
    );
    report.put("wasm_bytes", json!(bytes));
    Ok(())
}
