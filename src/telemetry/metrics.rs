//! What the server counts, and how Prometheus reads it. No label ever holds an identifier, an audience or a caller's text.
//!
//! Bid-time counters are sharded (see [`super::shards`]); the rest is a handful of plain atomics. The names of statuses,
//! verdicts, doors and codes are handed in by the rooms that own them.

use super::callers::Callers;
use super::exposed::Exposed;
use super::feed::Feed;
use super::overlay::Overlay;
use super::shards::Shards;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS_US: [u64; 14] = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];
/// A histogram's cells: its buckets, what is above them, and the sum in nanoseconds.
const HISTOGRAM: usize = BUCKETS_US.len() + 2;

/// The names of what is counted by number.
#[derive(Debug, Clone)]
pub struct Names {
    /// What became of a lookup.
    pub statuses: Vec<&'static str>,
    /// Verdict and reason of a decision.
    pub decisions: Vec<(&'static str, &'static str)>,
    /// The doors.
    pub doors: Vec<&'static str>,
    /// How a request ended: `ok` or a failure's code.
    pub codes: Vec<&'static str>,
    /// Why a request was shed.
    pub sheds: Vec<&'static str>,
    /// What denied that a profile is read.
    pub denials: Vec<&'static str>,
    /// Identifier types.
    pub sources: Vec<String>,
}

/// What is under way: written by every request, so alone in its cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Load {
    /// Requests whose handling has begun and not ended, but for those whose clients are slow to send them.
    pub in_flight: AtomicI64,
    /// How late the bid plane runs, in nanoseconds.
    pub lateness: AtomicU64,
}

/// The counters. Cheap to share; adding is a few nanoseconds and never waits.
#[derive(Debug)]
pub struct Metrics {
    names: Names,
    bids: Shards,
    /// What is under way.
    pub load: Load,
    /// What is counted for each caller.
    pub callers: Callers,
    /// Exposures that were taken.
    pub exposed: Exposed,
    /// What the events door counts.
    pub feed: Feed,
    /// What came since the generation in service.
    pub overlay: Overlay,
    /// The generation that answers; 0 = none.
    pub generation: AtomicU64,
    /// The instant its data is of, in seconds since 1970.
    pub as_of: AtomicI64,
    /// Its profiles.
    pub profiles: AtomicU64,
    /// Generations taken into service.
    pub swaps: AtomicU64,
    /// Generations refused: damaged, of another key or format.
    pub refused: AtomicU64,
    /// Builds that succeeded.
    pub builds: AtomicU64,
    /// Builds that failed.
    pub build_failures: AtomicU64,
    /// Panics that were caught.
    pub panics: AtomicU64,
    /// Open connections of the bid HTTP port.
    pub connections: AtomicI64,
    /// Open connections of the gRPC port.
    pub grpc_connections: AtomicI64,
    /// Connections over `max_connections`, of either port.
    pub connections_shed: AtomicU64,
    /// TLS handshakes that failed or took too long, on either port.
    pub handshakes_failed: AtomicU64,
}

impl Metrics {
    /// Everything at zero.
    pub fn new(names: Names) -> Arc<Self> {
        let per_door = names.codes.len() + HISTOGRAM + names.sheds.len() + 1;
        let cells = names.statuses.len() + names.decisions.len() + names.doors.len() * per_door;
        let cells = cells + names.denials.len();
        let callers = Callers::new(names.doors.clone(), names.statuses.clone(), names.sources.clone());
        Arc::new(Metrics {
            names,
            callers,
            exposed: Exposed::default(),
            feed: Feed::default(),
            overlay: Overlay::default(),
            bids: Shards::new(cells),
            load: Load::default(),
            generation: AtomicU64::new(0),
            as_of: AtomicI64::new(0),
            profiles: AtomicU64::new(0),
            swaps: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            builds: AtomicU64::new(0),
            build_failures: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            connections: AtomicI64::new(0),
            grpc_connections: AtomicI64::new(0),
            connections_shed: AtomicU64::new(0),
            handshakes_failed: AtomicU64::new(0),
        })
    }

    /// Counts a lookup by its status's number.
    pub fn lookup(&self, status: usize) {
        self.bids.add(status, 1);
    }

    /// Counts `n` decisions by the decision's number.
    pub fn decided(&self, decision: usize, n: u64) {
        self.bids.add(self.names.statuses.len() + decision, n);
    }

    /// Counts a request by its door's and code's numbers, and how long it took from its arrival.
    pub fn request(&self, door: usize, code: usize, took: Duration) {
        self.bids.add(self.request_cell(door, code), 1);
        let nanos = took.as_nanos() as u64;
        let bucket = BUCKETS_US.partition_point(|&bound| bound * 1_000 < nanos);
        self.bids.add(self.histogram_cell(door) + bucket, 1);
        self.bids.add(self.histogram_cell(door) + HISTOGRAM - 1, nanos);
    }

