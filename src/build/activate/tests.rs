//! What activation writes: the forward index, the bitmaps and the flips tell the same story.

use super::*;
use crate::audiences::catalogue::Audience;
use crate::audiences::rule::{Count, EventTest, Pick, Test, TraitTest, When};
use crate::audiences::{Expr, Rule};
use crate::config::load::from_text;
use crate::overlay::flips::apply;
use crate::schema::{AudienceId, Span};
use crate::snapshot::columns::data::{ColumnData, EventData, ListData, TraitData};
use crate::snapshot::columns::{EventsWriter, ListsWriter, TraitsWriter};
use crate::snapshot::{Bitmaps, Flips, Forward};
use crate::telemetry::progress::Mode;
use std::io::Write;

const NOW: i64 = 1_790_000_040;

fn audience(id: &str, kind: AudienceKind, rule: Option<Expr>) -> Audience {
    Audience {
        id: AudienceId::new("acme", id),
        name: id.to_owned(),
        kind,
        rule: rule.map(Rule),
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

fn bought(count: Count, when: When) -> Expr {
    Expr::Event(EventTest { name: "purchase".to_owned(), filter: Vec::new(), pick: Pick::All, count, when })
}

fn catalogue() -> Catalogue {
    use AudienceKind::{Suppress, Target};
    let vip = Expr::Trait(TraitTest { name: "vip".to_owned(), test: Test::IsTrue });
    let within = |count| bought(count, When::Within(Span(3_600)));
    let audiences = vec![
        audience("buyers", Target, Some(within(Count::AtLeast(1)))),
        audience("everyone", Target, Some(Expr::Everyone)),
        audience("fresh", Target, Some(Expr::Not(Box::new(vip.clone())))),
        audience("lapsed", Suppress, Some(Expr::Not(Box::new(Expr::InAudience(AudienceId::new("acme", "buyers")))))),
        audience("listed", Target, None),
        audience("vips", Suppress, Some(Expr::And(vec![vip, within(Count::Never)]))),
    ];
    Catalogue { audiences, ..Catalogue::default() }
}

/// Two blocks and three people more.
fn data() -> ColumnData {
    let ordinals = 2 * BLOCK as u32 + 3;
    let buyers: Vec<u32> = (0..ordinals).step_by(5).collect();
    ColumnData {
        ordinals,
        seeds: (0..ordinals).collect(),
        traits: vec![("vip".to_owned(), TraitData::Flag((0..ordinals).map(|at| (at % 3) as u8).collect()))],
        events: vec![(
            "purchase".to_owned(),
            // From five hours ago to four hours ahead, at odd seconds.
            EventData {
                times: buyers.iter().map(|at| (NOW + 14_400) as u32 - at * 7_919 % 32_400).collect(),
                ordinals: buyers,
                properties: Vec::new(),
            },
        )],
        lists: vec![(
            "acme/listed".to_owned(),
            ListData { ordinals: vec![4, 70_000, 131_074], until: vec![(NOW + 90) as u32, u32::MAX, NOW as u32] },
        )],
    }
}

fn index(store: &Store, data: &ColumnData) -> Sections {
    let section = |name| store.section(name, Plane::Control).unwrap();
    let mut traits = TraitsWriter::new(section("traits"), data.ordinals, &data.seeds).unwrap();
    data.traits.iter().for_each(|(name, column)| traits.add(name, column).unwrap());
    let mut events = EventsWriter::new(section("events"), data.ordinals).unwrap();
    data.events.iter().for_each(|(name, column)| events.add(name, column).unwrap());
    let mut lists = ListsWriter::new(section("memberships"), data.ordinals).unwrap();
    data.lists.iter().for_each(|(name, column)| lists.add(name, column).unwrap());
    let mut consents = section("consents");
    consents.write_all(&(0..data.ordinals).map(|at| u8::from(at == 9)).collect::<Vec<u8>>()).unwrap();
    let written = [traits.finish().unwrap(), events.finish().unwrap(), lists.finish().unwrap(), consents];
    let sections: Vec<SectionRef> = written.into_iter().map(|section| section.finish().unwrap()).collect();
    store.open_sections(&sections).unwrap()
}

fn run(store: &Store, data: &ColumnData, stale: &Stale) -> (Activated, Sections) {
    let loaded = from_text("{}", std::path::Path::new("/x/vaglio.yaml"), std::iter::empty()).unwrap();
    let catalogue = catalogue();
    let inputs = ActivateInputs {
        loaded: &loaded,
        catalogue: &catalogue,
        index: &index(store, data),
        now: Timestamp(NOW),
        stale,
        store,
        progress: &Progress::new(Mode::Silent),
    };
    let activated = activate(inputs).unwrap();
    let sections = store.open_sections(&activated.sections).unwrap();
    (activated, sections)
}

#[test]
fn forward_bitmaps_and_flips_tell_the_same_story() {
    let (directory, data) = (tempfile::tempdir().unwrap(), data());
    let store = Store::open(directory.path()).unwrap();
    let _lock = store.lock("test").unwrap();
    let (activated, sections) = run(&store, &data, &Stale::default());
    let forward = Forward::open(sections.section("forward").unwrap()).unwrap();
    let bitmaps = Bitmaps::open(sections.section("audiences").unwrap()).unwrap();
    let flips = Flips::open(sections.section("flips").unwrap()).unwrap();
    let written: Catalogue = serde_json::from_slice(sections.section("catalogue").unwrap()).unwrap();
    assert_eq!(written, catalogue());
    let bitmaps: Vec<RoaringBitmap> = (0..6).map(|number| bitmaps.get(number).unwrap()).collect();
    assert_eq!(
        activated.audiences.iter().map(|summary| summary.members).collect::<Vec<_>>(),
        bitmaps.iter().map(RoaringBitmap::len).collect::<Vec<_>>()
    );
    let index = index(&store, &data);
    let section = |name| index.section(name).unwrap();
    let columns = Columns::open(section("traits"), section("events"), section("memberships")).unwrap();
    let later =
        |minutes: i64| Plan::compile(&catalogue(), &columns, Timestamp(NOW + minutes * 60), &jiff::tz::TimeZone::UTC);
    let plans: Vec<(i64, Plan)> = [0, 1, 2, 45, 119, 120].map(|minutes| (minutes, later(minutes))).into();
    let (mut changed, mut answer) = (0, Vec::new());
    for ordinal in (0..data.ordinals).filter(|ordinal| ordinal % 7 == 0 || *ordinal < 20 || *ordinal > 131_050) {
        answer.clear();
        let record = forward.read(ordinal, &mut answer);
        assert_eq!(record & 7, u8::from(ordinal == 9));
        assert_eq!(record & flags::FLIPS != 0, flips.of(ordinal).next().is_some());
        changed += u32::from(record & flags::FLIPS != 0);
        for (number, bitmap) in (0..).zip(&bitmaps) {
            assert_eq!(bitmap.contains(ordinal), answer.contains(&number));
        }
        for (minutes, plan) in &plans {
            let mut at = answer.clone();
            apply(flips.of(ordinal), NOW / 60 + minutes, &mut at);
            let expected: Vec<u32> = (0..6).filter(|rule| plan.profile(ordinal, *rule as usize)).collect();
            assert_eq!(at, expected, "ordinal {ordinal} at +{minutes} minutes");
        }
    }
    assert!(changed > 100, "some answers change within the horizon, not {changed}");
}

#[test]
fn stale_facts_empty_target_audiences_and_hold_suppress_audiences() {
    let (directory, data) = (tempfile::tempdir().unwrap(), data());
    let store = Store::open(directory.path()).unwrap();
    let _lock = store.lock("test").unwrap();
    let (fresh, _) = run(&store, &data, &Stale::default());
    assert!(fresh.audiences.iter().all(|summary| summary.flagged.is_none() && summary.members > 0));
    let stale = Stale {
        sources: ["web".to_owned()].into(),
        events: ["purchase".to_owned()].into(),
        lists: ["acme/listed".to_owned()].into(),
        ..Stale::default()
    };
    let (activated, sections) = run(&store, &data, &stale);
    let flags: Vec<&str> = activated.audiences.iter().map(|a| a.flagged.as_deref().unwrap_or("fresh")).collect();
    let (dropped, held) =
        ("dropped: nobody is in it until fresh data comes", "held: it goes on with what was known last");
    assert_eq!(
        flags,
        [
            format!("stale event purchase; {dropped}"),
            "fresh".to_owned(),
            "fresh".to_owned(),
            format!("stale event purchase; {held}"),
            format!("stale list acme/listed; {dropped}"),
            format!("stale event purchase; {held}"),
        ]
    );
    for (now, before) in activated.audiences.iter().zip(&fresh.audiences) {
        let dropped = ["acme/buyers", "acme/listed"].contains(&now.id.as_str());
        assert_eq!(now.members, if dropped { 0 } else { before.members }, "{}", now.id);
    }
    let flips = Flips::open(sections.section("flips").unwrap()).unwrap();
    let joins = (0..data.ordinals).flat_map(|ordinal| flips.of(ordinal).collect::<Vec<_>>());
    assert!(joins.into_iter().all(|flip| ![0, 4].contains(&flip.audience)), "nobody flips into a dropped audience");
}

#[test]
fn nobody_at_all_is_a_snapshot_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let _lock = store.lock("test").unwrap();
    let (activated, sections) = run(&store, &ColumnData::default(), &Stale::default());
    assert!(activated.audiences.iter().all(|summary| summary.members == 0));
    assert_eq!(Forward::open(sections.section("forward").unwrap()).unwrap().ordinals(), 0);
}
