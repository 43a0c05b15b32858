//! What one visitor does and how long each of it takes, by the page's own clock.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use super::Api;
use crate::bench::machine;
use crate::bench::report::{Report, percentiles, percentiles_text};
use crate::webdriver::{Session, Until, keys};

const PROBE: &str = include_str!("probe.js");
/// Steps down the list, and half as many up again.
const STEPS: usize = 120;
/// Alerts that are opened and left.
const OPENED: usize = 30;
/// Alerts for which the dialog of the classifications is opened, and closed again.
const DIALOGS: usize = 30;
/// Changes made by somebody else.
const CHANGES: usize = 30;
/// Frames of the scroll, and the pixels of each: more than a screen a second.
const FRAMES: usize = 300;
const FRAME_PX: usize = 60;
/// What is typed into the query box, letter by letter.
const TYPED: &str = "powershell sev:high";
/// How long a letter is waited for.
const LETTER: Duration = Duration::from_secs(5);
/// How long a change may take to come to the screen before it counts as lost.
const LOST: Duration = Duration::from_secs(3);
/// How often the page is asked whether it has a time.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// Does all of it and reports; the figures.
pub(super) fn measure(
    name: &str,
    session: &Session,
    api: &Api,
    report: &mut Report,
) -> Result<Value> {
    let before = machine::load_average();
    session.execute(PROBE)?;
    let mut figures = Map::new();
    walk(session)?;
    open_and_leave(session)?;
    dialogs(session)?;
    keys_figures(name, session, report, &mut figures)?;
    scroll(name, session, report, &mut figures)?;
    changes(name, session, api, report, &mut figures)?;
    typing(name, session, report, &mut figures)?;
    let rows = session.execute("return window.__probe.rows")?;
    report.line(
        format!("{name}: row nodes in the document, most"),
        rows.to_string(),
        "≤ 100",
    );
    figures.insert("row_nodes".to_owned(), rows);
    let after = machine::load_average();
    let text = |load: &Option<String>| load.clone().unwrap_or_else(|| "unknown".to_owned());
    report.line(
        format!("{name}: load average (1, 5, 15 min)"),
        format!("before {} · after {}", text(&before), text(&after)),
        "",
    );
    figures.insert("load_average".to_owned(), json!([before, after]));
    Ok(Value::Object(figures))
}

/// Presses a key and waits until the page has its time.
fn press(session: &Session, key: &str) -> Result<()> {
    let length = |session: &Session| session.execute("return window.__probe.keys.length");
    let before = length(session)?;
    session.press(key)?;
    until(session, "window.__probe.keys.length", &before)
}

/// Waits until an expression of the page is another than it was.
fn until(session: &Session, expression: &str, before: &Value) -> Result<()> {
    let end = Instant::now() + LETTER;
    let script = format!("return {expression}");
    while session.execute(&script)? == *before {
        ensure!(Instant::now() < end, "{expression} stayed {before}");
        thread::sleep(ASK_EVERY);
    }
    Ok(())
}

fn walk(session: &Session) -> Result<()> {
    press(session, keys::ESCAPE)?;
    for n in 0..STEPS + STEPS / 2 {
        press(session, if n < STEPS { "j" } else { "k" })?;
    }
    Ok(())
}

fn open_and_leave(session: &Session) -> Result<()> {
    let is_list = Until::Js("return !document.querySelector('.detail__sections')");
    for _ in 0..OPENED {
        press(session, "j")?;
        let before = session.execute("return window.__probe.opened.length")?;
        press(session, keys::ENTER)?;
        until(session, "window.__probe.opened.length", &before)?;
        press(session, keys::ESCAPE)?;
        session.wait_for(is_list, LETTER)?;
    }
    Ok(())
}

fn dialogs(session: &Session) -> Result<()> {
    let open = Until::Js("return !!document.querySelector('dialog[open]')");
    let closed = Until::Js("return !document.querySelector('dialog[open]')");
    for _ in 0..DIALOGS {
        press(session, "c")?;
        session.wait_for(open, LETTER)?;
        press(session, keys::ESCAPE)?;
        session.wait_for(closed, LETTER)?;
    }
    Ok(())
}

/// The times of one kind as a line and a figure; times that never came are counted.
fn say(what: String, times: &[f64], lost: usize, aim: &'static str, report: &mut Report) -> Value {
    let mut times: Vec<Duration> = times
        .iter()
        .map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1000.0))
        .collect();
    let values = percentiles(&mut times);
    let missing = if lost == 0 {
        String::new()
    } else {
        format!(" · {lost} never came")
    };
    let count = times.len();
    let text = format!("{} · n {count}{missing}", percentiles_text(&values));
    report.line(what, text, aim);
    json!({ "count": count, "lost": lost, "times": values })
}

fn numbers(list: &Value) -> (Vec<f64>, usize) {
    let all = list.as_array().map_or(&[][..], Vec::as_slice);
    let times: Vec<f64> = all.iter().filter_map(Value::as_f64).collect();
    let lost = all.len() - times.len();
    (times, lost)
}

