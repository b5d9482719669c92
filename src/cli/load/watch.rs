//! What a person sees while a run is under way: a line a second on standard error, drawn over the last one on a terminal.

use super::outputs::Marks;
use crate::error::Result;
use crate::load::measured::{Measured, Second};
use crate::load::run::{Segment, Watch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};

/// Shows how a run goes, and marks where its phases begin.
pub struct Progress {
    shown: Shown,
    marks: Option<Marks>,
}

/// Where it is shown.
enum Shown {
    /// On a terminal.
    Terminal(ProgressBar),
    /// Elsewhere.
    Lines,
    /// Nowhere.
    Quiet,
}

impl Progress {
    /// On standard error, unless somebody wants it quiet.
    pub fn new(quiet: bool, marks: Option<Marks>) -> Self {
        Progress { shown: Shown::new(quiet), marks }
    }

    /// The run is over.
    ///
    /// # Errors
    /// Marks that could not be written.
    pub fn end(self) -> Result<()> {
        drop(self.shown);
        self.marks.map_or(Ok(()), Marks::end)
    }
}

impl Shown {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Shown::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Shown::Lines;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Shown::Terminal(bar.with_style(style))
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        match self {
            Shown::Terminal(bar) => bar.println(line),
            // Nobody listens on a closed standard error; the run goes on.
            Shown::Lines => drop(writeln!(std::io::stderr(), "{line}")),
            Shown::Quiet => {}
        }
    }
}

impl Watch for Progress {
    fn begins(&mut self, segment: &Segment) {
        if let Some(marks) = self.marks.as_mut().filter(|_| segment.counted) {
            marks.phase(&segment.name);
        }
    }

    fn second(&mut self, segment: &Segment, second: Second) {
        let line = line(segment, &second);
        match &self.shown {
            Shown::Terminal(bar) => bar.set_message(line),
            other => other.say(&line),
        }
    }

    fn ends(&mut self, measured: &Measured) {
        let per_second = |count: u64| count as f64 / measured.seconds.max(1e-9);
        let counts = &measured.counts;
        self.shown.say(&format!(
            "{:<12} {:.1} s: {:.0}/s due, {:.0}/s accepted, p50 {}, p99 {}, p99.9 {}",
            measured.name,
            measured.seconds,
            per_second(counts.due),
            per_second(counts.accepted),
            ms(measured.latency.p50_us),
            ms(measured.latency.p99_us),
            ms(measured.latency.p999_us)
        ));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Shown::Terminal(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(segment: &Segment, second: &Second) -> String {
    let Second { at, due, accepted, shed, failed, p50_us, p99_us, .. } = *second;
    let name = &segment.name;
    format!(
        "{at:>5} s  {name:<12} {due:>8} due {accepted:>8} accepted {shed:>7} shed {failed:>7} failed   p50 {}  p99 {}",
        ms(p50_us),
        ms(p99_us)
    )
}

fn ms(us: u64) -> String {
    format!("{:.2} ms", us as f64 / 1e3)
}
