//! The windows: the main one on our own page, and the page that says why nothing started.
//!
//! A window never leaves its page: navigation elsewhere, new windows and downloads are refused.

use std::path::Path;

use calseta_domain::AlertId;
use tauri::http::{Response, header};
use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};

use crate::failure::Failure;
use crate::output;

/// The main window's label. The capability names it.
const MAIN: &str = "main";
/// The label of the window that shows why the start failed. No capability names it.
const FAILED: &str = "failed";
/// The scheme of that page.
pub(crate) const FAILED_SCHEME: &str = "calseta-failed";
/// What every window is called.
const TITLE: &str = "Calseta Console";
/// Width and height at first, in logical pixels.
const SIZE: (f64, f64) = (1440.0, 900.0);
/// The least width and height at which every page is usable.
const MIN_SIZE: (f64, f64) = (800.0, 560.0);
/// Width and height of the failure page.
const FAILED_SIZE: (f64, f64) = (720.0, 420.0);
/// Where the web view keeps the theme and the like, inside the data directory.
const WEBVIEW_DIR: &str = "webview";

/// The failure page may load its own style sheet and nothing else.
const FAILED_POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";
const FAILED_STYLE: &str = include_str!("failed.css");

/// Opens the main window on the embedded page.
pub(crate) fn open_main(app: &tauri::App, data_dir: &Path) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title(TITLE)
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(MIN_SIZE.0, MIN_SIZE.1)
        .data_directory(data_dir.join(WEBVIEW_DIR))
        .devtools(cfg!(debug_assertions))
        .on_navigation(is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()
        .map(drop)
}

/// Opens the page that says why nothing started.
pub(crate) fn open_failed(app: &tauri::App) -> tauri::Result<()> {
    let page = if cfg!(windows) {
        format!("http://{FAILED_SCHEME}.localhost/")
    } else {
        format!("{FAILED_SCHEME}://localhost/")
    };
    let page: Url = page
        .parse()
        .expect("the scheme is a constant and a valid one");
    let own = page.clone();
    WebviewWindowBuilder::new(app, FAILED, WebviewUrl::CustomProtocol(page))
        .title(TITLE)
        .inner_size(FAILED_SIZE.0, FAILED_SIZE.1)
        .incognito(true)
        .devtools(false)
        .on_navigation(move |url| *url == own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()
        .map(drop)
}

/// The failure page and its style sheet.
pub(crate) fn failed_page(failure: &Failure, path: &str) -> Response<Vec<u8>> {
    let (kind, text) = match path {
        "/style.css" => ("text/css; charset=utf-8", FAILED_STYLE.to_owned()),
        _ => ("text/html; charset=utf-8", failed_html(failure)),
    };
    let mut response = Response::new(text.into_bytes());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    let policy = header::HeaderValue::from_static(FAILED_POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn failed_html(failure: &Failure) -> String {
    let message = output::escaped(&failure.message);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{TITLE}</title>\
         <link rel=\"stylesheet\" href=\"/style.css\"></head><body><main>\
         <h1>Calseta Console could not start</h1><p role=\"alert\">{message}</p>\
         <p class=\"note\">Nothing was changed. Close this window, then start again. \
         Exit code {exit}.</p></main></body></html>",
        exit = failure.exit
    )
}

/// Whether an address is our embedded page.
fn is_own_page(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

/// Whether a call comes from the main window while it shows our page.
pub(crate) fn is_main(window: &WebviewWindow) -> bool {
    window.label() == MAIN && window.url().is_ok_and(|url| is_own_page(&url))
}

/// Brings the main window to the front and, if one is named, opens an alert in it.
pub(crate) fn bring_forward(app: &AppHandle<Wry>, alert: Option<AlertId>) {
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    let shown = window
        .show()
        .and_then(|()| window.unminimize())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(error = %error, "the window could not be brought to the front");
    }
    let Some(alert) = alert else { return };
    if let Err(error) = window.eval(open_script(alert)) {
        tracing::warn!(error = %error, alert.id = %alert, "the alert could not be opened");
    }
}

/// The only script that is ever put together, and an id is the only thing put into it: it is a parsed one, never text.
fn open_script(alert: AlertId) -> String {
    format!(
        "window.dispatchEvent(new CustomEvent('calseta:open', {{ detail: '/alerts/{alert}' }}));"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_embedded_page_is_ours() {
        let ours = |url: &str| is_own_page(&url.parse().expect(url));
        assert!(ours("tauri://localhost/alerts/1"));
        for url in [
            "http://localhost/",
            "https://tauri.localhost/",
            "tauri://evil.tld/",
            "about:blank",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
        ] {
            assert!(!ours(url), "{url}");
        }
    }

    #[test]
    fn a_failure_is_shown_as_text() {
        let failure = Failure::failed("<script>alert(1)</script> & more");
        let page = failed_page(&failure, "/");
        let html = String::from_utf8(page.into_body()).unwrap();
        assert!(!html.contains("<script"), "a path may hold markup: {html}");
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"),
            "{html}"
        );
    }

    #[test]
    fn an_alert_is_opened_by_its_uuid() {
        let script = open_script("00000000-0000-0000-0000-000000000001".parse().unwrap());
        assert!(
            script.contains("'/alerts/00000000-0000-0000-0000-000000000001'"),
            "{script}"
        );
    }
}
