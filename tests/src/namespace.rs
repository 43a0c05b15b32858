//! Tests that need a machine of their own: its network with any address, its ports, a small disk.
//!
//! Such a test starts itself again in namespaces that only it sees and that end with it; nothing
//! of the real machine is touched, and no privilege is needed where user namespaces are allowed.
//! Where they are not, the test fails: nothing is skipped.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Says that the process is the one in the namespaces.
const INSIDE_VARIABLE: &str = "CALSETA_TEST_INSIDE";

/// Whether this process is already in namespaces of its own.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE_VARIABLE).is_some()
}

/// Runs one test of this program again, in network and mount namespaces of its own, after the
/// shell commands `prepare`. `test` is its whole name, with its modules.
pub fn again(test: &str, prepare: &str) -> Result<()> {
    let program = std::env::current_exe()?;
    let script = format!("set -e\nip link set lo up\n{prepare}\nexec \"$@\"");
    let output = Command::new("unshare")
        .args([
            "--map-root-user",
            "--net",
            "--mount",
            "sh",
            "-c",
            &script,
            "sh",
        ])
        .arg(program)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE_VARIABLE, "1")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("this needs unshare (util-linux)")?;
    let said = String::from_utf8_lossy(&output.stdout);
    // Its summary would be counted as another program's.
    for line in said.lines().filter(|line| !line.starts_with("test result")) {
        tell(line);
    }
    ensure!(
        output.status.success() && said.contains(" 1 passed"),
        "in namespaces of its own {test} failed ({}): {}",
        output.status,
        said.lines()
            .last()
            .unwrap_or("user namespaces and `ip` are needed")
    );
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "what the inner run said belongs to the outer"
)]
fn tell(line: &str) {
    println!("{line}");
}
