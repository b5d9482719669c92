//! What is counted of the overlay: what came since the generation in service, and what of it waits for the next.

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// As of the last look at it.
#[derive(Debug, Default)]
pub struct Overlay {
    /// Profiles whose audiences differ from the generation's, strangers included.
    pub changed: AtomicU64,
    /// People whom the generation does not know.
    pub strangers: AtomicU64,
    /// Bytes of memory.
    pub bytes: AtomicU64,
    /// Profiles of whom facts are kept.
    pub profiles: AtomicU64,
    /// Records since the generation's cut that were applied.
    pub records: AtomicU64,
    /// Records that this version cannot read.
    pub unreadable: AtomicU64,
    /// What waits for the next index: links, what found no room, what names nobody that occurs in a bid.
    pub waiting: [AtomicU64; 3],
    /// Whether what was acknowledged is applied later than it should be: 0 or 1.
    pub behind: AtomicU64,
}

/// Why something waits, in the order of [`Overlay::waiting`].
const WAITING: [&str; 3] = ["link", "no_room", "unreachable"];

impl Overlay {
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed) as i64;
        for (name, help, value) in [
            ("vaglio_overlay_changed", "Profiles whose audiences differ from the generation's", &self.changed),
            ("vaglio_overlay_strangers", "People whom the generation does not know", &self.strangers),
            ("vaglio_overlay_bytes", "Memory of what came since the generation", &self.bytes),
            ("vaglio_live_profiles", "Profiles of whom facts are kept since the generation", &self.profiles),
            ("vaglio_live_records", "Records applied since the generation's cut", &self.records),
            ("vaglio_live_unreadable", "Records since the generation's cut that cannot be read", &self.unreadable),
            ("vaglio_live_is_behind", "Whether events are applied later than ingest.behind_seconds", &self.behind),
        ] {
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&load(value))?;
        }
        let help = "What waits for the next index, by why";
        let mut family = encoder.encode_descriptor("vaglio_live_waiting", help, None, MetricType::Gauge)?;
        for (why, value) in WAITING.iter().zip(&self.waiting) {
            family.encode_family(&[("why", *why)])?.encode_gauge(&load(value))?;
        }
        Ok(())
    }
}
