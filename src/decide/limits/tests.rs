//! Limits against what the definitions say, one campaign at a time; and against a past of which no more is kept than
//! [`Catalogue::memory`] asks for.

use super::*;
use crate::audiences::Campaign;
use crate::audiences::catalogue::{Cap, Fallback, Flight, Group, Pressure, Status as Speaking};
use crate::decide::{CampaignIndex, Status};
use crate::schema::{AudienceId, Span};
use crate::snapshot::caps::{Impression, write_caps};
use proptest::prelude::*;

/// Nobody's generation.
const NONE: Option<&Caps<Vec<u8>>> = None;

fn campaign(owner: &str, number: usize) -> Campaign {
    Campaign {
        id: AudienceId::new(owner, &format!("c{number:02}")),
        no_profile: Fallback::Target,
        ..crate::decide::tests::campaign(0)
    }
}

fn any_campaign() -> impl Strategy<Value = Campaign> {
    let cap =
        (1u32..4, prop::option::of(1i64..60)).prop_map(|(impressions, per)| Cap { impressions, per: per.map(Span) });
    let speaking = prop_oneof![5 => Just(Speaking::Active), 1 => Just(Speaking::Paused)];
    let group = prop::option::of(prop_oneof![Just("o/g"), Just("o/h"), Just("p/g")]);
    let flight = prop::option::of(0i64..100);
    (speaking, flight, prop::collection::vec(cap, 0..3), prop::option::of(1i64..30), 0i32..3, group, any::<bool>())
        .prop_map(|(status, from, caps, gap, priority, group, everybody)| Campaign {
            status,
            flight: from.map(|from| Flight { from: Some(Timestamp(from)), to: None }),
            include: if everybody { Vec::new() } else { vec![AudienceId::new("o", "a000")] },
            caps,
            min_gap: gap.map(Span),
            priority,
            group: group.map(str::to_owned),
            ..campaign("o", 0)
        })
}

fn any_catalogue() -> impl Strategy<Value = Catalogue> {
    let span = || (1i64..80).prop_map(Span);
    let group = |id: &'static str| {
        (1u32..4, span()).prop_map(move |(at_most, per)| {
            let (owner, name) = id.split_once('/').unwrap();
            Group { id: AudienceId::new(owner, name), at_most, per }
        })
    };
    let pressure = |owner: &'static str| {
        prop::collection::vec((1u32..6, span()), 0..3).prop_map(move |all| {
            all.into_iter()
                .map(|(messages, per)| Pressure { owner: owner.to_owned(), messages, per })
                .collect::<Vec<_>>()
        })
    };
    let groups = (group("o/g"), group("o/h"), group("p/g"));
    (prop::collection::vec(any_campaign(), 0..9), 0usize..9, groups, pressure("o"), pressure("q")).prop_map(
        |(mut campaigns, split, (g, h, other), mut pressure, more)| {
            for (number, campaign) in campaigns.iter_mut().enumerate() {
                let owner = if number < split { "o" } else { "q" };
                campaign.id = AudienceId::new(owner, &format!("c{number:02}"));
            }
            pressure.extend(more);
            Catalogue { groups: vec![g, h, other], pressure, ..crate::decide::tests::catalogue(1, campaigns) }
        },
    )
}

/// (profile, campaign, time)
type Shown = (u32, u32, i64);

