//! A desktop session's bus with an unlocked keychain on it.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use calseta_tests::backend::{DEADLINE, background, wait_for};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The bus and the keychain's daemon. Both end when it is dropped.
pub(crate) struct Session {
    pub(crate) address: String,
    _bus: Child,
    _keychain: Child,
}

impl Session {
    /// Starts both; what the keychain keeps lies under `home`.
    pub(crate) async fn start(home: &Path) -> Result<Self> {
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("dbus-daemon; install the package dbus-daemon")?;
        let out = bus.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(out).lines();
        let address = tokio::time::timeout(DEADLINE, lines.next_line()).await??;
        let address = address.context("the bus ended")?;
        background(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut keychain = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_RUNTIME_DIR", home)
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("gnome-keyring-daemon; install the package gnome-keyring")?;
        let mut password = keychain.stdin.take().context("stdin is piped")?;
        password.write_all(b"a login's password\n").await?;
        drop(password);
        wait_for("the keychain is on the bus", || async {
            let listed = Command::new("dbus-send")
                .args([
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/",
                ])
                .arg("org.freedesktop.DBus.ListNames")
                .env("DBUS_SESSION_BUS_ADDRESS", &address)
                .output()
                .await?;
            let names = String::from_utf8_lossy(&listed.stdout).into_owned();
            if !listed.status.success() {
                bail!("the bus does not answer: {}", listed.status);
            }
            Ok(names.contains("org.freedesktop.secrets").then_some(()))
        })
        .await?;
        Ok(Self {
            address,
            _bus: bus,
            _keychain: keychain,
        })
    }
}