    /// Counts a request that was shed, by its door's and the reason's numbers.
    pub fn shed(&self, door: usize, reason: usize) {
        self.bids.add(self.shed_cell(door, reason), 1);
    }

    /// Counts a question whose deadline had passed before it was looked at, by its door's number.
    pub fn late(&self, door: usize) {
        self.bids.add(self.shed_cell(self.names.doors.len(), 0) + door, 1);
    }

    fn shed_cell(&self, door: usize, reason: usize) -> usize {
        self.histogram_cell(self.names.doors.len()) + door * self.names.sheds.len() + reason
    }

    /// Counts a request whose privacy signals deny what it is about, by the reason's number.
    pub fn denied(&self, reason: usize) {
        self.bids.add(self.denial_cell(reason), 1);
    }

    fn denial_cell(&self, reason: usize) -> usize {
        let doors = self.names.doors.len();
        self.shed_cell(doors, 0) + doors + reason
    }

    fn request_cell(&self, door: usize, code: usize) -> usize {
        self.names.statuses.len() + self.names.decisions.len() + door * self.names.codes.len() + code
    }

    fn histogram_cell(&self, door: usize) -> usize {
        self.request_cell(self.names.doors.len(), 0) + door * HISTOGRAM
    }

    /// The text a Prometheus scrape reads (OpenMetrics).
    pub fn exposition(self: &Arc<Self>) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(self)));
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }

    fn encode_bids(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = counter(encoder, "vaglio_lookups", "Lookups by what became of them")?;
        for (at, status) in self.names.statuses.iter().enumerate() {
            count(&mut family, &[("status", *status)], self.bids.sum(at))?;
        }
        let mut family = counter(encoder, "vaglio_decisions", "Verdicts on campaigns, by reason")?;
        for (at, (verdict, reason)) in self.names.decisions.iter().enumerate() {
            let labels = [("verdict", *verdict), ("reason", *reason)];
            count(&mut family, &labels, self.bids.sum(self.names.statuses.len() + at))?;
        }
        let mut family = counter(encoder, "vaglio_requests", "Requests by door and by how they ended")?;
        for (door, name) in self.names.doors.iter().enumerate() {
            for (code, code_name) in self.names.codes.iter().enumerate() {
                let labels = [("door", *name), ("code", *code_name)];
                count(&mut family, &labels, self.bids.sum(self.request_cell(door, code)))?;
            }
        }
        self.encode_overload(encoder)?;
        let help = "Requests whose privacy signals deny that a profile is read, by reason";
        let mut family = counter(encoder, "vaglio_privacy_denials", help)?;
        for (at, reason) in self.names.denials.iter().enumerate() {
            count(&mut family, &[("reason", *reason)], self.bids.sum(self.denial_cell(at)))?;
        }
        self.encode_latencies(encoder)
    }

    fn encode_overload(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = counter(encoder, "vaglio_shed", "Requests answered `overloaded`, by door and by why")?;
        for (door, name) in self.names.doors.iter().enumerate() {
            for (reason, reason_name) in self.names.sheds.iter().enumerate() {
                let labels = [("door", *name), ("reason", *reason_name)];
                count(&mut family, &labels, self.bids.sum(self.shed_cell(door, reason)))?;
            }
        }
        let help = "Questions whose deadline had passed before they were looked at, by door";
        let mut family = counter(encoder, "vaglio_late", help)?;
        for (door, name) in self.names.doors.iter().enumerate() {
            let cell = self.shed_cell(self.names.doors.len(), 0) + door;
            count(&mut family, &[("door", *name)], self.bids.sum(cell))?;
        }
        let in_flight = self.load.in_flight.load(Ordering::Relaxed);
        let help = "Requests under way, but for those whose clients are slow to send them";
        encoder.encode_descriptor("vaglio_in_flight", help, None, MetricType::Gauge)?.encode_gauge(&in_flight)?;
        let lateness = self.load.lateness.load(Ordering::Relaxed) as f64 / 1e9;
        let help = "How late the bid plane does what is due";
        let mut gauge = encoder.encode_descriptor("vaglio_queue_lateness_seconds", help, None, MetricType::Gauge)?;
        gauge.encode_gauge(&lateness)
    }

    fn encode_latencies(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "From a request's arrival to its answer";
        let mut family =
            encoder.encode_descriptor("vaglio_request_duration_seconds", help, None, MetricType::Histogram)?;
        for (door, name) in self.names.doors.iter().enumerate() {
            let cell = self.histogram_cell(door);
            let bounds = BUCKETS_US.iter().map(|&us| us as f64 / 1e6).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> =
                bounds.enumerate().map(|(at, bound)| (bound, self.bids.sum(cell + at))).collect();
            let sum = self.bids.sum(cell + HISTOGRAM - 1) as f64 / 1e9;
            let total = buckets.iter().map(|bucket| bucket.1).sum();
            let labels = [("door", *name)];
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, total, &buckets, None)?;
        }
        Ok(())
    }

    fn encode_server(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let counters = [
            ("vaglio_swaps", "Generations taken into service", &self.swaps),
            ("vaglio_generations_refused", "Generations refused: damaged, of another key or format", &self.refused),
            ("vaglio_builds", "Child builds that succeeded", &self.builds),
            ("vaglio_build_failures", "Child builds that failed", &self.build_failures),
            ("vaglio_panics", "Panics that were caught at a door", &self.panics),
            ("vaglio_connections_shed", "Connections over max_connections", &self.connections_shed),
            ("vaglio_tls_handshakes_failed", "TLS handshakes that failed or took too long", &self.handshakes_failed),
        ];
        for (name, help, value) in counters {
            count(&mut counter(encoder, name, help)?, &[], load(value))?;
        }
        let gauges = [
            ("vaglio_generation", "The generation that answers; 0 = none", load(&self.generation) as i64),
            ("vaglio_generation_as_of_seconds", "What its data is of (Unix time)", self.as_of.load(Ordering::Relaxed)),
            ("vaglio_profiles", "Profiles of the generation that answers", load(&self.profiles) as i64),
            ("vaglio_connections", "Open connections of the bid HTTP port", self.connections.load(Ordering::Relaxed)),
            (
                "vaglio_grpc_connections",
                "Open connections of the gRPC port",
                self.grpc_connections.load(Ordering::Relaxed),
            ),
        ];
        for (name, help, value) in gauges {
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_bids(&mut encoder)?;
        self.callers.encode(&mut encoder)?;
        self.feed.encode(&mut encoder)?;
        self.overlay.encode(&mut encoder)?;
        self.encode_server(&mut encoder)
    }
}

