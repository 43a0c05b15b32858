//! Taking what is selected, or what the view finds, out as a file: made here from the rows that the
//! API gives, and saved where the browser saves downloads.

use calseta_contract::alert::AlertSummary;
use calseta_contract::change::BulkSelect;
use calseta_domain::Timestamp;
use calseta_domain::query::MAX_VALUES;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use crate::api::{self, Failure};
use crate::state::clock::now_ms;
use crate::state::commands::{Command, Group};
use crate::state::queue::Queue;
use crate::state::toasts::Toasts;
use crate::text::export::{Format, written};

/// Rows that are read at once.
const PAGE_ROWS: u32 = 500;
/// A file has at most so many alerts: it is made in the window's memory.
const MAX_ROWS: usize = 20_000;

/// The commands.
pub(super) fn commands(queue: Queue) -> Vec<Command> {
    let toasts = Toasts::expect();
    let is_busy = RwSignal::new(false);
    let export = move |id, title, keys, format: Format| {
        Command::new(id, title, Group::List, keys, move || {
            if !is_busy.get_untracked() {
                is_busy.set(true);
                spawn_local(async move {
                    export(queue, toasts, format).await;
                    is_busy.set(false);
                });
            }
        })
        .when(move || !is_busy.get() && queue.with(|list| !list.is_empty()))
    };
    vec![
        export("queue.export-csv", "Export as CSV", &["X c"], Format::Csv),
        export(
            "queue.export-ndjson",
            "Export as NDJSON",
            &["X n"],
            Format::Ndjson,
        ),
    ]
}

async fn export(queue: Queue, toasts: Toasts, format: Format) {
    let selection = queue.peek_selection();
    let select = selection.select().unwrap_or_else(|| BulkSelect {
        q: Some(queue.peek_q()),
        ..BulkSelect::default()
    });
    let rows = match read(&select).await {
        Ok(rows) => rows,
        Err(failure) => return toasts.fail("Nothing was exported", &failure),
    };
    let day = Timestamp::from_millis(now_ms()).to_string();
    let day = day.split('T').next().unwrap_or("today").to_owned();
    let name = format!("alerts-{day}.{}", format.extension());
    let text = written(format, &rows);
    if save(&name, format.media_type(), &text).is_err() {
        toasts.say("The file could not be made here. GET /v1/alerts gives the same rows.");
        return;
    }
    let count = rows.len();
    let capped = if count >= MAX_ROWS {
        ", the most that one file has"
    } else {
        ""
    };
    let alerts = if count == 1 { "alert" } else { "alerts" };
    toasts.say(format!("Exported {count} {alerts}{capped} to {name}"));
}

/// The alerts that are meant, in the API's own order.
async fn read(select: &BulkSelect) -> Result<Vec<AlertSummary>, Failure> {
    let mut rows = Vec::new();
    if let Some(ids) = &select.uuids {
        for ids in ids.chunks(MAX_VALUES) {
            let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
            read_all(&format!("id:{}", words.join(",")), &mut rows).await?;
        }
    } else {
        read_all(select.q.as_deref().unwrap_or_default(), &mut rows).await?;
    }
    rows.retain(|alert| !select.except.contains(&alert.uuid));
    Ok(rows)
}

async fn read_all(q: &str, rows: &mut Vec<AlertSummary>) -> Result<(), Failure> {
    let mut cursor = None;
    loop {
        let page = api::list_alerts(q, PAGE_ROWS, cursor.as_deref()).await?;
        rows.extend(page.data);
        rows.truncate(MAX_ROWS);
        cursor = page.meta.next_cursor;
        if cursor.is_none() || rows.len() >= MAX_ROWS {
            return Ok(());
        }
    }
}

/// Gives the browser a file to save.
fn save(name: &str, media_type: &str, text: &str) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The browser has taken the file by the next turn.
    set_timeout(
        move || drop(Url::revoke_object_url(&url)),
        std::time::Duration::from_secs(1),
    );
    Ok(())
}
