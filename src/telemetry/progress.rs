//! What a person sees while a long job runs: a bar with rate and time left on a terminal, plain lines elsewhere.
//!
//! Everything goes to standard error, so that results on standard output stay clean. No personal data: phases are named
//! by the program, notes are counts.

use indicatif::{HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Plain lines of one phase are at least this far apart.
const PLAIN_INTERVAL: Duration = Duration::from_secs(2);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A bar on a terminal, plain lines otherwise.
    Auto,
    /// Plain lines, at most one every two seconds a phase.
    Plain,
    /// Nothing.
    Silent,
}

/// What a phase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Rows of input.
    Rows,
    /// Bytes of input.
    Bytes,
    /// Blocks of 65,536 profiles.
    Blocks,
}

/// How far the phase at work is, for whoever asks from another thread.
#[derive(Debug, Default)]
pub struct Share {
    done: AtomicU64,
    of: AtomicU64,
}

impl Share {
    /// From 0 to 1; 0 where it is not known how much there is to do.
    pub fn get(&self) -> f64 {
        let (done, of) = (self.done.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed));
        if of == 0 { 0.0 } else { done.min(of) as f64 / of as f64 }
    }
}

/// Where phases report to. Cheap to clone, safe to share between threads.
#[derive(Clone)]
pub struct Progress {
    output: Output,
}

#[derive(Clone)]
enum Output {
    Bars(MultiProgress),
    Lines(Arc<Mutex<dyn Write + Send>>),
    Share(Arc<Share>),
    Nothing,
}

impl Progress {
    /// Progress on standard error.
    pub fn new(mode: Mode) -> Self {
        let output = match mode {
            Mode::Silent => Output::Nothing,
            Mode::Auto if std::io::stderr().is_terminal() => {
                Output::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)))
            }
            Mode::Auto | Mode::Plain => Output::Lines(Arc::new(Mutex::new(std::io::stderr()))),
        };
        Progress { output }
    }

    /// Progress for whoever asks. Phases whose length is not known leave it as it is.
    pub fn shared(share: Arc<Share>) -> Self {
        Progress { output: Output::Share(share) }
    }

    /// Starts a phase. `total` is how much there is to do, where that is known.
    pub fn phase(&self, name: &str, total: Option<u64>, unit: Unit) -> Phase {
        let bar = match &self.output {
            Output::Bars(bars) => Some(bars.add(styled_bar(name, total, unit))),
            _ => None,
        };
        let lines = match &self.output {
            Output::Lines(lines) => Some(Arc::clone(lines)),
            _ => None,
        };
        let share = match (&self.output, total) {
            (Output::Share(share), Some(total)) => {
                share.done.store(0, Ordering::Relaxed);
                share.of.store(total, Ordering::Relaxed);
                Some(Arc::clone(share))
            }
            _ => None,
        };
        Phase {
            name: name.to_owned(),
            total,
            unit,
            started: Instant::now(),
            counted: AtomicU64::new(0),
            finished: AtomicBool::new(false),
            next_line: AtomicU64::new(PLAIN_INTERVAL.as_millis() as u64),
            bar,
            lines,
            share,
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.output {
            Output::Bars(_) => "Progress(bars)",
            Output::Lines(_) => "Progress(lines)",
            Output::Share(_) => "Progress(shared)",
            Output::Nothing => "Progress(silent)",
        })
    }
}

fn styled_bar(name: &str, total: Option<u64>, unit: Unit) -> ProgressBar {
    let (position, rate) = match unit {
        Unit::Bytes => ("{bytes}", "{bytes_per_sec}"),
        Unit::Rows | Unit::Blocks => ("{human_pos}", "{per_sec}"),
    };
    let of = match (total, unit) {
        (None, _) => "",
        (Some(_), Unit::Bytes) => " of {total_bytes}",
        (Some(_), _) => " of {human_len}",
    };
    let left = if total.is_some() { ", {eta} left" } else { "" };
    let gauge = if total.is_some() { "[{bar:30}] {percent:>3} %" } else { "{spinner}" };
    let template = format!("{{prefix:<12}} {gauge} {position}{of} {}, {rate}{left}", unit.plural_word());
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_prefix(name.to_owned());
    match ProgressStyle::with_template(template.replace(" ,", ",").as_str()) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

impl Unit {
    /// The word after a number; bytes carry their own unit.
    fn plural_word(self) -> &'static str {
        match self {
            Unit::Rows => "rows",
            Unit::Bytes => "",
            Unit::Blocks => "blocks",
        }
    }

    fn show(self, amount: u64) -> String {
        match self {
            Unit::Bytes => indicatif::BinaryBytes(amount).to_string(),
            Unit::Rows | Unit::Blocks => format!("{} {}", HumanCount(amount), self.plural_word()),
        }
    }
}

