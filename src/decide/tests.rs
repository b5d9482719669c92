//! The index against a plain double loop over campaigns and audiences.

use super::*;
use crate::audiences::catalogue::{
    Audience, AudienceKind, Campaign, Catalogue, Exclude, Fallback, Flight, Status as Speaking,
};
use crate::schema::{AudienceId, Timestamp};
use proptest::prelude::*;

fn audience(number: u32) -> Audience {
    Audience {
        id: AudienceId::new("o", &format!("a{number:03}")),
        name: String::new(),
        kind: AudienceKind::Target,
        rule: None,
        ttl: None,
        segment: None,
        folder: None,
        tags: Vec::new(),
        description: None,
        share: Default::default(),
        floor: None,
        valid_from: None,
        valid_to: None,
    }
}

pub(super) fn campaign(number: usize) -> Campaign {
    Campaign {
        id: AudienceId::new("o", &format!("c{number:03}")),
        name: None,
        status: Speaking::Active,
        flight: None,
        deals: Vec::new(),
        refs: Vec::new(),
        include: Vec::new(),
        exclude: Vec::new(),
        no_profile: Fallback::Suppress,
        on_failure: Fallback::Suppress,
        caps: Vec::new(),
        min_gap: None,
        priority: 0,
        group: None,
    }
}

pub(super) fn catalogue(audiences: u32, campaigns: Vec<Campaign>) -> Catalogue {
    Catalogue { audiences: (0..audiences).map(audience).collect(), campaigns, ..Catalogue::default() }
}

fn id(number: u32) -> AudienceId {
    audience(number).id
}

/// The oracle: what one campaign says, read off the definition.
fn naive(
    catalogue: &Catalogue,
    campaign: &Campaign,
    status: Status,
    first: &[u32],
    any: &[u32],
    now: Timestamp,
) -> (Verdict, &'static str) {
    let is_in = |id: &AudienceId, set: &[u32]| set.iter().any(|&number| catalogue.audiences[number as usize].id == *id);
    let flight = campaign.flight.unwrap_or(Flight { from: None, to: None });
    let in_flight = flight.from.is_none_or(|from| from <= now) && flight.to.is_none_or(|to| now < to);
    let unknown = |reason| (Verdict::Unknown, reason);
    if status == Status::Blocked {
        return (Verdict::Suppress, "objected");
    }
    if campaign.status != Speaking::Active || !in_flight {
        return (Verdict::Suppress, "paused");
    }
    match status {
        Status::NoId => unknown("no_id"),
        Status::NoConsent => unknown("no_consent"),
        Status::NotReady => unknown("not_ready"),
        Status::Overloaded => unknown("overloaded"),
        Status::Late => unknown("late"),
        Status::NoProfile => match campaign.no_profile {
            Fallback::Target => (Verdict::Target, "no_profile"),
            Fallback::Suppress => (Verdict::Suppress, "no_profile"),
            Fallback::Unknown => unknown("no_profile"),
        },
        Status::Blocked | Status::Matched => {
            if campaign.exclude.iter().any(|exclude| is_in(&exclude.audience, any)) {
                (Verdict::Suppress, "excluded")
            } else if campaign.include.is_empty() || campaign.include.iter().any(|id| is_in(id, first)) {
                (Verdict::Target, "")
            } else {
                (Verdict::Suppress, "not_in_target")
            }
        }
    }
}

const AUDIENCES: u32 = 12;

fn any_campaign() -> impl Strategy<Value = Campaign> {
    let fallback = prop_oneof![Just(Fallback::Target), Just(Fallback::Suppress), Just(Fallback::Unknown)];
    let speaking = prop_oneof![
        4 => Just(Speaking::Active), 1 => Just(Speaking::Draft),
        1 => Just(Speaking::Paused), 1 => Just(Speaking::Archived)
    ];
    // Audience 12 and 13 do not exist: a reference to nobody.
    let ids = || prop::collection::vec(0..AUDIENCES + 2, 0..4);
    let edge = || prop::option::of((0i64..100).prop_map(Timestamp));
    (speaking, prop::option::of((edge(), edge())), ids(), ids(), fallback.clone(), fallback, any::<bool>()).prop_map(
        |(status, flight, include, exclude, no_profile, on_failure, hard)| Campaign {
            status,
            flight: flight.map(|(from, to)| Flight { from, to }),
            include: include.into_iter().map(id).collect(),
            exclude: exclude.into_iter().map(|number| Exclude { audience: id(number), hard }).collect(),
            no_profile,
            on_failure,
            ..campaign(0)
        },
    )
}

proptest! {
    #[test]
    fn the_index_says_what_the_double_loop_says(
        campaigns in prop::collection::vec(any_campaign(), 0..20),
        questions in prop::collection::vec(
            (0usize..8, prop::collection::btree_set(0..AUDIENCES, 0..6),
             prop::collection::btree_set(0..AUDIENCES, 0..6), -5i64..105), 1..12),
    ) {
        let catalogue = catalogue(AUDIENCES, campaigns);
        let index = CampaignIndex::new(&catalogue);
        let mut decisions = Decisions::default();
        for (status, first, others, now) in questions {
            let (status, now) = (Status::ALL[status], Timestamp(now));
            let any: Vec<u32> = first.union(&others).copied().collect();
            let first: Vec<u32> = first.into_iter().collect();
            index.decide(status, &first, &any, now, &mut decisions);
            prop_assert_eq!(decisions.all.len(), catalogue.campaigns.len());
            for (decision, campaign) in decisions.all.iter().zip(&catalogue.campaigns) {
                let expected = naive(&catalogue, campaign, status, &first, &any, now);
                prop_assert_eq!((decision.verdict(), decision.reason()), expected);
            }
        }
    }
}

#[test]
fn suppression_wins_and_objection_wins_over_all() {
    let both = Campaign {
        include: vec![id(1)],
        exclude: vec![Exclude { audience: id(2), hard: false }],
        no_profile: Fallback::Target,
        ..campaign(0)
    };
    let paused = Campaign { status: Speaking::Paused, no_profile: Fallback::Target, ..campaign(1) };
    let index = CampaignIndex::new(&catalogue(AUDIENCES, vec![both, paused]));
    let mut decisions = Decisions::default();
    let mut decide = |status, first: &[u32], any: &[u32]| {
        index.decide(status, first, any, Timestamp(0), &mut decisions);
        (decisions.all[0], decisions.all[1])
    };
    assert_eq!(decide(Status::Matched, &[1], &[1]), (Decision::Target, Decision::Paused));
    assert_eq!(decide(Status::Matched, &[1], &[1, 2]), (Decision::Excluded, Decision::Paused));
    assert_eq!(decide(Status::Matched, &[3], &[1, 3]), (Decision::NotInTarget, Decision::Paused), "first includes");
    assert_eq!(decide(Status::Blocked, &[1], &[1]), (Decision::Objected, Decision::Objected));
    assert_eq!(decide(Status::NoProfile, &[], &[]), (Decision::NoProfileTarget, Decision::Paused));
    for status in [Status::NoId, Status::NoConsent, Status::NotReady, Status::Overloaded, Status::Late] {
        assert_ne!(decide(status, &[1], &[1]).0.verdict(), Verdict::Target, "{status:?}");
    }
}

#[test]
fn numbers_follow_the_order_of_the_lists() {
    assert!(Status::ALL.iter().enumerate().all(|(at, status)| *status as usize == at));
    assert!(Decision::ALL.iter().enumerate().all(|(at, decision)| *decision as usize == at));
}
