//! Pages about what is true of all routes.

use std::fmt::Write as _;

use calseta_domain::{ErrorCode, Scope};
use calseta_engine::Engine;

use super::Source;
use super::html::{escape, frame, prose, table};
use super::noun::title;
use crate::limits::Limits;
use crate::operation::Noun;

fn paragraphs(texts: &[&str]) -> String {
    let texts: Vec<_> = texts
        .iter()
        .map(|text| format!("<p>{}</p>\n", prose(text)))
        .collect();
    texts.concat()
}

/// The first page: every route.
pub(super) fn index(source: &Source) -> String {
    let mut body = paragraphs(&[
        "The API of the console on this machine. It answers on `127.0.0.1` and `::1` only; requests of web pages are refused. Give programs a key of their own, with the scopes that they need.",
    ]);
    for noun in Noun::ALL {
        let ours: Vec<_> = source
            .operations
            .iter()
            .filter(|(operation, _)| operation.noun == *noun)
            .collect();
        if ours.is_empty() {
            continue;
        }
        write!(
            body,
            "<h2><a href=\"/docs/{}\">{}</a></h2>\n<p>{}</p>\n<ul class=\"routes\">",
            noun.slug(),
            escape(noun.title()),
            prose(noun.text())
        )
        .expect("writing to a String cannot fail");
        for (operation, _) in ours {
            writeln!(
                body,
                "<li><a href=\"/docs/{}#{}\">{}</a> {}</li>",
                noun.slug(),
                operation.id,
                title(operation),
                escape(operation.summary)
            )
            .expect("writing to a String cannot fail");
        }
        body.push_str("</ul>\n");
    }
    frame("index", "API", &body)
}

/// Keys, envelopes, lists.
pub(super) fn conventions() -> String {
    let scopes: Vec<_> = Scope::ALL
        .iter()
        .map(|scope| vec![format!("<code>{scope}</code>"), prose(may(*scope))])
        .collect();
    let mut body = paragraphs(&[
        "Send a key with every request: `Authorization: Bearer cai_…`. A key has scopes; `admin` has them all, and write does not imply read. An agent's key can never delete, grant, decide or change settings, whatever its scopes.",
    ]);
    body.push_str(&table(&["Scope", "What it allows"], &scopes));
    body.push_str(&paragraphs(&[
        "Objects come as `{data, meta}`. Lists have `total`, `page`, `page_size` and `total_pages` in `meta`. Where `meta.next_cursor` is there, pass it as `cursor`: that is cheap at any depth and misses nothing while new rows come in.",
        "Ids are UUIDv7. Times are RFC 3339 in UTC; milliseconds are written only when they are not zero. In a PATCH an absent field keeps its value and `null` clears it; `null` for a field that must have a value is a 422. The value that is already there is no error and makes no event.",
        "Unknown fields of a body are named in `meta.ignored_fields`, unknown parameters of a list in `meta.ignored_parameters`. Rules and filters refuse what they do not know: a filter with a typing mistake would match the wrong things in silence.",
        "Ingest, findings and other requests that must happen once take an `Idempotency-Key`. Every answer carries `X-Request-ID`, as given (at most 128 visible ASCII characters) or made; it is in the log line too.",
    ]));
    frame("conventions", "Conventions", &body)
}

const fn may(scope: Scope) -> &'static str {
    match scope {
        Scope::AlertsRead => "Read alerts, findings, rules, documents, sources and metrics.",
        Scope::AlertsWrite => "Send alerts, change them, post findings.",
        Scope::EnrichmentsRead => "Read indicators and providers, ask about an indicator.",
        Scope::WorkflowsRead => "Read workflows and their runs.",
        Scope::WorkflowsWrite => "Write workflows.",
        Scope::WorkflowsExecute => "Ask for a workflow to be run.",
        Scope::ApprovalsWrite => "Read and decide approvals.",
        Scope::AgentsRead => "Read agents and deliveries.",
        Scope::AgentsWrite => "Register, change and call agents; send deliveries again.",
        Scope::Admin => "Everything, and keys, settings and what was logged about them.",
    }
}

/// Every code.
pub(super) fn errors() -> String {
    let rows: Vec<_> = ErrorCode::ALL
        .iter()
        .map(|code| {
            vec![
                format!("<code id=\"{code}\">{code}</code>"),
                code.status().to_string(),
            ]
        })
        .collect();
    let mut body = paragraphs(&[
        "An error is `{\"error\": {\"code\", \"message\", \"details\"}}`. Branch on `code`; `message` is for people and says what to do. `details.errors` of a 422 names each field: `path`, `message`, and where it helps `allowed` and `did_you_mean`.",
        "Malformed or unknown values are 422, what the present state forbids is 409, what is not there (or not yours) is 404. A method that a path does not have is 405, with `Allow`. 429 and 503 say in `Retry-After` when another try is worth it.",
    ]);
    body.push_str(&table(&["Code", "Status"], &rows));
    frame("errors", "Errors", &body)
}

/// Rates and sizes.
pub(super) fn limits() -> String {
    let limits = Limits::default();
    let row = |name: &str, text: String| vec![format!("<code>{name}</code>"), escape(&text)];
    let rows = [
        row(
            "ingest",
            format!(
                "{} requests a minute, {} at once",
                limits.ingest_per_minute, limits.ingest_burst
            ),
        ),
        row(
            "other",
            format!("{} requests a minute", limits.other_per_minute),
        ),
        row(
            "enrichment",
            format!("{} requests a minute", limits.enrichment_per_minute),
        ),
        row(
            "failed authentication",
            format!(
                "{} a minute in all; never delays a good key",
                limits.failed_auth_per_minute
            ),
        ),
    ];
    let mut body = paragraphs(&[
        "Limits are per key and can be changed in the settings, at once; 0 switches one off. These are the values of a new installation.",
    ]);
    body.push_str(&table(&["Class", "Limit"], &rows));
    body.push_str(&paragraphs(&[
        "Answers say where a key stands: `X-RateLimit-Limit` (requests that fit at once), `X-RateLimit-Remaining` (that fit now), `X-RateLimit-Reset` (seconds until all fit again). Over the limit the answer is 429 with `Retry-After`.",
        "A body holds at most 5 MB on the ingest routes and 10 MB elsewhere, counted while it streams; `payload` of `POST /v1/alerts` at most 1 MB. JSON may be 64 levels deep. A body must arrive within 10 s, a request's head within 5 s, with at most 64 headers.",
    ]));
    frame("limits", "Limits", &body)
}

/// The event log.
pub(super) fn events() -> String {
    let mut body = paragraphs(&[
        "Everything that happens is an event in one log: `{seq, type, at, actor, object, alert_uuid, changed}`. `seq` only grows; resume after the last one you saw, by `GET /v1/events?after=…` or with `Last-Event-ID` on the stream. `changed` has each field's old and new value.",
        "A key sees the types that its scopes may read:",
    ]);
    let rows: Vec<_> = Engine::event_kinds()
        .into_iter()
        .map(|(kind, scope)| {
            vec![
                format!("<code>{}</code>", escape(kind)),
                format!("<code>{scope}</code>"),
            ]
        })
        .collect();
    body.push_str(&table(&["Type", "Scope"], &rows));
    frame("events-and-types", "Event types", &body)
}
