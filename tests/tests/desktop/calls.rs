//! The one command: what is no request of ours is refused, and the window lives on.

use calseta_tests::webdriver::{Session, Until};
use serde_json::{Value, json};

use crate::desk::{self, Desk, SOON};

/// Calls a command of the window's process; what it resolved to, or what it was refused with.
fn invoke(window: &Session, command: &str, arguments: &str) -> Result<Value, Value> {
    let script = format!(
        "window.answered = null; \
         window.__TAURI_INTERNALS__.invoke({command}, {arguments}).then( \
             (value) => {{ window.answered = {{ ok: value === undefined ? null : value }}; }}, \
             (error) => {{ window.answered = {{ error: error === undefined ? null : error }}; }}); \
         return true;",
        command = Value::from(command)
    );
    window.execute(&script).expect("the call is made");
    let answered = window
        .wait_for(Until::Js("return window.answered;"), SOON)
        .expect("every call is answered");
    match answered.get("error") {
        Some(error) => Err(error.clone()),
        None => Ok(answered["ok"].clone()),
    }
}

fn assert_lives(window: &Session) {
    let health = json!({ "request": { "method": "GET", "path": "/health" } });
    let answer = invoke(window, "api", &health.to_string()).expect("the app still answers");
    assert_eq!(answer["status"], 200, "{answer}");
}

#[test]
fn calls_that_are_no_requests_are_refused() {
    let _turn = desk::turn();
    let desk = Desk::open();
    let window = &desk.window;
    assert_lives(window);
    let arguments = [
        "undefined",
        "null",
        "{}",
        "[]",
        "'text'",
        "{ request: null }",
        "{ request: 7 }",
        "{ request: {} }",
        "{ request: [] }",
        "{ request: { method: 'GET' } }",
        "{ request: { path: '/v1/alerts' } }",
        "{ request: { method: 1, path: '/v1/alerts' } }",
        "{ request: { method: 'GET', path: ['/v1/alerts'] } }",
        "{ request: { method: 'GET', path: '/v1/alerts', body: {} } }",
        "{ request: { method: 'GET', path: '/v1/alerts', headers: 'x' } }",
        "{ request: { method: 'GET', path: '/v1/alerts', headers: { accept: 1 } } }",
        "{ request: { method: 'GET', path: '/v1/alerts', surprise: 1 } }",
        "{ request: { method: 'TRACE', path: '/v1/alerts' } }",
        "{ request: { method: 'get', path: '/v1/alerts' } }",
        "{ request: { method: 'GET', path: '' } }",
        "{ request: { method: 'GET', path: '/' } }",
        "{ request: { method: 'GET', path: '/etc/passwd' } }",
        "{ request: { method: 'GET', path: '/v1/../ui/boot' } }",
        "{ request: { method: 'GET', path: '/v1/%2e%2e/ui/boot' } }",
        "{ request: { method: 'GET', path: '../v1/alerts' } }",
        "{ request: { method: 'GET', path: 'http://127.0.0.1:8000/v1/alerts' } }",
        "{ request: { method: 'GET', path: 'http://evil.tld/v1/alerts' } }",
        "{ request: { method: 'GET', path: '/v1/alerts\\r\\nHost: evil.tld' } }",
        "{ request: { method: 'GET', path: '/v1/' + 'a'.repeat(100000) } }",
        "{ request: { method: 'GET', path: '/v1/alerts', headers: { authorization: 'x' } } }",
        "{ request: { method: 'GET', path: '/v1/alerts', headers: { host: 'evil.tld' } } }",
        "{ request: { method: 'GET', path: '/v1/alerts', headers: { accept: 'a'.repeat(1000000) } } }",
        "{ request: { method: 'POST', path: '/v1/alerts', body: 'a'.repeat(11 * 1024 * 1024) } }",
    ];
    for arguments in arguments {
        let refused = invoke(window, "api", arguments).expect_err(arguments);
        assert!(
            refused.is_string(),
            "{arguments} is refused in words, not with {refused}"
        );
    }
    assert_lives(window);
}

#[test]
fn no_other_command_is_granted() {
    let _turn = desk::turn();
    let desk = Desk::open();
    let commands = [
        "plugin:app|version",
        "plugin:event|listen",
        "plugin:event|emit",
        "plugin:window|close",
        "plugin:window|create",
        "plugin:webview|create_webview_window",
        "plugin:path|resolve_directory",
        "plugin:resources|close",
        "no_such_command",
    ];
    for command in commands {
        let refused = invoke(
            &desk.window,
            command,
            "{ label: 'main', event: 'x', handler: 1 }",
        );
        assert!(refused.is_err(), "{command} is not granted to the window");
    }
    assert_lives(&desk.window);
}

#[test]
fn the_window_stays_on_its_page() {
    let _turn = desk::turn();
    let desk = Desk::open();
    let window = &desk.window;
    window
        .execute("window.neverLeft = true;")
        .expect("a script runs");
    let ways_out = [
        "location.href = 'http://127.0.0.1:9/';",
        "location.href = 'https://evil.tld/';",
        "location.href = 'file:///etc/passwd';",
        "location.href = 'data:text/html,<h1>owned</h1>';",
        "window.opened = window.open('https://evil.tld/'); ",
        "const a = document.createElement('a'); a.href = 'https://evil.tld/'; a.target = '_blank'; \
         document.body.append(a); a.click();",
    ];
    for way_out in ways_out {
        window.execute(way_out).expect("the script runs");
        assert_lives(window);
    }
    let stayed = window.execute(
        "return [window.neverLeft, location.protocol, window.opened === null \
                 || window.opened === undefined || window.opened.closed];",
    );
    assert_eq!(stayed.ok(), Some(json!([true, "tauri:", true])));
}

#[test]
fn the_policy_stops_scripts_and_requests_to_elsewhere() {
    let _turn = desk::turn();
    let desk = Desk::open();
    let window = &desk.window;
    let script = "\
        window.blocked = []; \
        document.addEventListener('securitypolicyviolation', \
            (event) => window.blocked.push(event.effectiveDirective)); \
        const inline = document.createElement('script'); \
        inline.textContent = 'window.ranInline = true;'; document.head.append(inline); \
        const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; \
        const frame = document.createElement('iframe'); frame.src = 'https://evil.tld/'; \
        document.body.append(frame); \
        fetch('http://127.0.0.1:9/').catch(() => {});";
    window.execute(script).expect("the script runs");
    let all = "return ['script-src', 'img-src', 'connect-src', 'frame-src'].every( \
               (wanted) => window.blocked.some((found) => found.startsWith(wanted)));";
    let seen = window.wait_for(Until::Js(all), SOON);
    let blocked = window.execute("return window.blocked;");
    seen.unwrap_or_else(|error| panic!("blocked only {blocked:?}: {error}"));
    let ran = window.execute("return window.ranInline === undefined && !('__TAURI__' in window);");
    assert_eq!(
        ran.ok(),
        Some(json!(true)),
        "no inline script ran, and there is no global API"
    );
}
