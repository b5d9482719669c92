//! Many questions at once: those with one identifier are looked up together, so that their waits for memory overlap.

use super::Doors;
use super::ask::{Ask, Before, LOOKUP, look_into, refused_or, remember, status_of};
use super::call::{Call, Party};
use super::ids::Eid;
use super::live::Scratch;
use crate::decide::Status;
use crate::lookup::Answer;
use crate::schema::Timestamp;
use crate::wire::Failure;

/// Where the answer to a question of a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There is none but this status.
    Nowhere(Status),
    /// In `scratch.answers`, at this position.
    At(u32),
}

impl Doors {
    /// Looks all of them up on one generation; [`Doors::result_of`] tells what became of each.
    pub(super) fn lookup_many<'a, I: ExactSizeIterator<Item = Eid<'a>>>(
        &self,
        asks: impl ExactSizeIterator<Item = Ask<'a, I>>,
        call: &Call<'_>,
        party: Party<'_>,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<(), Failure> {
        let count = asks.len();
        if scratch.answers.len() < count {
            scratch.answers.resize_with(count, Default::default);
        }
        scratch.places.clear();
        scratch.batch.clear();
        scratch.batch_sources.clear();
        // Single keys fill the answers from the front, in one batch at the end; the others from the back, at once.
        let mut back = count;
        for ask in asks {
            let place = match (self.before(ask, LOOKUP, call, party, scratch)?, party.served) {
                (Before::Look, Some(_)) if scratch.keys.len() == 1 => {
                    scratch.batch.push(scratch.keys[0]);
                    scratch.batch_sources.push(scratch.ranked[0].source);
                    Place::At(scratch.batch.len() as u32 - 1)
                }
                (Before::Look, Some(served)) => {
                    back -= 1;
                    look_into(served, &scratch.keys, now, &mut scratch.answers[back]);
                    scratch.count_identifiers(scratch.answers[back].known);
                    Place::At(back as u32)
                }
                (Before::UnlessRefused(Status::NoConsent), Some(served)) => {
                    let looked_up = look_into(served, &scratch.keys, now, &mut scratch.answer);
                    Place::Nowhere(refused_or(Status::NoConsent, looked_up))
                }
                (Before::Look, None) => Place::Nowhere(Status::NotReady),
                (Before::Answer(status) | Before::UnlessRefused(status), _) => Place::Nowhere(status),
            };
            scratch.places.push(place);
        }
        if let Some(served) = party.served {
            let answers = &mut scratch.answers[..scratch.batch.len()];
            served.answering.snapshot.lookup_batch(&scratch.batch, now, &served.overlay, answers);
        }
        for place in &scratch.places {
            let (status, _) = Self::result_of(*place, &scratch.answers);
            self.metrics.lookup(status as usize);
            scratch.count_lookup(call.door, status);
            if let Place::At(at) = *place {
                remember(party, status, false, now, &scratch.answers[at as usize]);
            }
        }
        if let Some(tally) = scratch.tallies.tally() {
            let looked_up = scratch.batch_sources.iter().zip(&scratch.answers);
            looked_up.for_each(|(&source, answer)| tally.identifier(source, answer.known != 0));
        }
        Ok(())
    }

    /// The status of a question, and the audiences of the profile, of both kinds.
    pub(super) fn result_of(place: Place, answers: &[Answer]) -> (Status, &[u32]) {
        match place {
            Place::Nowhere(status) => (status, &[]),
            Place::At(at) => {
                let answer = &answers[at as usize];
                (status_of(answer.outcome), &answer.audiences)
            }
        }
    }
}
