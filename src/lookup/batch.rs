//! Many lookups at once: the memory of 64 is asked for before the first is read, so their waits overlap.

use super::answer::{Answer, Outcome};
use super::serving::Index;
use crate::schema::{ProfileKey, Timestamp};
use std::ops::{Deref, Range};

/// Lookups whose memory is fetched together: as many as the processor's queues of outstanding loads can use.
pub const BLOCK: usize = 64;

impl<B: Deref<Target = [u8]>> Index<B> {
    /// See [`lookup_batch`](super::ServingSnapshot::lookup_batch).
    pub fn lookup_batch(&self, keys: &[ProfileKey], now: Timestamp, answers: &mut [Answer]) {
        let count = keys.len().min(answers.len());
        let (keys, answers) = (&keys[..count], &mut answers[..count]);
        for (keys, answers) in keys.chunks(BLOCK).zip(answers.chunks_mut(BLOCK)) {
            self.lookup_block(keys, now, answers);
        }
    }

    /// Three rounds over a block, each asking for the memory of the next: buckets, groups of records, records.
    fn lookup_block(&self, keys: &[ProfileKey], now: Timestamp, answers: &mut [Answer]) {
        keys.iter().for_each(|key| self.identities.prefetch(*key));
        for (key, answer) in keys.iter().zip(answers.iter_mut()) {
            answer.clear();
            match self.find(*key) {
                Some(value) => {
                    answer.known = 1;
                    self.note(value, answer);
                }
                None => answer.raise(Outcome::NoProfile),
            }
        }
        let mut records = [const { None }; BLOCK];
        for (answer, record) in answers.iter().zip(&mut records) {
            *record = answer.ordinals.first().and_then(|ordinal| self.forward.locate(*ordinal));
            if let Some(record) = record {
                self.forward.prefetch_record(record);
            }
        }
        for (answer, record) in answers.iter_mut().zip(records) {
            self.read_located(record, now, answer);
        }
    }

    fn read_located(&self, record: Option<Range<usize>>, now: Timestamp, answer: &mut Answer) {
        let Some(&ordinal) = answer.ordinals.first() else { return };
        answer.profiles = 1;
        let profile = match record {
            Some(record) => self.forward.read_at(record, &mut answer.audiences),
            None => crate::snapshot::forward::flags::UNREADABLE,
        };
        answer.raise_by(profile);
        self.apply_flips(profile, ordinal, now, &mut answer.audiences);
        answer.excluded_by.extend_from_slice(&answer.audiences);
        answer.settle();
    }
}
