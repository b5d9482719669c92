//! What the events door counts, and how the intake does.

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What became of lines, in the order of [`Feed::count`].
const OUTCOMES: [&str; 3] = ["accepted", "duplicate", "rejected"];

/// Counters of the events door; the rest is what the intake last said of itself.
#[derive(Debug, Default)]
pub struct Feed {
    lines: [AtomicU64; 3],
    refused: AtomicU64,
    queued_bytes: AtomicU64,
    behind_us: AtomicU64,
    stopped: AtomicBool,
    end: AtomicU64,
    syncs: AtomicU64,
    remembered: AtomicU64,
    remembered_bytes: AtomicU64,
}

/// How the intake does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Doing {
    /// Bytes that wait to be written.
    pub queued_bytes: usize,
    /// For how long the oldest waits.
    pub behind: Duration,
    /// Whether nothing is taken.
    pub stopped: bool,
    /// The offset of the next record.
    pub end: u64,
    /// Syncs since the start.
    pub syncs: u64,
    /// Ids that are remembered, and the bytes they take.
    pub remembered: (usize, usize),
}

impl Feed {
    /// Counts lines: accepted, duplicate, rejected.
    pub fn count(&self, lines: [u64; 3]) {
        for (counter, lines) in self.lines.iter().zip(lines) {
            counter.fetch_add(lines, Ordering::Relaxed);
        }
    }

    /// Counts a request, or a stream's end, of which nothing was taken.
    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how the intake does.
    pub fn note(&self, doing: Doing) {
        let set = |gauge: &AtomicU64, value: usize| gauge.store(value as u64, Ordering::Relaxed);
        set(&self.queued_bytes, doing.queued_bytes);
        set(&self.behind_us, doing.behind.as_micros() as usize);
        self.stopped.store(doing.stopped, Ordering::Relaxed);
        self.end.store(doing.end, Ordering::Relaxed);
        self.syncs.store(doing.syncs, Ordering::Relaxed);
        set(&self.remembered, doing.remembered.0);
        set(&self.remembered_bytes, doing.remembered.1);
    }

    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let help = "Lines of the events door by what became of them";
        let mut family = encoder.encode_descriptor("vaglio_events", help, None, MetricType::Counter)?;
        for (outcome, lines) in OUTCOMES.into_iter().zip(&self.lines) {
            let labels = [("outcome", outcome)];
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&load(lines), None)?;
        }
        let counters = [
            (
                "vaglio_event_requests_refused",
                "Requests and streams of the events door that were refused",
                &self.refused,
            ),
            ("vaglio_event_syncs", "Syncs of the events log", &self.syncs),
        ];
        for (name, help, value) in counters {
            let mut counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            counter.encode_counter::<NoLabelSet, u64, f64>(&load(value), None)?;
        }
        let gauges = [
            ("vaglio_events_queued_bytes", "Events that wait to be written", load(&self.queued_bytes) as f64),
            ("vaglio_events_behind_seconds", "For how long the oldest waits", load(&self.behind_us) as f64 / 1e6),
            (
                "vaglio_events_stopped",
                "1 = no events are taken until somebody looks after it",
                f64::from(u8::from(self.stopped.load(Ordering::Relaxed))),
            ),
            ("vaglio_events_end", "The offset of the next event", load(&self.end) as f64),
            ("vaglio_event_ids", "Ids of events that are remembered", load(&self.remembered) as f64),
            ("vaglio_event_ids_bytes", "The memory that they take", load(&self.remembered_bytes) as f64),
        ];
        for (name, help, value) in gauges {
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}
