//! The recording notification daemon on the private session bus.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The system's Python: it is the one that `python3-dbus` is installed for.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
/// How long it may take to own the name on the bus.
const START: Duration = Duration::from_secs(20);

/// A daemon that shows nothing and remembers everything.
pub(crate) struct Recorder {
    child: Child,
    orders: ChildStdin,
    lines: Receiver<Value>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/desktop/recorder.py");
        let mut child = Command::new(PYTHON)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 with python3-dbus and python3-gi is needed for this test");
        let orders = child.stdin.take().expect("stdin is piped");
        let out = child.stdout.take().expect("stdout is piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).expect("the recorder prints JSON");
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let ready = lines.recv_timeout(START);
        let ready = ready.expect("the recorder owns org.freedesktop.Notifications");
        assert_eq!(ready["ready"], true, "{ready}");
        Self {
            child,
            orders,
            lines,
        }
    }

    /// The next notification.
    pub(crate) fn next(&self, deadline: Duration) -> Value {
        let next = self.lines.recv_timeout(deadline);
        next.expect("a notification was raised")
    }

    /// Every further notification until `quiet` has passed without one.
    pub(crate) fn rest(&self, quiet: Duration) -> Vec<Value> {
        std::iter::from_fn(|| self.lines.recv_timeout(quiet).ok()).collect()
    }

    /// Clicks a notification until `done`: who shows a notification starts to listen only after it
    /// is on the screen, and a test is faster than a hand.
    pub(crate) fn click_until(
        &mut self,
        notification: &Value,
        deadline: Duration,
        done: impl Fn() -> bool,
    ) {
        let end = Instant::now() + deadline;
        loop {
            writeln!(self.orders, "{}", json!({ "invoke": notification["id"] }))
                .expect("the recorder takes orders");
            if done() {
                return;
            }
            assert!(
                Instant::now() < end,
                "clicking {notification} did nothing in {deadline:?}"
            );
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
