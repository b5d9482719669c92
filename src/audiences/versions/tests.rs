//! Tests of `versions`: against a naive model, and what a crash leaves of a change.

use super::parts::Parts;
use super::*;
use crate::log::Control;
use proptest::prelude::*;

fn state() -> impl Strategy<Value = State> {
    prop_oneof![Just(State::Draft), Just(State::Published), Just(State::Archived)]
}

fn item() -> impl Strategy<Value = Item> {
    let kind = prop_oneof![Just(Kind::Audience), Just(Kind::Campaign)];
    (kind, 0..3_u8, state(), 0..4_u8).prop_map(|(kind, id, state, text)| Item {
        kind,
        id: AudienceId::new("o", &format!("i{id}")),
        state,
        text: (state != State::Archived).then(|| format!("text {text}\n")),
    })
}

fn changes() -> impl Strategy<Value = Vec<(Vec<Item>, u8)>> {
    prop::collection::vec((prop::collection::vec(item(), 0..4), 0..3_u8), 0..30)
}

/// The obvious twin: every time all over again, from the whole list.
fn naive(all: &[(u64, Item)], kind: Kind, id: &AudienceId) -> (Option<String>, Option<String>, u64) {
    let of: Vec<&Item> = all.iter().map(|(_, item)| item).filter(|it| it.kind == kind && it.id == *id).collect();
    let archived = of.iter().rposition(|it| it.state == State::Archived).map_or(0, |at| at + 1);
    let since = &of[archived..];
    let published = since.iter().rfind(|it| it.state == State::Published).and_then(|it| it.text.clone());
    // The last draft counts unless it was, then or since, published or taken back to what is published.
    let mut draft = None;
    let mut in_force = None;
    for it in since {
        match it.state {
            State::Draft if it.text == in_force => draft = None,
            State::Draft => draft = it.text.clone(),
            _ => {
                in_force = it.text.clone();
                if draft == in_force {
                    draft = None;
                }
            }
        }
    }
    (draft, published, of.len() as u64)
}

proptest! {
    #[test]
    fn the_fold_is_what_a_naive_reader_finds(changes in changes()) {
        let mut versions = Versions::default();
        let mut all = Vec::new();
        for (at, (items, again)) in (1..).zip(changes) {
            let change = Change { number: at, author: "a".into(), comment: None, items: items.clone() };
            prop_assert!(versions.apply(Timestamp(at as i64), change.clone()));
            for _ in 0..again {
                prop_assert!(!versions.apply(Timestamp(0), change.clone()));
            }
            all.extend(items.into_iter().map(|item| (at, item)));
            for kind in [Kind::Audience, Kind::Campaign] {
                for id in 0..3 {
                    let id = AudienceId::new("o", &format!("i{id}"));
                    let history = versions.get(kind, &id).cloned().unwrap_or_default();
                    let text = |version: Option<&Version>| version.and_then(|it| it.text.as_deref().map(str::to_owned));
                    let told = (text(history.draft()), text(history.published()), history.last().map_or(0, |it| it.number));
                    prop_assert_eq!(told, naive(&all, kind, &id));
                    let numbers: Vec<u64> = history.versions().iter().map(|it| it.number).collect();
                    prop_assert_eq!(numbers, (1..=history.versions().len() as u64).collect::<Vec<_>>());
                }
            }
        }
    }

}

proptest! {
    // Changes of megabytes: a few are enough.
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn only_whole_changes_come_back(sizes in prop::collection::vec((0..5_usize, 0..4_usize), 1..6), twice in any::<bool>()) {
        let mut records = Vec::new();
        let mut whole = Vec::new();
        for (at, (megabytes, lost)) in (1..).zip(sizes) {
            let text = Some("é".repeat(megabytes * 400_000 + 1));
            let id = AudienceId::new("o", "i");
            let items = vec![Item { kind: Kind::Group, id, state: State::Draft, text }];
            let change = Change { number: at, author: "a".into(), comment: Some("why".into()), items };
            let mut parts = change.records(Timestamp(7)).unwrap();
            let lost = lost.min(parts.len());
            parts.truncate(parts.len() - lost);
            if lost == 0 {
                whole.push(change);
            }
            records.extend(parts);
        }
        if twice {
            records.extend(records.clone());
            whole.extend(whole.clone());
        }
        let mut parts = Parts::default();
        let told: Vec<Change> = records.iter().filter_map(|it| parts.take(it).unwrap()).map(|(_, it)| it).collect();
        prop_assert_eq!(told, whole);
    }
}

#[test]
fn parts_of_different_changes_are_never_one() {
    let change = |letter: &str| {
        let item = Item {
            kind: Kind::Audience,
            id: AudienceId::new("o", "i"),
            state: State::Draft,
            text: Some(format!("{letter}{}", "x".repeat(2_000_000))),
        };
        Change { number: 1, author: "a".into(), comment: None, items: vec![item] }
    };
    let (one, other) = (change("a").records(Timestamp(1)).unwrap(), change("b").records(Timestamp(1)).unwrap());
    assert!(one.len() > 2 && one.iter().all(|record| !other.contains(record)));
    let mut parts = Parts::default();
    let mixed = one[..1].iter().chain(&other[1..]);
    assert!(mixed.map(|record| parts.take(record).unwrap()).all(|change| change.is_none()));
    let alone = Control::Definitions { time: 0, part: 0, parts: 1, text: "no change".into() };
    assert_eq!(parts.take(&alone).unwrap_or_default(), None);
}

#[test]
fn versions_are_bounded_and_what_holds_stays() {
    let mut versions = Versions::default();
    let id = AudienceId::new("o", "i");
    for number in 1..=MOST_VERSIONS as u64 + 5 {
        let state = if number == 1 { State::Published } else { State::Draft };
        let item = Item { kind: Kind::Audience, id: id.clone(), state, text: Some(number.to_string()) };
        versions.apply(Timestamp(0), Change { number, author: "a".into(), comment: None, items: vec![item] });
    }
    let history = versions.get(Kind::Audience, &id).unwrap();
    assert_eq!(history.versions().len(), MOST_VERSIONS);
    assert_eq!(history.published().map(|it| it.number), Some(1));
    assert_eq!(history.last().map(|it| it.number), Some(MOST_VERSIONS as u64 + 5));
    assert!(history.version(2).is_none() && history.version(7).is_some());
}
