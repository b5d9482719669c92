//! A fresh generation against a full activation of the same definitions, over random worlds and edits.

use super::*;
use crate::audiences::{AudienceKind, Expr, Rule};
use crate::build::activate::{ActivateInputs, activate};
use crate::config::load::from_text;
use crate::evaluate::tests::worlds::{self, World};
use crate::lookup::Answer;
use crate::overlay::{Change, Overlay};
use crate::schema::{AudienceId, KeyHasher, ProfileKey};
use crate::snapshot::columns::{EventsWriter, ListsWriter, Opened, TraitsWriter};
use crate::snapshot::{Flip, IdentitiesWriter, Planes, Sections};
use crate::telemetry::progress::{Mode, Progress};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const MINUTES: [i64; 7] = [-1, 0, 1, 2, 45, 119, 121];

/// A world on disk, whose catalogue changes.
struct Stage {
    _directory: TempDir,
    loaded: Loaded,
    store: Store,
    index: Vec<SectionRef>,
    world: World,
}

fn key(ordinal: u32) -> ProfileKey {
    KeyHasher::new([3; 16]).key("test", &ordinal.to_string())
}

impl Stage {
    fn new(world: World) -> Stage {
        let directory = tempfile::tempdir().unwrap();
        let text = format!("as_of: {}\ntimezone: {}\n", world.now, world.zone);
        let loaded = from_text(&text, Path::new("/x/vaglio.yaml"), std::iter::empty()).unwrap();
        let store = Store::open(directory.path()).unwrap();
        let _lock = store.lock("test").unwrap();
        let (data, section) = (&world.data, |name| store.section(name, Plane::Control).unwrap());
        let mut traits = TraitsWriter::new(section("traits"), data.ordinals, &data.seeds).unwrap();
        data.traits.iter().for_each(|(name, column)| traits.add(name, column).unwrap());
        let mut events = EventsWriter::new(section("events"), data.ordinals).unwrap();
        data.events.iter().for_each(|(name, column)| events.add(name, column).unwrap());
        let mut lists = ListsWriter::new(section("memberships"), data.ordinals).unwrap();
        data.lists.iter().for_each(|(name, column)| lists.add(name, column).unwrap());
        let mut consents = section("consents");
        consents.write_all(&vec![0; data.ordinals as usize]).unwrap();
        let mut provenance = section("provenance");
        provenance
            .write_all(
                &serde_json::to_vec(&serde_json::json!({ "index": Provenance::default(), "sources": [] })).unwrap(),
            )
            .unwrap();
        let mut identities = store.section("identities", Plane::Bid).unwrap();
        IdentitiesWriter::write(asked(&world).into_iter().map(|at| (key(at), at)), &mut identities).unwrap();
        let written =
            [traits.finish().unwrap(), events.finish().unwrap(), lists.finish().unwrap(), consents, provenance];
        let mut index: Vec<SectionRef> = written.into_iter().map(|section| section.finish().unwrap()).collect();
        index.push(identities.finish().unwrap());
        Stage { _directory: directory, loaded, store, index, world }
    }

    /// What a whole activation makes of a catalogue.
    fn activation(&self, catalogue: &Catalogue) -> Manifest {
        let activated = activate(ActivateInputs {
            loaded: &self.loaded,
            catalogue,
            index: &self.sections(),
            now: self.world.now,
            stale: &Stale::default(),
            store: &self.store,
            progress: &Progress::new(Mode::Silent),
        })
        .unwrap();
        Manifest {
            as_of: self.world.now,
            timezone: self.world.zone.to_owned(),
            profiles: self.world.data.ordinals,
            catalogue_version: version(catalogue).unwrap(),
            audiences: activated.audiences,
            sections: self.index.iter().cloned().chain(activated.sections).collect(),
            ..Manifest::default()
        }
    }

    fn sections(&self) -> Sections {
        self.store.open_sections(&self.index).unwrap()
    }

    fn publish(&self, catalogue: &Catalogue) -> ServingSnapshot {
        let publishing = self.store.publishing("test").unwrap();
        let generation = self.store.next_generation().unwrap();
        let manifest = Manifest { generation, ..self.activation(catalogue) };
        self.store.publish(&publishing, manifest.clone()).unwrap();
        self.open(&manifest)
    }

    fn open(&self, manifest: &Manifest) -> ServingSnapshot {
        ServingSnapshot::new(self.store.open_manifest(manifest, Planes::All, None).unwrap()).unwrap()
    }

    fn fresh(&self, base: &ServingSnapshot, catalogue: &Catalogue) -> Outcome {
        let columns = Opened::of(base.snapshot()).unwrap();
        fresh(&FreshInputs {
            loaded: &self.loaded,
            catalogue,
            base,
            columns: columns.columns(),
            store: &self.store,
            watch: &Watch::default(),
        })
        .unwrap()
    }

