//! Keys, the filter bar, and what the API says of the same query.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use calseta_tests::webdriver::Until;
use serde_json::Value;

use crate::world::{SOON, World};

/// How often a key is pressed again, and how long each press is given.
const KEY_TRIES: usize = 3;
const KEY_WAIT: Duration = Duration::from_secs(2);

/// Presses each word of a text: a key, or a key with its modifiers.
pub(crate) fn strike(world: &World, words: &str) {
    world.browser.strike(words).expect("keys");
}

/// Writes a query into the filter bar, in place of what stands there, and goes back to the list
/// once it shows what was found.
pub(crate) fn filter(world: &World, q: &str) {
    let is_there = format!(
        "return document.querySelector('input[aria-label=Filter]').value.trim() === {}",
        Value::from(q)
    );
    if world.browser.execute(&is_there).expect("a page") == Value::Bool(true) {
        return;
    }
    to_filter(world);
    let was_wrong = "return document.activeElement.ariaInvalid === 'true'";
    let was_wrong = world.browser.execute(was_wrong).expect("a page") == Value::Bool(true);
    let forget = "performance.clearResourceTimings(); return 1";
    world.browser.execute(forget).expect("a page");
    strike(world, "Ctrl+a");
    world.browser.press(q).expect("typed");
    world.until(&is_there);
    // Enter leaves the box, whether or not completions are shown: none of them is chosen.
    strike(world, "Enter");
    world.until("return !document.activeElement.matches('input')");
    if was_wrong {
        // The list still shows what was found before the mistake: the same is not asked for again.
        world.until(
            "return document.querySelector('input[aria-label=Filter]').ariaInvalid !== 'true'",
        );
        world.until("return !document.querySelector('.grid[aria-busy=true]')");
        return;
    }
    world.until(&format!(
        "const q = {}; const bare = q.replace(/\\s*group:\\w+/, '').trim(); \
         return performance.getEntriesByType('resource').some(one => {{ \
         const url = new URL(one.name); const asked = (url.searchParams.get('q') ?? '').trim(); \
         return url.pathname === '/v1/alerts' && (asked === q || asked === bare); }}) \
         && !document.querySelector('.grid[aria-busy=true]')",
        Value::from(q)
    ));
}

/// Goes to the filter bar.
pub(crate) fn to_filter(world: &World) {
    // While a dialog goes, a key goes nowhere; a person presses it again.
    let has_focus = "return document.activeElement.matches('input[aria-label=Filter]')";
    for _ in 0..KEY_TRIES {
        strike(world, "/");
        if world
            .browser
            .wait_for(Until::Js(has_focus), KEY_WAIT)
            .is_ok()
        {
            break;
        }
    }
    world.until(has_focus);
}

/// How many alerts a query finds, by the API.
pub(crate) fn found(world: &World, q: &str) -> u64 {
    ids(world, q).len() as u64
}

/// The alerts that a query finds, in the API's order.
pub(crate) fn ids(world: &World, q: &str) -> Vec<String> {
    let path = format!(
        "/v1/alerts?page_size=500&count=none&cursor=&q={}",
        encoded(q)
    );
    let rows = world.call("GET", &path, &Value::Null);
    let rows = rows.as_array().expect("a list");
    rows.iter()
        .map(|row| row["uuid"].as_str().expect("an id").to_owned())
        .collect()
}

/// Waits until a query finds so many, by the API.
pub(crate) fn finds(world: &World, q: &str, count: u64) {
    let end = Instant::now() + SOON;
    while found(world, q) != count {
        if Instant::now() > end {
            let page = world
                .browser
                .execute("return document.body.innerText.slice(-1500)");
            panic!(
                "{q} finds {} and not {count}; the page: {page:?}",
                found(world, q)
            );
        }
        thread::yield_now();
    }
}

/// A query as a part of an address.
fn encoded(q: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    q.bytes().fold(String::new(), |mut out, byte| {
        if safe(byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a text takes everything");
        }
        out
    })
}
