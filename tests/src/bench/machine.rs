//! What the figures were measured on. Linux only; elsewhere the facts are missing, not wrong.

use serde_json::{Value, json};

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The load averages of the last 1, 5 and 15 minutes.
pub fn load_average() -> Option<String> {
    let text = read("/proc/loadavg")?;
    Some(text.split(' ').take(3).collect::<Vec<_>>().join(" "))
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// A process's resident memory in MiB.
pub fn resident_mib(pid: u32) -> Option<f64> {
    let status = read(&format!("/proc/{pid}/status"))?;
    let kib: f64 = field(&status, "VmRSS")?.split(' ').next()?.parse().ok()?;
    Some(kib / 1024.0)
}

/// How many descriptors a process has open.
pub fn descriptors(pid: u32) -> Option<usize> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    Some(open.count())
}

/// Linux counts a process's time in hundredths of a second, whatever its kernel's own tick
/// (`USER_HZ`, proc(5)).
const TICKS_A_SECOND: f64 = 100.0;

/// Processor time that a process has taken so far, in seconds.
pub fn processor_seconds(pid: u32) -> Option<f64> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_A_SECOND)
}

/// Processor, cores, memory and system.
pub fn facts() -> Value {
    let cpu = read("/proc/cpuinfo").and_then(|text| field(&text, "model name"));
    let memory = read("/proc/meminfo").and_then(|text| field(&text, "MemTotal"));
    let kernel = read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    json!({"processor": cpu, "cores": cores, "memory": memory, "kernel": kernel})
}