    /// That two generations say the same of everybody who is asked about, at every minute, one at a time and in a batch.
    fn compare(&self, fresh: &ServingSnapshot, whole: &ServingSnapshot) {
        assert_eq!(fresh.manifest().audiences, whole.manifest().audiences);
        assert_eq!(fresh.catalogue(), whole.catalogue());
        assert_eq!(fresh.rules(), whole.rules());
        for number in 0..whole.catalogue().audiences.len() as u32 {
            assert_eq!(fresh.members(number).unwrap(), whole.members(number).unwrap(), "audience {number}");
        }
        assert!(fresh.members(whole.catalogue().audiences.len() as u32).is_err());
        let asked = asked(&self.world);
        let sorted = |flips: Vec<Flip>| {
            let mut flips = flips;
            flips.sort_unstable();
            flips
        };
        for ordinal in &asked {
            assert_eq!(sorted(fresh.flips(*ordinal).collect()), sorted(whole.flips(*ordinal).collect()));
            let (mut a, mut b) = (Vec::new(), Vec::new());
            assert_eq!(fresh.stored(*ordinal, &mut a) & 7, whole.stored(*ordinal, &mut b) & 7);
            assert_eq!(a, b, "ordinal {ordinal}");
        }
        let changed = Overlay::new(self.world.data.ordinals, KeyHasher::new([3; 16]), Arc::default());
        for (at, ordinal) in (0..).zip(&asked) {
            let number = at % (whole.catalogue().audiences.len() as u32).max(1);
            changed.change(*ordinal, Box::new([Change::new(0, number, at % 2 == 0)]));
        }
        let keys: Vec<ProfileKey> = asked.iter().map(|ordinal| key(*ordinal)).collect();
        for overlay in [Overlay::empty(), changed] {
            for minute in MINUTES {
                let now = Timestamp(self.world.now.0 + minute * 60);
                let mut batches = [vec![Answer::default(); keys.len()], vec![Answer::default(); keys.len()]];
                fresh.lookup_batch(&keys, now, &overlay, &mut batches[0]);
                whole.lookup_batch(&keys, now, &overlay, &mut batches[1]);
                assert_eq!(batches[0], batches[1], "minute {minute}");
                let mut answers = [Answer::default(), Answer::default()];
                for some in keys.windows(3).chain(keys.chunks(1)) {
                    fresh.lookup(some, now, &overlay, &mut answers[0]);
                    whole.lookup(some, now, &overlay, &mut answers[1]);
                    assert_eq!(answers[0], answers[1], "minute {minute}");
                }
            }
        }
    }
}

