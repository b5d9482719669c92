//! What the server's processes use, as Linux tells it: CPU time and memory, where it was said which processes they are.

use crate::error::{Error, Result};

/// Linux tells CPU time in hundredths of a second, whatever its own clock is (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What processes have used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// CPU seconds, all threads, user and system.
    pub cpu_seconds: f64,
    /// Resident memory now.
    pub resident_bytes: u64,
}

/// The sum over processes; `None` when one of them is not there (any more).
pub fn used(pids: &[u32]) -> Option<Used> {
    let mut sum = Used::default();
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        sum.cpu_seconds += cpu_seconds(&stat)?;
        sum.resident_bytes += resident_bytes(&status)?;
    }
    Some(sum)
}

/// Checks that processes are there.
///
/// # Errors
/// Names the first that is not.
pub fn check(pids: &[u32]) -> Result<()> {
    match pids.iter().find(|pid| used(&[**pid]).is_none()) {
        Some(pid) => {
            Err(Error::usage(format!("--server-pid: there is no process {pid} whose /proc/{pid} can be read")))
        }
        None => Ok(()),
    }
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name, the second field, may hold anything but ends with the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) as f64 / TICKS_PER_SECOND)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_writes() {
        let stat = "4711 (a ) name) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1000000 300";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(resident_bytes("VmPeak:\t 10 kB\nVmRSS:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!(cpu_seconds("nothing"), None);
    }

    #[test]
    fn several_processes_are_summed_and_a_missing_one_is_named() {
        let own = std::process::id();
        let once = used(&[own]).unwrap();
        let twice = used(&[own, own]).unwrap();
        assert!(once.resident_bytes > 0 && twice.resident_bytes > once.resident_bytes);
        assert_eq!(used(&[own, u32::MAX]), None);
        assert!(check(&[own, u32::MAX]).unwrap_err().to_string().contains("no process 4294967295"));
    }
}
