//! Windows to the second, and samples: what must hold exactly, said by example.

use super::worlds::audience;
use super::*;
use crate::audiences::Expr;
use crate::audiences::rule::{Count, EventTest, Pick, When};
use crate::schema::Span;
use crate::snapshot::columns::data::{ColumnData, EventData, ListData, TraitData};

/// 2026-10-24 21:30 UTC, 23:30 in Rome, where clocks go back the night after.
pub const NOW: i64 = 1_792_877_400;

pub fn did(when: When) -> Expr {
    Expr::Event(EventTest { name: "call".to_owned(), filter: vec![], pick: Pick::All, count: Count::AtLeast(1), when })
}

pub fn catalogue() -> Catalogue {
    let audiences = vec![
        audience("far".into(), Some(did(When::BeforeAgo(Span(3_600)))), true),
        audience("list".into(), None, true),
        audience("near".into(), Some(did(When::Within(Span(3_600)))), true),
        audience("today".into(), Some(did(When::Today)), true),
    ];
    Catalogue { audiences, ..Catalogue::default() }
}

pub fn world(offsets: &[i64]) -> ColumnData {
    let times = offsets.iter().map(|offset| (NOW + offset) as u32).collect();
    let calls = EventData { ordinals: (0..offsets.len() as u32).collect(), times, properties: vec![] };
    let list = ListData { ordinals: vec![0, 1, 2], until: vec![(NOW + 60) as u32, (NOW + 61) as u32, NOW as u32] };
    ColumnData {
        ordinals: offsets.len() as u32,
        seeds: (0..offsets.len() as u32).map(|at| at.wrapping_mul(2_654_435_769)).collect(),
        traits: vec![("age".into(), TraitData::Number((0..offsets.len()).map(|at| at as f64).collect()))],
        events: vec![("call".into(), calls)],
        lists: vec![("acme/list".into(), list)],
    }
}

#[test]
fn an_event_leaves_a_window_at_the_first_whole_minute_after_its_end() {
    assert_eq!(Timestamp(NOW).to_string(), "2026-10-24T21:30:00Z");
    // Seconds from now: at a minute, one before, one after; and one that is still to come.
    let (sections, catalogue) = (Sections::encode(&world(&[-3_540, -3_541, -3_539, 30])).unwrap(), catalogue());
    let columns = sections.open().unwrap();
    let zone = TimeZone::get("Europe/Rome").unwrap();
    let plan = Plan::compile(&catalogue, &columns, Timestamp(NOW + 59), &zone);
    assert_eq!(plan.now(), Timestamp(NOW), "evaluated at the start of the minute");
    let at = |ordinal| (0..4).map(|rule| plan.profile(ordinal, rule)).collect::<Vec<bool>>();
    assert_eq!(at(0), [false, true, true, true]);
    assert_eq!(at(2), [false, false, true, true], "a membership ends at its end");
    assert_eq!(at(3), [false; 4], "what has not happened counts nowhere");
    let flips: Vec<(u32, i64, u32, bool)> = (plan.flips(0, &plan.horizon(60)).into_iter())
        .map(|flip| (flip.ordinal, i64::from(flip.minute) - NOW / 60, flip.audience, flip.join))
        .collect();
    let expected = [
        (0, 1, 0, true),
        (0, 1, 1, false),
        (0, 1, 2, false),
        (0, 30, 3, false),
        (1, 1, 0, true),
        (1, 1, 2, false),
        (1, 2, 1, false),
        (1, 30, 3, false),
        (2, 2, 0, true),
        (2, 2, 2, false),
        (2, 30, 3, false),
        (3, 1, 2, true),
        (3, 1, 3, true),
        (3, 30, 3, false),
    ];
    assert_eq!(flips, expected, "30 minutes after now is midnight in Rome");
}

#[test]
fn samples_are_stable_nested_and_near_their_share() {
    let data = ColumnData {
        ordinals: 100_000,
        seeds: (0..100_000u32).map(|at| at.wrapping_mul(2_654_435_769)).collect(),
        ..ColumnData::default()
    };
    let sections = Sections::encode(&data).unwrap();
    let columns = sections.open().unwrap();
    let sample = |share, name: &str| Expr::Sample(share, name.to_owned());
    let (tenth, fifth, other) = (sample(100_000, "holdout"), sample(200_000, "holdout"), sample(100_000, "other"));
    let both = Expr::And(vec![tenth.clone(), other.clone()]);
    let beyond = Expr::And(vec![tenth.clone(), Expr::Not(Box::new(fifth.clone()))]);
    let rules = [&tenth, &fifth, &both, &beyond, &sample(1_000_000, "all"), &sample(0, "none")];
    let reach = Plan::of_rules(&rules, &Catalogue::default(), &columns, Timestamp(NOW), &TimeZone::UTC).reach();
    assert!(reach[0].abs_diff(10_000) < 400, "{reach:?}");
    assert!(reach[1].abs_diff(20_000) < 600, "{reach:?}");
    assert!(reach[2].abs_diff(1_000) < 200, "another name draws independently: {reach:?}");
    assert_eq!(reach[3..], [0, 100_000, 0], "a larger share contains a smaller one");
    // The numbers are part of the format: a holdout must survive a new version of this program.
    let drawn = (0..40).filter(|at| leaf::in_sample(*at, leaf::sample_name("holdout"), 100_000));
    assert_eq!(drawn.collect::<Vec<u32>>(), [19, 22]);
}
