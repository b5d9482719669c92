//! What is proposed of a bid request: segments to activate, deals to activate or to suppress, as the mutations of an
//! ARTF answer. Who asks and what was found out is settled before ([`super::artf`]).
//!
//! Intent, operation and path are sent whatever their value: older clients refuse a mutation without one of them. There
//! is no way to write an id within a path, so ids stand there as they came, also with a `/`.

use crate::config::Enforcement;
use crate::decide::deals::{Deals, Settled, Voices};
use crate::wire::artf::{Intent, Metadata, Mutation, Operation, RtbRequest, RtbResponse};
use crate::wire::codec::{Encoded, append, embed};
use crate::wire::openrtb::{Deal, Imp};

/// The intents of the answers: what a container's manifest declares.
pub const INTENTS: [Intent; 3] = [Intent::ActivateSegments, Intent::ActivateDeals, Intent::SuppressDeals];
/// The version of ARTF.
pub const API_VERSION: &str = "1.0";
/// Where segments are added.
const SEGMENTS: &str = "/user/data/segment";
/// The field of `RTBResponse` that holds the mutations.
const MUTATIONS: u32 = 2;
/// The field of `Mutation` that holds ids.
const IDS: u32 = 100;
/// The field of `IDsPayload` that holds one.
const ID: u32 = 1;

/// What may be proposed to whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Segments.
    pub segments: bool,
    /// What becomes of deals.
    pub deals: Option<Stance>,
}

/// What is said of deals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    /// Which are not to run: the others do.
    Suppress,
    /// Which are to run: the others sleep.
    Activate,
}

impl Wanted {
    /// What a request leaves open; an empty list leaves everything open.
    pub fn of(message: &RtbRequest, enforcement: Enforcement) -> Self {
        let listed = &message.applicable_intents;
        let applicable = |intent: Intent| listed.is_empty() || listed.contains(&intent.into());
        let (stance, intent) = match enforcement {
            Enforcement::Negative => (Stance::Suppress, Intent::SuppressDeals),
            Enforcement::Positive => (Stance::Activate, Intent::ActivateDeals),
        };
        Wanted { segments: applicable(Intent::ActivateSegments), deals: applicable(intent).then_some(stance) }
    }
}

impl Stance {
    /// Whether a deal on offer is named. Others' deals never are, nor one that other advertisers share or that the bidder
    /// is obliged to serve when it would be suppressed.
    fn names(self, offered: &Deal<'_>, deals: &Deals, voices: Voices<'_>) -> bool {
        let Some(deal) = deals.get(&offered.id) else { return false };
        match self {
            Stance::Suppress => {
                deal.exclusive && !offered.guaranteed && deal.settled(voices) == Some(Settled::Suppress)
            }
            Stance::Activate => deal.settled(voices) == Some(Settled::Target),
        }
    }

    /// What is done to an impression's list of deals. An orchestrator that looked at the operation alone would still not
    /// add a deal that is to be suppressed.
    const fn action(self) -> (Intent, Operation) {
        match self {
            Stance::Suppress => (Intent::SuppressDeals, Operation::Remove),
            Stance::Activate => (Intent::ActivateDeals, Operation::Add),
        }
    }
}

/// An answer in the making.
#[derive(Debug)]
pub(super) struct Proposals {
    answer: Vec<u8>,
    mutation: Vec<u8>,
    ids: Vec<u8>,
}

impl Proposals {
    /// Nothing is proposed yet.
    pub fn new(message: &RtbRequest, generation: u64) -> Self {
        let metadata =
            Metadata { api_version: Some(API_VERSION.to_owned()), model_version: Some(generation.to_string()) };
        let id = Some(message.id().to_owned());
        let mut answer = Vec::with_capacity(512);
        append(&RtbResponse { id, metadata: Some(metadata), mutations: Vec::new() }, &mut answer);
        Proposals { answer, mutation: Vec::new(), ids: Vec::new() }
    }