/// Those who know anything, and some others.
fn asked(world: &World) -> Vec<u32> {
    let mut asked: Vec<u32> = world.active.iter().copied().chain([0, world.data.ordinals - 1]).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// Which of some catalogues an audience is taken from, if from any, and since and until when it counts.
type Pick = (prop::sample::Index, bool, Option<i64>, Option<i64>, bool);

fn pick() -> impl Strategy<Value = Pick> {
    let end = || prop::option::weighted(0.2, prop::sample::select(vec![-7_200i64, -60, 0, 60, 7_200]));
    (any::<prop::sample::Index>(), prop::bool::weighted(0.8), end(), end(), prop::bool::weighted(0.9))
}

fn edit(of: &[Catalogue], now: Timestamp, picks: &[Pick]) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let most = of.iter().map(|catalogue| catalogue.audiences.len()).max().unwrap_or(0);
    for (at, (from, is_there, valid_from, valid_to, target)) in picks.iter().enumerate().take(most) {
        let Some(audience) = of[from.index(of.len())].audiences.get(at).filter(|_| *is_there) else { continue };
        let mut audience = audience.clone();
        audience.valid_from = valid_from.map(|end| Timestamp(now.0 + end));
        audience.valid_to = valid_to.map(|end| Timestamp(now.0 + end));
        audience.kind = if *target { AudienceKind::Target } else { AudienceKind::Suppress };
        catalogue.audiences.push(audience);
    }
    catalogue.audiences.sort_by(|a, b| a.id.cmp(&b.id));
    catalogue
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn a_fresh_generation_says_what_an_activation_says(
        (world, catalogues, edits) in worlds::world().prop_flat_map(|world| {
            let catalogues = prop::collection::vec(worlds::catalogue(world.now, 1..9), 2);
            (Just(world), catalogues, prop::collection::vec(prop::collection::vec(pick(), 12), 3))
        })
    ) {
        let stage = Stage::new(world);
        let edits: Vec<Catalogue> = edits.iter().map(|picks| edit(&catalogues, stage.world.now, picks)).collect();
        let mut base = stage.publish(&edits[0]);
        for catalogue in &edits[1..] {
            match stage.fresh(&base, catalogue) {
                Outcome::Published(manifest) => {
                    base = stage.open(&manifest);
                    stage.compare(&base, &stage.open(&stage.activation(catalogue)));
                    prop_assert_eq!(stage.fresh(&base, catalogue), Outcome::Unchanged);
                }
                Outcome::TooMany(changed) => prop_assert!(changed > MOST),
                Outcome::Unchanged => prop_assert_eq!(catalogue, base.catalogue()),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

/// Some people of whom nothing is known, and as many audiences.
fn stage(audiences: usize) -> (Stage, Catalogue) {
    let data =
        crate::snapshot::columns::data::ColumnData { ordinals: 9, seeds: (0..9).collect(), ..Default::default() };
    let now = Timestamp(1_790_000_040);
    let stage = Stage::new(World { data, active: vec![1, 5], now, zone: "UTC", fractions: false });
    let rule = |share| Some(crate::audiences::Expr::Sample(share, "half".to_owned()));
    let all = (0..audiences).map(|at| worlds::audience(format!("a{at:02}"), rule(at as u32 * 30_000), true));
    let catalogue = Catalogue { audiences: all.collect(), ..Catalogue::default() };
    (stage, catalogue)
}

fn published(outcome: Outcome) -> Box<Manifest> {
    match outcome {
        Outcome::Published(manifest) => manifest,
        other => panic!("{other:?}"),
    }
}

#[test]
fn eight_are_taken_and_nine_are_not() {
    let (stage, all) = stage(20);
    let base = stage.publish(&Catalogue { audiences: all.audiences[..11].to_vec(), ..Catalogue::default() });
    assert_eq!(stage.fresh(&base, &all), Outcome::TooMany(9));
    let eight = Catalogue { audiences: all.audiences[..19].to_vec(), ..Catalogue::default() };
    let fresh = stage.open(&published(stage.fresh(&base, &eight)));
    stage.compare(&fresh, &stage.open(&stage.activation(&eight)));
    let back = stage.open(&published(stage.fresh(&fresh, base.catalogue())));
    assert!(back.fresh().is_none(), "it is as the forward index was written: nothing accumulates");
    assert_eq!(back.manifest().sections.len(), base.manifest().sections.len());
}

#[test]
fn what_refers_to_a_changed_audience_is_evaluated_again_and_what_does_not_is_not() {
    let (stage, mut catalogue) = stage(4);
    let refers = |to: &str| Some(crate::audiences::Expr::InAudience(AudienceId::new("acme", to)));
    catalogue.audiences.push(worlds::audience("b".to_owned(), refers("a01"), false));
    catalogue.audiences.push(worlds::audience("c".to_owned(), refers("b"), true));
    let base = stage.publish(&catalogue);
    let mut edited = catalogue.clone();
    edited.audiences[1].rule = edited.audiences[3].rule.clone();
    edited.audiences[2].name = "another".to_owned();
    let fresh = stage.open(&published(stage.fresh(&base, &edited)));
    assert_eq!(fresh.fresh().unwrap().anew(), [1, 4, 5]);
    edited.audiences[1].rule = catalogue.audiences[1].rule.clone();
    let named = stage.open(&published(stage.fresh(&fresh, &edited)));
    assert!(named.fresh().is_none(), "a name needs no bitmap");
    edited.audiences[1].valid_to = Some(stage.world.now);
    let closed = stage.open(&published(stage.fresh(&named, &edited)));
    assert_eq!(closed.fresh().unwrap().anew(), [1, 4, 5]);
    assert_eq!([1, 4, 5].map(|number| closed.members(number).unwrap().len()), [0; 3]);
    let is_past = |now| {
        let summaries = closed.manifest().audiences.iter();
        closed.catalogue().is_past_boundary(summaries.map(|summary| summary.closed), now)
    };
    assert!(!is_past(stage.world.now) && is_past(Timestamp(stage.world.now.0 - 60)));
}

#[test]
fn one_that_begins_as_another_of_the_same_rule_ends_is_told_from_it() {
    let (mut stage, mut catalogue) = stage(2);
    let (now, at) = (stage.world.now, |minute: i64| Some(Timestamp(stage.world.now.0 + minute * 60)));
    let [first, second] = &mut catalogue.audiences[..] else { panic!("two") };
    (first.rule, first.valid_from, first.valid_to) = (Some(Rule(Expr::Everyone)), at(1), at(2));
    (second.rule, second.valid_from) = (Some(Rule(Expr::Everyone)), at(2));
    let mut base = stage.publish(&catalogue);
    for (minute, members) in [(0, [0, 0]), (1, [9, 0]), (2, [0, 9])] {
        let text = format!("as_of: {}\ntimezone: UTC\n", Timestamp(now.0 + minute * 60));
        stage.loaded = from_text(&text, Path::new("/x/vaglio.yaml"), std::iter::empty()).unwrap();
        if minute > 0 {
            base = stage.open(&published(stage.fresh(&base, &catalogue)));
        }
        assert_eq!(stage.fresh(&base, &catalogue), Outcome::Unchanged, "minute {minute}");
        assert_eq!([0, 1].map(|number| base.members(number).unwrap().len()), members, "minute {minute}");
        assert_eq!([0, 1].map(|number: usize| base.manifest().audiences[number].members), members);
    }
}

#[test]
fn one_that_went_live_meanwhile_is_not_replaced() {
    let (stage, catalogue) = stage(3);
    let base = stage.publish(&Catalogue::default());
    stage.publish(&Catalogue::default());
    assert_eq!(stage.fresh(&base, &catalogue), Outcome::Moved);
    assert_eq!(stage.store.manifests().unwrap().len(), 2);
}
