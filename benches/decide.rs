//! Deciding for a user in 44 of 2,000 audiences, over 1,000 and 10,000 active campaigns that name five audiences each.
//!
//! Then the same with a cap, a gap, a group of ten or pressure on every campaign, for a person to whom 0, 20 or 200 messages were
//! shown.
//!
//! `cargo bench --bench decide`

use criterion::{Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use vaglio::audiences::catalogue::{
    Audience, AudienceKind, Campaign, Cap, Catalogue, Exclude, Fallback, Group, Pressure, Status as Speaking,
};
use vaglio::decide::{CampaignIndex, Decisions, Past, Status};
use vaglio::overlay::Exposures;
use vaglio::schema::{AudienceId, Span, Timestamp};
use vaglio::snapshot::Caps;

/// Nothing was shown before the cut.
const NO_CAPS: Option<&Caps<Vec<u8>>> = None;
const AUDIENCES: u32 = 2_000;

fn audience(number: u32) -> Audience {
    Audience {
        id: AudienceId::new("acme", &format!("a{number:05}")),
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

fn campaign(number: usize, rng: &mut ChaCha8Rng) -> Campaign {
    let mut some = |n: usize| (0..n).map(|_| audience(rng.random_range(0..AUDIENCES)).id).collect::<Vec<_>>();
    let (include, exclude) = (some(3), some(2));
    Campaign {
        id: AudienceId::new("acme", &format!("c{number:05}")),
        name: None,
        status: Speaking::Active,
        flight: None,
        deals: Vec::new(),
        refs: Vec::new(),
        include,
        exclude: exclude.into_iter().map(|audience| Exclude { audience, hard: false }).collect(),
        no_profile: Fallback::Suppress,
        on_failure: Fallback::Suppress,
        caps: Vec::new(),
        min_gap: None,
        priority: 0,
        group: None,
    }
}

fn decide(c: &mut Criterion) {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    for campaigns in [1_000, 10_000] {
        let catalogue = Catalogue {
            audiences: (0..AUDIENCES).map(audience).collect(),
            campaigns: (0..campaigns).map(|number| campaign(number, rng)).collect(),
            ..Catalogue::default()
        };
        let index = CampaignIndex::new(&catalogue);
        let mut users: Vec<Vec<u32>> =
            (0..1_024).map(|_| (0..44).map(|_| rng.random_range(0..AUDIENCES)).collect()).collect();
        users.iter_mut().for_each(|user| user.sort_unstable());
        let (mut decisions, mut at) = (Decisions::default(), 0);
        c.bench_function(&format!("decide/{campaigns}_campaigns"), |b| {
            b.iter(|| {
                at = (at + 1) % users.len();
                index.decide(Status::Matched, &users[at], &users[at], Timestamp(0), &mut decisions);
                black_box(decisions.all.last().copied())
            });
        });
    }
}

fn limited(number: usize, rng: &mut ChaCha8Rng) -> Campaign {
    Campaign {
        caps: vec![Cap { impressions: 3, per: Some(Span(86_400)) }, Cap { impressions: 10, per: None }],
        min_gap: Some(Span(1_200)),
        group: Some(format!("acme/g{:04}", number / 10)),
        priority: rng.random_range(0..5),
        ..campaign(number, rng)
    }
}

fn limits(c: &mut Criterion) {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let now = Timestamp(1_700_000_000);
    for campaigns in [1_000, 10_000] {
        let group = |number: usize| Group {
            id: AudienceId::new("acme", &format!("g{number:04}")),
            at_most: 3,
            per: Span(86_400),
        };
        let catalogue = Catalogue {
            audiences: (0..AUDIENCES).map(audience).collect(),
            campaigns: (0..campaigns).map(|number| limited(number, rng)).collect(),
            groups: (0..campaigns / 10).map(group).collect(),
            pressure: vec![Pressure { owner: "acme".to_owned(), messages: 500, per: Span(7 * 86_400) }],
        };
        let index = CampaignIndex::new(&catalogue);
        let users: Vec<Vec<u32>> = (0..1_024)
            .map(|_| {
                let mut user: Vec<u32> = (0..44).map(|_| rng.random_range(0..AUDIENCES)).collect();
                user.sort_unstable();
                user
            })
            .collect();
        for shown in [0, 20, 200] {
            let memory = catalogue.memory(now).into_iter().map(|memory| memory.keep);
            let since = Exposures::new(catalogue.campaigns.iter().map(|it| it.id.as_str()).zip(memory), users.len());
            for user in 0..users.len() as u32 {
                for _ in 0..shown {
                    let campaign = &catalogue.campaigns[rng.random_range(0..campaigns)];
                    since.record(user, campaign.id.as_str(), Timestamp(now.0 - rng.random_range(0..400_000)));
                }
            }
            let (mut decisions, mut at) = (Decisions::default(), 0);
            c.bench_function(&format!("decide/{campaigns}_campaigns_with_limits/{shown}_shown"), |b| {
                b.iter(|| {
                    at = (at + 1) % users.len();
                    index.decide(Status::Matched, &users[at], &users[at], now, &mut decisions);
                    let past = Past::Known { matched: &[at as u32], before: NO_CAPS, since: &since };
                    index.limit(&past, now, |_| true, &mut decisions);
                    black_box(decisions.all.last().copied())
                });
            });
        }
    }
}

criterion_group!(benches, decide, limits);
criterion_main!(benches);