fn keys_figures(
    name: &str,
    session: &Session,
    report: &mut Report,
    figures: &mut Map<String, Value>,
) -> Result<()> {
    let taken = session.execute("return window.__probe.keys")?;
    let taken = taken.as_array().context("a list")?;
    let of = |key: &str| -> Vec<f64> {
        let mine = taken.iter().filter(|pair| key.is_empty() || pair[0] == key);
        mine.filter_map(|pair| pair[1].as_f64()).collect()
    };
    let mut by_key = Map::new();
    for (key, shown) in [
        ("j", "j"),
        ("k", "k"),
        ("Enter", "Enter"),
        ("Escape", "Esc"),
        ("c", "c"),
        ("", "any key"),
    ] {
        let what = format!("{name}: {shown} → paint");
        by_key.insert(
            shown.to_owned(),
            say(what, &of(key), 0, "p95 ≤ 50 ms", report),
        );
    }
    figures.insert("key_to_paint".to_owned(), Value::Object(by_key));
    let (times, lost) = numbers(&session.execute("return window.__probe.opened")?);
    let what = format!("{name}: Enter → the alert's page");
    figures.insert(
        "open_alert".to_owned(),
        say(what, &times, lost, "p95 ≤ 80 ms", report),
    );
    Ok(())
}

fn scroll(
    name: &str,
    session: &Session,
    report: &mut Report,
    figures: &mut Map<String, Value>,
) -> Result<()> {
    let script =
        format!("window.__probe.scroll({FRAMES}, {FRAME_PX}, arguments[arguments.length - 1])");
    let (times, _) = numbers(&session.execute_async(&script)?);
    let what = format!("{name}: time between frames while scrolling");
    figures.insert(
        "scroll".to_owned(),
        say(what, &times, 0, "≤ 18.2 ms (55 a second)", report),
    );
    Ok(())
}

/// The wall clock in milliseconds: the page and this process share no other.
#[expect(
    clippy::disallowed_methods,
    reason = "a moment is compared with one that another process took"
)]
fn wall_ms() -> Result<f64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(since.as_secs_f64() * 1000.0)
}

/// Somebody else changes the severity of a row that is on the screen.
fn changes(
    name: &str,
    session: &Session,
    api: &Api,
    report: &mut Report,
    figures: &mut Map<String, Value>,
) -> Result<()> {
    press(session, keys::ESCAPE)?;
    session.press("gg")?;
    let top = "return document.querySelector('[role=row][id^=row-]')?.id.slice(4)";
    let alert = session.wait_for(Until::Js(top), LETTER)?;
    let alert = alert.as_str().context("a row")?.to_owned();
    let (mut times, mut lost) = (Vec::new(), 0);
    for n in 0..CHANGES {
        let word = ["Critical", "Low"][n % 2];
        let before = session.execute("return window.__probe.seen.length")?;
        session.execute(&format!(
            "window.__probe.await('{alert}', '{word}'); return 1"
        ))?;
        let sent = wall_ms()?;
        api.call(
            "PATCH",
            &format!("/v1/alerts/{alert}"),
            &json!({ "severity": word }),
        )?;
        let end = Instant::now() + LOST;
        let seen = loop {
            let seen = session.execute("return window.__probe.seen")?;
            let all = seen.as_array().context("a list")?;
            if json!(all.len()) != before {
                break all.last().and_then(Value::as_f64);
            }
            if Instant::now() > end {
                break None;
            }
            thread::sleep(ASK_EVERY);
        };
        match seen {
            Some(seen) => times.push(seen - sent),
            None => lost += 1,
        }
    }
    let what = format!("{name}: a change's request → its row painted");
    figures.insert(
        "event_to_row".to_owned(),
        say(what, &times, lost, "≤ 250 ms", report),
    );
    Ok(())
}

/// Types a query letter by letter; each until the list was read and painted for it.
fn typing(
    name: &str,
    session: &Session,
    report: &mut Report,
    figures: &mut Map<String, Value>,
) -> Result<()> {
    press(session, "/")?;
    let is_box = "return document.activeElement.matches('input')";
    if session.execute(is_box)? != Value::Bool(true) {
        report.line(
            format!("{name}: filter as you type"),
            "there is no query box",
            "",
        );
        return Ok(());
    }
    for letter in TYPED.chars() {
        let before = session.execute("return window.__probe.typed.length")?;
        press(session, &letter.to_string())?;
        until(session, "window.__probe.typed.length", &before)?;
    }
    let (times, lost) = numbers(&session.execute("return window.__probe.typed")?);
    let what = format!("{name}: a letter of the query → the list for it");
    figures.insert(
        "filter_as_you_type".to_owned(),
        say(what, &times, lost, "p95 ≤ 100 ms", report),
    );
    let taken = session
        .execute("return window.__probe.keys.filter(k => k[0] === 'typed').map(k => k[1])")?;
    let (times, lost) = numbers(&taken);
    let what = format!("{name}: a letter of the query → paint");
    figures.insert(
        "letter_to_paint".to_owned(),
        say(what, &times, lost, "p95 ≤ 50 ms", report),
    );
    Ok(())
}
