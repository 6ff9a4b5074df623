//! CPU time and memory of a process and all its descendants, from `/proc`.

use std::fs;
use std::io;
use std::time::Duration;

/// Linux reports times to user space in hundredths of a second on every architecture, whatever the
/// kernel's own tick is (proc(5), USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// What a process tree has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Resident memory. Pages that processes of the tree share are counted in each.
    pub(crate) rss_bytes: u64,
}

/// Reads the usage of the tree below `root`, itself included.
pub(crate) fn of_tree(root: u32) -> io::Result<Usage> {
    let parents = parents()?;
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        tree.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| process));
        next += 1;
    }
    let mut usage = Usage::default();
    for process in tree {
        usage.cpu += cpu(process);
        usage.rss_bytes += rss_bytes(process).unwrap_or(0);
    }
    Ok(usage)
}

/// Every process with its parent.
fn parents() -> io::Result<Vec<(u32, u32)>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end while it is looked at.
        let Some(fields) = stat(process) else { continue };
        if let Some(parent) = fields.get(1).and_then(|field| field.parse().ok()) {
            parents.push((process, parent));
        }
    }
    Ok(parents)
}

/// The fields of `/proc/<pid>/stat` after the name, which may itself hold spaces and parentheses.
fn stat(process: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// The scheduler's nanoseconds count living threads only, the ticks also those that have ended but in
/// steps of 10 ms; neither overstates, so the larger is the better.
fn cpu(process: u32) -> Duration {
    scheduled(process).unwrap_or_default().max(ticked(process).unwrap_or_default())
}

fn scheduled(process: u32) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        total += Duration::from_nanos(text.split(' ').next()?.parse().ok()?);
    }
    Some(total)
}

fn ticked(process: u32) -> Option<Duration> {
    // utime and stime are the 14th and 15th fields, 11 and 12 counted after the name.
    let fields = stat(process)?;
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(TICK * ticks(11)?.saturating_add(ticks(12)?))
}

fn rss_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