/// One step of a job. Counting is lock-free and may come from many threads.
pub struct Phase {
    name: String,
    total: Option<u64>,
    unit: Unit,
    started: Instant,
    counted: AtomicU64,
    finished: AtomicBool,
    /// Milliseconds after the start at which the next plain line is due.
    next_line: AtomicU64,
    bar: Option<ProgressBar>,
    lines: Option<Arc<Mutex<dyn Write + Send>>>,
    share: Option<Arc<Share>>,
}

impl Phase {
    /// Counts `n` more.
    pub fn add(&self, n: u64) {
        let counted = self.counted.fetch_add(n, Ordering::Relaxed) + n;
        if let Some(bar) = &self.bar {
            bar.inc(n);
        }
        if let Some(share) = &self.share {
            share.done.store(counted, Ordering::Relaxed);
        }
        if self.lines.is_some() {
            self.plain_line_if_due(counted);
        }
    }

    /// What was counted so far.
    pub fn count(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    /// Ends the phase with what came of it (`9,999,998 rows accepted`); may be empty.
    pub fn done(self, note: &str) {
        self.finished.store(true, Ordering::Relaxed);
        let took = self.started.elapsed();
        let note = if note.is_empty() { String::new() } else { format!(": {note}") };
        let line = format!("{:<12} done in {:.1} s{note}", self.name, took.as_secs_f64());
        if let Some(bar) = &self.bar {
            bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.finish_with_message(line.clone());
        }
        self.write_line(&line);
    }

    fn plain_line_if_due(&self, counted: u64) {
        let elapsed = self.started.elapsed();
        let now = elapsed.as_millis() as u64;
        let due = self.next_line.load(Ordering::Relaxed);
        let next = now + PLAIN_INTERVAL.as_millis() as u64;
        if now < due || self.next_line.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        self.write_line(&describe(&self.name, self.unit, counted, self.total, elapsed));
    }

    fn write_line(&self, line: &str) {
        if let Some(lines) = &self.lines {
            // Nobody listens on a closed standard error; the job goes on.
            let _ = writeln!(lines.lock(), "{line}");
        }
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        if !self.finished.load(Ordering::Relaxed)
            && let Some(bar) = &self.bar
        {
            bar.abandon();
        }
    }
}

/// A plain line: `collect 34 %: 1.20 GiB of 3.40 GiB, 240 MiB/s, 9 seconds left`.
fn describe(name: &str, unit: Unit, counted: u64, total: Option<u64>, elapsed: Duration) -> String {
    let per_second = counted as f64 / elapsed.as_secs_f64().max(1e-3);
    let mut line = format!("{name:<12} ");
    if let Some(total) = total.filter(|total| *total > 0) {
        let percent = (counted.saturating_mul(100) / total).min(100);
        line += &format!("{percent:>3} %: {} of {}", unit.show(counted), unit.show(total));
    } else {
        line += &unit.show(counted);
    }
    line += &format!(", {}/s", unit.show(per_second as u64));
    if let Some(total) = total
        && per_second > 0.0
    {
        let left = total.saturating_sub(counted) as f64 / per_second;
        line += &format!(", {} left", HumanDuration(Duration::from_secs_f64(left.min(1e9))));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn into_memory() -> (Progress, Arc<Mutex<Vec<u8>>>) {
        let memory = Arc::new(Mutex::new(Vec::new()));
        let lines: Arc<Mutex<dyn Write + Send>> = memory.clone();
        (Progress { output: Output::Lines(lines) }, memory)
    }

    #[test]
    fn plain_lines_are_rare_and_the_end_is_always_told() {
        let (progress, memory) = into_memory();
        let phase = progress.phase("collect", Some(1_000), Unit::Rows);
        for _ in 0..1_000 {
            phase.add(1);
        }
        assert_eq!(phase.count(), 1_000);
        phase.done("1,000 rows accepted");
        let text = String::from_utf8(memory.lock().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with("collect      done in 0.") && text.ends_with(": 1,000 rows accepted\n"), "{text}");
    }

    #[test]
    fn a_plain_line_tells_share_rate_and_time_left() {
        let line = describe("collect", Unit::Bytes, 1 << 30, Some(4 << 30), Duration::from_secs(4));
        assert_eq!(line, "collect       25 %: 1.00 GiB of 4.00 GiB, 256.00 MiB/s, 12 seconds left");
        let line = describe("index", Unit::Rows, 5_000, None, Duration::from_secs(1));
        assert_eq!(line, "index        5,000 rows, 5,000 rows/s");
    }

    #[test]
    fn an_unfinished_phase_and_silence_do_no_harm() {
        let progress = Progress::new(Mode::Silent);
        let phase = progress.phase("index", None, Unit::Blocks);
        phase.add(3);
        drop(phase);
        assert_eq!(format!("{progress:?}"), "Progress(silent)");
    }

    #[test]
    fn counts_from_many_threads_add_up() {
        let (progress, _) = into_memory();
        let phase = progress.phase("collect", None, Unit::Rows);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| phase.add(1)));
            }
        });
        assert_eq!(phase.count(), 40_000);
    }
}