/// What one profile's past makes of a campaign.
fn silenced(catalogue: &Catalogue, at: usize, shown: &[Shown], profile: u32, now: i64) -> Option<&'static str> {
    let campaign = &catalogue.campaigns[at];
    let count = |whose: &dyn Fn(&Campaign) -> bool, after: i64| {
        let of = |it: &&Shown| it.0 == profile && it.2 > after && whose(&catalogue.campaigns[it.1 as usize]);
        shown.iter().filter(of).count() as u32
    };
    let mine = |other: &Campaign| other.id == campaign.id;
    let begins = campaign.flight.and_then(|it| it.from).map_or(i64::MIN, |from| from.0 - 1);
    let capped =
        campaign.caps.iter().any(|cap| count(&mine, cap.per.map_or(begins, |per| now - per.0)) >= cap.impressions);
    let gap = campaign.min_gap.is_some_and(|gap| count(&mine, now - gap.0) >= 1);
    let group = catalogue.groups.iter().find(|it| campaign.group.as_deref() == Some(it.id.as_str()));
    let group = group.is_some_and(|it| count(&|other| other.group == campaign.group, now - it.per.0) >= it.at_most);
    let mut pressure = catalogue.pressure.iter().filter(|it| it.owner == campaign.id.owner());
    if capped || gap || group {
        return Some("capped");
    }
    let owner = campaign.id.owner();
    let is_full = |it: &Pressure| count(&|other| other.id.owner() == owner, now - it.per.0) >= it.messages;
    pressure.any(is_full).then_some("pressure")
}