    /// Proposes segments for the user.
    pub fn segments<'i>(&mut self, ids: impl Iterator<Item = &'i str>) {
        self.propose(Intent::ActivateSegments, Operation::Add, SEGMENTS, ids);
    }

    /// Proposes what becomes of an impression's deals. An impression without an id cannot be named.
    pub fn deals(&mut self, stance: Stance, imp: &Imp<'_>, deals: &Deals, voices: Voices<'_>) {
        let named = imp.deals.iter().filter(|deal| stance.names(deal, deals, voices));
        let mut named = named.map(|deal| &*deal.id).peekable();
        if !imp.id.is_empty() && named.peek().is_some() {
            let (intent, op) = stance.action();
            self.propose(intent, op, &format!("/imp/{}", &*imp.id), named);
        }
    }

    fn propose<'i>(&mut self, intent: Intent, op: Operation, path: &str, ids: impl Iterator<Item = &'i str>) {
        self.ids.clear();
        ids.for_each(|id| embed(ID, id.as_bytes(), &mut self.ids));
        if self.ids.is_empty() {
            return;
        }
        self.mutation.clear();
        let head =
            Mutation { intent: Some(intent.into()), op: Some(op.into()), path: Some(path.to_owned()), value: None };
        append(&head, &mut self.mutation);
        embed(IDS, &self.ids, &mut self.mutation);
        embed(MUTATIONS, &self.mutation, &mut self.answer);
    }

    /// The answer.
    pub fn done(self) -> Encoded {
        Encoded(self.answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::artf::{IDsPayload, mutation::Value};
    use prost::Message;

    fn decoded(proposals: Proposals) -> RtbResponse {
        RtbResponse::decode(&proposals.done().0[..]).unwrap()
    }

    #[test]
    fn the_pieces_are_what_the_generated_message_encodes() {
        let request = RtbRequest { id: Some("r".to_owned()), ..Default::default() };
        let mut proposals = Proposals::new(&request, 7);
        proposals.segments(["560", "é/ü"].into_iter());
        proposals.segments([].into_iter());
        let ids = vec!["560".to_owned(), "é/ü".to_owned()];
        let mutation = Mutation {
            intent: Some(Intent::ActivateSegments.into()),
            op: Some(Operation::Add.into()),
            path: Some("/user/data/segment".to_owned()),
            value: Some(Value::Ids(IDsPayload { id: ids })),
        };
        let metadata = Metadata { api_version: Some("1.0".to_owned()), model_version: Some("7".to_owned()) };
        let expected = RtbResponse { id: Some("r".to_owned()), mutations: vec![mutation], metadata: Some(metadata) };
        assert_eq!(decoded(proposals), expected);
    }

    #[test]
    fn an_id_that_was_not_sent_comes_back_empty_but_comes_back() {
        let bytes = Proposals::new(&RtbRequest::default(), 0).done().0;
        assert!(bytes.starts_with(&[0x0a, 0x00]), "field 1, length 0: {bytes:?}");
    }

    #[test]
    fn an_intent_that_is_left_out_is_not_wanted() {
        let asked = |intents: &[i32]| RtbRequest { applicable_intents: intents.to_vec(), ..Default::default() };
        let wanted = |intents: &[i32], enforcement| Wanted::of(&asked(intents), enforcement);
        let (negative, positive) = (Enforcement::Negative, Enforcement::Positive);
        assert_eq!(wanted(&[], negative), Wanted { segments: true, deals: Some(Stance::Suppress) });
        assert_eq!(wanted(&[], positive), Wanted { segments: true, deals: Some(Stance::Activate) });
        assert_eq!(wanted(&[1], negative), Wanted { segments: true, deals: None });
        assert_eq!(wanted(&[2], negative), Wanted { segments: false, deals: None });
        assert_eq!(wanted(&[3], negative), Wanted { segments: false, deals: Some(Stance::Suppress) });
        assert_eq!(wanted(&[3], positive), Wanted { segments: false, deals: None });
        assert_eq!(wanted(&[8, 1_000, -1], positive), Wanted { segments: false, deals: None });
    }
}
