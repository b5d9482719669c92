//! Many lookups at once: the memory of 64 is asked for before the first is read, so their waits overlap.

use super::answer::Answer;
use super::serving::Index;
use crate::overlay::Overlay;
use crate::schema::{ProfileKey, Timestamp};
use std::ops::Deref;

/// Lookups whose memory is fetched together: as many as the processor's queues of outstanding loads can use.
pub const BLOCK: usize = 64;

impl<B: Deref<Target = [u8]>> Index<B> {
    /// See [`lookup_batch`](super::ServingSnapshot::lookup_batch).
    pub fn lookup_batch(&self, keys: &[ProfileKey], now: Timestamp, overlay: &Overlay, answers: &mut [Answer]) {
        let count = keys.len().min(answers.len());
        let (keys, answers) = (&keys[..count], &mut answers[..count]);
        let overlay = (!overlay.is_quiet()).then_some(overlay);
        for (keys, answers) in keys.chunks(BLOCK).zip(answers.chunks_mut(BLOCK)) {
            self.lookup_block(keys, now, overlay, answers);
        }
    }

    /// Three rounds over a block, each asking for the memory of the next: buckets, groups of records, records.
    fn lookup_block(&self, keys: &[ProfileKey], now: Timestamp, overlay: Option<&Overlay>, answers: &mut [Answer]) {
        keys.iter().for_each(|key| self.identities.prefetch(*key));
        for (key, answer) in keys.iter().zip(answers.iter_mut()) {
            answer.clear();
            answer.known = self.identify(*key, now, overlay, answer).into();
            answer.matched().iter().for_each(|ordinal| self.forward.prefetch_group(*ordinal));
        }
        let mut records = [const { None }; BLOCK];
        for (answer, record) in answers.iter().zip(&mut records) {
            *record = answer.ordinals.first().and_then(|ordinal| self.forward.locate(*ordinal));
            if let Some(record) = record {
                self.forward.prefetch_record(record);
            }
        }
        for (answer, record) in answers.iter_mut().zip(records) {
            let Some(&ordinal) = answer.ordinals.first() else { continue };
            answer.profiles = 1;
            let profile = self.read_profile(record, ordinal, now, overlay, &mut answer.audiences);
            answer.raise_by(profile);
            answer.excluded_by.extend_from_slice(&answer.audiences);
            answer.settle();
        }
    }
}
