//! Memory of a build: a forecast before it starts, the peak after.

use crate::config::{Source, SourceKind};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender};
use std::time::Duration;

/// What every build needs whatever its size: buffers, threads, the program.
const BASE_BYTES: u64 = 200 << 20;

/// Bytes of the sources as they lie there, and the memory that a build of them is expected to need. A forecast, from
/// sizes alone: identifiers cost about 50 bytes each while they are joined, an event 30, a value two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Bytes of local source files; objects in a store are not counted.
    pub source_bytes: u64,
    /// The forecast.
    pub memory_bytes: u64,
    /// Whether some source is not on this machine, so that more must be expected.
    pub partial: bool,
}

/// Forecasts from the sizes of the source files.
pub fn forecast(sources: &[Source]) -> Forecast {
    let mut forecast = Forecast { source_bytes: 0, memory_bytes: BASE_BYTES, partial: false };
    for source in sources {
        if source.path.contains("://") {
            forecast.partial = true;
            continue;
        }
        for path in glob::glob(&source.path).into_iter().flatten().flatten() {
            let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let plain = bytes as f64 * expansion(&path.to_string_lossy());
            forecast.source_bytes += bytes;
            forecast.memory_bytes += (plain * share(source.kind)) as u64;
        }
    }
    forecast
}

/// How many bytes of text a byte of the file stands for.
fn expansion(path: &str) -> f64 {
    match path.rsplit('.').next() {
        Some("gz" | "zst") => 5.0,
        Some("parquet") => 4.0,
        _ => 1.0,
    }
}

/// Bytes of memory a byte of text.
fn share(kind: SourceKind) -> f64 {
    match kind {
        SourceKind::Profiles | SourceKind::Links => 1.0,
        SourceKind::Events => 0.5,
        SourceKind::Memberships | SourceKind::Consents => 0.4,
    }
}

/// What the machine has left, in bytes; `None` where it does not say.
pub fn available() -> Option<u64> {
    kilobytes("/proc/meminfo", "MemAvailable:")
}

/// The anonymous memory this process has resident now, in bytes.
pub fn anonymous() -> Option<u64> {
    kilobytes("/proc/self/status", "RssAnon:")
}

/// Watches the anonymous memory of this process while it lives: what a container's limit is compared with.
pub struct Meter {
    peak: Arc<AtomicU64>,
    /// Dropping it ends the watch.
    _stop: Sender<()>,
}

impl Meter {
    /// Starts watching, ten times a second.
    pub fn start() -> Self {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let peak = Arc::new(AtomicU64::new(anonymous().unwrap_or(0)));
        let seen = Arc::clone(&peak);
        std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_millis(100)) {
                seen.fetch_max(anonymous().unwrap_or(0), Ordering::Relaxed);
            }
        });
        Meter { peak, _stop: stop }
    }

    /// The most so far, in bytes; 0 where the machine does not say.
    pub fn peak(&self) -> u64 {
        self.peak.fetch_max(anonymous().unwrap_or(0), Ordering::Relaxed);
        self.peak.load(Ordering::Relaxed)
    }
}

fn kilobytes(file: &str, field: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_what_we_use() {
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
        let meter = Meter::start();
        let before = meter.peak();
        let ballast = vec![1u8; 64 << 20];
        assert!(meter.peak() >= before + (60 << 20), "{}", ballast.len());
    }
}
