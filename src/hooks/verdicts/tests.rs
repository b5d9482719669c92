//! Against a count of every verdict as it was said: random campaigns, callers, users and limits, over swaps, flights that begin
//! and end, and workers.

use super::*;
use crate::audiences::Catalogue;
use crate::audiences::catalogue::{Cap, Exclude, Fallback, Flight, Status as Speaking};
use crate::decide::Past;
use crate::overlay::Exposures;
use crate::snapshot::Caps;
use proptest::prelude::*;
use serde_json::json;

const AUDIENCES: u32 = 5;
const CALLERS: usize = 3;
const WORKERS: usize = 3;
const NO_CAPS: Option<&Caps<Vec<u8>>> = None;

/// What a campaign is made of: audiences included and excluded, flight, what it says without a profile, cap, group.
type Made = (Vec<u32>, Vec<u32>, (Option<i64>, Option<i64>), u8, Option<u32>, bool, bool);

fn campaign(number: usize, made: &Made) -> crate::audiences::Campaign {
    let (include, exclude, (from, to), fallback, cap, grouped, active) = made;
    let id = |at: &u32| format!("o/a{at}");
    let mut made: crate::audiences::Campaign = serde_json::from_value(json!({
        "id": format!("o/c{number:03}"), "name": null, "status": "active", "flight": null, "deals": [], "refs": [],
        "include": include.iter().map(id).collect::<Vec<_>>(), "exclude": [], "no_profile": "target",
        "on_failure": "suppress", "caps": [], "min_gap": null, "priority": number as i32 % 3, "group": null,
    }))
    .unwrap();
    made.exclude = exclude
        .iter()
        .map(|at| Exclude { audience: crate::schema::AudienceId::new("o", &format!("a{at}")), hard: true })
        .collect();
    made.flight = Some(Flight { from: from.map(Timestamp), to: to.map(Timestamp) });
    made.no_profile = [Fallback::Target, Fallback::Suppress, Fallback::Unknown][*fallback as usize % 3];
    made.caps = cap.iter().map(|&impressions| Cap { impressions, per: None }).collect();
    made.group = grouped.then(|| "o/g".to_owned());
    made.status = if *active { Speaking::Active } else { Speaking::Paused };
    made
}

fn catalogue(made: &[Made]) -> Catalogue {
    let audience = |at: u32| {
        serde_json::from_value(json!({
            "id": format!("o/a{at}"), "name": "", "kind": "target", "rule": null, "ttl": null, "segment": null,
            "folder": null, "tags": [], "description": null,
        }))
        .unwrap()
    };
    Catalogue {
        audiences: (0..AUDIENCES).map(audience).collect(),
        campaigns: made.iter().enumerate().map(|(number, made)| campaign(number, made)).collect(),
        ..Catalogue::default()
    }
}

/// A generation and what its callers may know.
struct Served {
    catalogue: Catalogue,
    campaigns: Arc<CampaignIndex>,
    told: Vec<Arc<[bool]>>,
    counted: Arc<Counted>,
    shown: Exposures,
}

fn served(made: &[Made], told: &[bool]) -> Served {
    let catalogue = catalogue(made);
    let campaigns = Arc::new(CampaignIndex::new(&catalogue));
    let told: Vec<Arc<[bool]>> = (0..CALLERS)
        .map(|caller| (0..made.len()).map(|at| told[(at * CALLERS + caller) % told.len()]).collect())
        .collect();
    let ids = catalogue.campaigns.iter().map(|campaign| campaign.id.as_str());
    let counted = Arc::new(Counted::new(Arc::clone(&campaigns), ids, told.clone()));
    let shown = Exposures::new(catalogue.campaigns.iter().map(|campaign| (campaign.id.as_str(), 5)), 10);
    for campaign in catalogue.campaigns.iter().step_by(2) {
        shown.record(0, campaign.id.as_str(), Timestamp(1));
    }
    Served { catalogue, campaigns, told, counted, shown }
}