/// The oracle: every campaign by itself, then every group.
fn naive(
    catalogue: &Catalogue,
    before: &[Decision],
    shown: &[Shown],
    matched: &[u32],
    now: i64,
    candidates: &[bool],
) -> Vec<(Verdict, &'static str)> {
    let mut all: Vec<(Verdict, &'static str)> = before
        .iter()
        .enumerate()
        .map(|(at, decision)| {
            let reasons = matched.iter().filter_map(|&profile| silenced(catalogue, at, shown, profile, now));
            match (decision.verdict(), reasons.min()) {
                (Verdict::Target, Some(reason)) => (Verdict::Suppress, reason),
                (verdict, _) => (verdict, decision.reason()),
            }
        })
        .collect();
    let speaks = all.clone();
    for (at, campaign) in catalogue.campaigns.iter().enumerate() {
        let voice = |at: usize| speaks[at].0 == Verdict::Target && candidates[at];
        let beaten_by = |other: usize| {
            let rival = &catalogue.campaigns[other];
            let first = (-rival.priority, &rival.id) < (-campaign.priority, &campaign.id);
            voice(other) && rival.group == campaign.group && first
        };
        if campaign.group.is_some() && voice(at) && (0..all.len()).any(beaten_by) {
            all[at] = (Verdict::Suppress, "outranked");
        }
    }
    all
}

/// No more than has to be kept at `now`, as a generation keeps it.
fn kept(catalogue: &Catalogue, shown: &[Shown], now: i64) -> Vec<Impression> {
    let memory = catalogue.memory(Timestamp(now));
    let mut kept: Vec<Impression> = Vec::new();
    let mut sorted = shown.to_vec();
    sorted.sort_unstable();
    for &(ordinal, campaign, time) in sorted.iter().rev() {
        let same = kept.iter().filter(|it| (it.ordinal, it.campaign) == (ordinal, campaign)).count();
        let memory = memory[campaign as usize];
        if time > memory.after.0 && same < usize::from(memory.keep) {
            kept.push(Impression { ordinal, campaign, time });
        }
    }
    kept.reverse();
    kept
}

proptest! {
    #[test]
    fn limits_say_what_the_definitions_say(
        catalogue in any_catalogue(),
        shown in prop::collection::vec((0u32..3, any::<prop::sample::Index>(), 0i64..100), 0..40),
        cut in 0i64..100,
        questions in prop::collection::vec(
            (prop::collection::btree_set(0u32..3, 0..3), 0i64..60, prop::collection::vec(any::<bool>(), 9), any::<bool>()), 1..8),
    ) {
        let campaigns = catalogue.campaigns.len();
        let shown: Vec<Shown> = if campaigns == 0 { Vec::new() } else {
            shown.into_iter().map(|(who, of, time)| (who, of.index(campaigns) as u32, time)).collect()
        };
        let index = CampaignIndex::new(&catalogue);
        let (old, new): (Vec<Shown>, Vec<Shown>) = shown.iter().partition(|it| it.2 < cut);
        let mut bytes = Vec::new();
        write_caps(&mut bytes, &kept(&catalogue, &old, cut)).unwrap();
        let before = Caps::open(bytes).unwrap();
        let memory = catalogue.memory(Timestamp(cut));
        let since = Exposures::new(catalogue.campaigns.iter().map(|it| it.id.as_str()).zip(memory.iter().map(|it| it.keep)), 9);
        for &(profile, campaign, time) in &new {
            since.record(profile, catalogue.campaigns[campaign as usize].id.as_str(), Timestamp(time));
        }
        let mut out = Decisions::default();
        for (matched, later, candidates, is_known) in questions {
            let (matched, now) = (matched.into_iter().collect::<Vec<u32>>(), cut + later);
            let status = if is_known { Status::Matched } else { Status::NoProfile };
            index.decide(status, &[0], &[0], Timestamp(now), &mut out);
            let expected = naive(&catalogue, &out.all, &shown, &matched, now, &candidates);
            let past = Past::Known { matched: &matched, before: Some(&before), since: &since };
            index.limit(&past, Timestamp(now), |campaign| candidates[campaign as usize], &mut out);
            let said: Vec<_> = out.all.iter().map(|it| (it.verdict(), it.reason())).collect();
            prop_assert_eq!(said, expected);
        }
    }
}

#[test]
fn a_window_ends_to_the_second() {
    let capped = Campaign { caps: vec![Cap { impressions: 2, per: Some(Span(100)) }], ..campaign("o", 0) };
    let gap = Campaign { min_gap: Some(Span(10)), ..campaign("o", 1) };
    let catalogue = crate::decide::tests::catalogue(0, vec![capped, gap]);
    let index = CampaignIndex::new(&catalogue);
    let since = Exposures::new([("o/c00", 2), ("o/c01", 1)], 9);
    for (id, at) in [("o/c00", 0), ("o/c00", 50), ("o/c01", 50)] {
        assert!(since.record(7, id, Timestamp(at)));
    }
    let mut out = Decisions::default();
    for (now, expected) in [
        (50, [Decision::Capped, Decision::Capped]),
        (59, [Decision::Capped, Decision::Capped]),
        (60, [Decision::Capped, Decision::Target]),
        (99, [Decision::Capped, Decision::Target]),
        (100, [Decision::Target, Decision::Target]),
    ] {
        index.decide(Status::Matched, &[], &[], Timestamp(now), &mut out);
        index.limit(&Past::Known { matched: &[3, 7], before: NONE, since: &since }, Timestamp(now), |_| true, &mut out);
        assert_eq!(out.all, expected, "at {now}");
    }
}

#[test]
fn what_is_not_known_or_not_permitted_is_not_spoken_on() {
    let capped = Campaign { caps: vec![Cap { impressions: 9, per: None }], ..campaign("o", 0) };
    let paused = Campaign { status: Speaking::Paused, ..capped.clone() };
    let paused = Campaign { id: AudienceId::new("o", "c02"), ..paused };
    let grouped = Campaign { group: Some("o/g".to_owned()), ..campaign("o", 3) };
    let mut catalogue = crate::decide::tests::catalogue(0, vec![capped, campaign("o", 1), paused, grouped]);
    catalogue.groups = vec![Group { id: AudienceId::new("o", "g"), at_most: 1, per: Span(60) }];
    let index = CampaignIndex::new(&catalogue);
    let mut out = Decisions::default();
    for (past, doubt) in [(Past::<Vec<u8>>::Behind, Decision::CapsUnknown), (Past::NotPermitted, Decision::NoConsent)] {
        index.decide(Status::Matched, &[], &[], Timestamp(0), &mut out);
        index.limit(&past, Timestamp(0), |_| true, &mut out);
        assert_eq!(out.all, [doubt, Decision::Target, Decision::Paused, doubt]);
        assert_eq!(doubt.verdict(), Verdict::Unknown);
    }
    catalogue.pressure = vec![Pressure { owner: "o".to_owned(), messages: 1, per: Span(60) }];
    let index = CampaignIndex::new(&catalogue);
    index.decide(Status::Matched, &[], &[], Timestamp(0), &mut out);
    index.limit(&Past::<Vec<u8>>::Behind, Timestamp(0), |_| true, &mut out);
    assert_eq!(out.all[1], Decision::CapsUnknown, "pressure is a limit of every campaign");
}