fn counter<'a>(
    encoder: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Counter)
}

fn count(family: &mut MetricEncoder<'_>, labels: &[(&'static str, &'static str)], value: u64) -> fmt::Result {
    if labels.is_empty() {
        return family.encode_counter::<NoLabelSet, u64, f64>(&value, None);
    }
    family.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_reads_what_was_counted() {
        let metrics = Metrics::new(Names {
            statuses: vec!["matched", "late"],
            decisions: vec![("target", ""), ("suppress", "excluded")],
            doors: vec!["a", "b"],
            codes: vec!["ok", "internal"],
            sheds: vec!["queue", "in_flight"],
            denials: vec!["coppa", "gpc"],
            sources: vec!["ifa".to_owned(), "other".to_owned()],
        });
        metrics.lookup(1);
        metrics.callers.tally("dsp").lookup(0, 1);
        metrics.callers.tally("dsp").identifier(1, true);
        metrics.callers.tally("dsp").lookup(1, 1);
        metrics.decided(1, 5);
        metrics.request(1, 0, Duration::from_micros(7));
        metrics.request(1, 0, Duration::from_secs(9));
        metrics.shed(1, 1);
        metrics.late(1);
        metrics.load.in_flight.store(3, Ordering::Relaxed);
        metrics.load.lateness.store(1_500_000, Ordering::Relaxed);
        metrics.denied(1);
        metrics.generation.store(42, Ordering::Relaxed);
        let text = metrics.exposition();
        for line in [
            "vaglio_lookups_total{status=\"late\"} 1",
            "vaglio_decisions_total{verdict=\"suppress\",reason=\"excluded\"} 5",
            "vaglio_requests_total{door=\"b\",code=\"ok\"} 2",
            "vaglio_request_duration_seconds_bucket{le=\"0.000005\",door=\"b\"} 0",
            "vaglio_request_duration_seconds_bucket{le=\"0.00001\",door=\"b\"} 1",
            "vaglio_request_duration_seconds_bucket{le=\"+Inf\",door=\"b\"} 2",
            "vaglio_request_duration_seconds_count{door=\"b\"} 2",
            "vaglio_privacy_denials_total{reason=\"coppa\"} 0",
            "vaglio_privacy_denials_total{reason=\"gpc\"} 1",
            "vaglio_caller_lookups_total{caller=\"dsp\",status=\"late\"} 2",
            "vaglio_identifiers_total{caller=\"dsp\",source=\"other\",outcome=\"known\"} 1",
            "vaglio_generation 42",
            "vaglio_shed_total{door=\"b\",reason=\"in_flight\"} 1",
            "vaglio_shed_total{door=\"b\",reason=\"queue\"} 0",
            "vaglio_late_total{door=\"a\"} 0",
            "vaglio_late_total{door=\"b\"} 1",
            "vaglio_in_flight 3",
            "vaglio_queue_lateness_seconds 0.0015",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