#[derive(Debug, Clone)]
enum Step {
    Ask { caller: usize, worker: usize, status: usize, audiences: Vec<u32>, asked: Option<Vec<usize>>, past: u8 },
    Later(i64),
    Take,
    Swap(Vec<Made>, Vec<bool>),
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    let some = || prop::collection::vec(0..AUDIENCES, 0..3);
    let edge = || prop_oneof![2 => Just(None), 1 => (0i64..40).prop_map(Some)];
    let one =
        (some(), some(), (edge(), edge()), 0u8..3, prop::option::of(1u32..3), any::<bool>(), prop::bool::weighted(0.9));
    // More than a block, and not a multiple of it.
    prop_oneof![prop::collection::vec(one.clone(), 0..6), prop::collection::vec(one, 60..140)]
}

fn step() -> impl Strategy<Value = Step> {
    let audiences = prop::collection::btree_set(0..AUDIENCES, 0..3).prop_map(|set| set.into_iter().collect());
    let asked = prop_oneof![4 => Just(None), 1 => prop::collection::vec(0usize..150, 0..4).prop_map(Some)];
    let ask = (0..CALLERS, 0..WORKERS, prop_oneof![3 => Just(0usize), 1 => 0..STATUSES], audiences, asked, 0u8..4);
    let told = prop::collection::vec(prop::bool::weighted(0.7), 1..20);
    prop_oneof![
        30 => ask.prop_map(|(caller, worker, status, audiences, asked, past)| Step::Ask { caller, worker, status, audiences, asked, past }),
        3 => (1i64..10).prop_map(Step::Later),
        3 => Just(Step::Take),
        1 => (made(), told).prop_map(|(made, told)| Step::Swap(made, told)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn every_count_is_exact(first in made(), told in prop::collection::vec(any::<bool>(), 1..9), steps in prop::collection::vec(step(), 1..80)) {
        let mut now = Timestamp(0);
        let mut generation = served(&first, &told);
        let mut workers: Vec<Sheets> = (0..WORKERS).map(|_| Sheets::default()).collect();
        let mut said = Decisions::default();
        let (mut counted, mut naive): (BTreeMap<_, i64>, BTreeMap<_, i64>) = Default::default();
        let mut clear: Vec<Sheet> = Vec::new();
        for step in steps.into_iter().chain([Step::Take]) {
            match step {
                Step::Later(seconds) => now.0 += seconds,
                Step::Swap(made, told) => generation = served(&made, &told),
                Step::Take => {
                    let mut sheets: Vec<Sheet> = workers.iter_mut().flat_map(|worker| worker.take(clear.pop())).collect();
                    total(&mut sheets, &mut counted);
                    clear = sheets;
                }
                Step::Ask { caller, worker, status, audiences, asked, past } => {
                    let Served { catalogue, campaigns, told, counted, shown } = &generation;
                    let status = Status::ALL[status];
                    campaigns.decide(status, &audiences, &audiences, now, &mut said);
                    let past = match past {
                        0 => Past::Behind,
                        1 => Past::NotPermitted,
                        _ => Past::Known { matched: &[0], before: NO_CAPS, since: shown },
                    };
                    campaigns.limit(&past, now, |campaign| campaign % 3 != 0, &mut said);
                    let asked: Option<Vec<u32>> =
                        asked.map(|asked| asked.into_iter().filter(|at| *at < said.all.len()).map(|at| at as u32).collect());
                    let all = || (0..said.all.len() as u32).filter(|at| told[caller][*at as usize] && campaigns.speaks(*at, now));
                    for at in asked.clone().unwrap_or_else(|| all().collect()) {
                        let id: Arc<str> = catalogue.campaigns[at as usize].id.as_str().into();
                        *naive.entry((id, said.all[at as usize])).or_default() += 1;
                    }
                    let sheet = workers[worker].sheet(counted, now).unwrap();
                    match asked {
                        None => sheet.count_all(caller, status, &said.all),
                        Some(asked) => asked.into_iter().for_each(|at| sheet.count_one(at, said.all[at as usize])),
                    }
                }
            }
        }
        counted.retain(|_, count| *count != 0);
        prop_assert_eq!(counted, naive);
    }
}
