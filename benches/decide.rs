//! Deciding for a user in 44 of 2,000 audiences, over 1,000 and 10,000 active campaigns that name five audiences each.
//!
//! `cargo bench --bench decide`

use criterion::{Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use vaglio::audiences::catalogue::{
    Audience, AudienceKind, Campaign, Catalogue, Exclude, Fallback, Status as Speaking,
};
use vaglio::decide::{CampaignIndex, Decisions, Status};
use vaglio::schema::{AudienceId, Timestamp};

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

criterion_group!(benches, decide);
criterion_main!(benches);
