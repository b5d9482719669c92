//! Counts the exposures among what is new in the events log: each once, whatever door it came by and however often it was sent.

use crate::audiences::frequency::CAMPAIGN;
use crate::config::EXPOSURES;
use crate::live::{Applier, Apply};
use crate::log::{Record, Said, Value};
use crate::schema::Offset;
use crate::telemetry::Metrics;
use std::sync::Arc;

/// Applies, then counts.
pub(super) struct Counting {
    pub applier: Applier,
    pub metrics: Arc<Metrics>,
}

impl Apply for Counting {
    fn apply(&mut self, batch: &[(Offset, Vec<u8>)]) {
        self.applier.apply(batch);
        for (_, bytes) in batch {
            let Ok(record) = Record::decode(bytes) else { continue };
            let Said::Event { name, properties } = &record.said else { continue };
            if !EXPOSURES.contains(&&**name) {
                continue;
            }
            let campaign = properties.iter().find(|(property, _)| **property == *CAMPAIGN);
            if let Some((_, Value::Text(campaign))) = campaign {
                self.metrics.exposed.count(campaign, name);
            }
        }
    }
}
