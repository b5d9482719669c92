//! What stays in `live_facts`, for how long, and what of it is in columns.

use crate::world::{DAY, World, columns, event, listed, says, text};
use std::collections::BTreeMap;
use vaglio::log::{Said, Stay, Value};

const ANN: [(&str, &str); 1] = [("crm", "ann")];
const BOB: [(&str, &str); 2] = [("crm", "bob"), ("pubcid.org", "bobs")];

#[test]
fn what_counts_no_longer_is_left_out_and_counted() {
    let mut world = World::new();
    let ago = |days: i64| world.now - days * DAY - DAY / 2;
    let times = [ago(40), ago(20), ago(10), ago(5), ago(1)];
    let [t40, t20, t10, t5, t1] = times;
    let records = vec![
        world.record(&ANN, t40, event("broken")),
        world.record(&ANN, t20, event("broken")),
        world.record(&ANN, t40, says("mood", Some(text("low")))),
        world.record(
            &ANN,
            t40,
            Said::Traits(vec![("mood".into(), Some(text("low"))), ("age".into(), Some(Value::Number(30.0)))]),
        ),
        world.record(&ANN, t20, says("plan", Some(text("basic")))),
        world.record(&ANN, t10, says("plan", Some(text("gold")))),
        world.record(&ANN, t5, listed("acme/carts", Stay::ByDefault)),
        world.record(&ANN, t1, listed("acme/carts", Stay::ByDefault)),
        world.record(&BOB, t20, Said::Link),
        world.record(&BOB, t10, Said::Link),
        world.record(&BOB, t10, Said::Consent(true)),
        world.record(&BOB, t10, Said::Consent(false)),
        world.record(&BOB, t5, listed("acme/carts", Stay::Ends)),
    ];
    let mut again = records[1].clone();
    again.received += 5;
    world.append(&records);
    world.append(&[again]);
    let manifest = world.build();
    let live = world.provenance(&manifest).live;
    assert_eq!((live.carried, live.fresh, live.kept), (0, 14, 6));
    assert_eq!((live.repeated, live.superseded, live.expired, live.ended), (1, 3, 2, 2));
    let facts: BTreeMap<u64, String> = world.facts(&manifest).into_iter().collect();
    assert_eq!(facts.keys().copied().collect::<Vec<_>>(), [1, 3, 5, 7, 9, 11]);
    assert!(facts[&3].contains("age") && !facts[&3].contains("mood"), "{}", facts[&3]);
    assert!(facts[&11].contains("false"), "the refusal counts");
    for (audience, members) in [("gold", 1), ("adults", 1), ("carts", 1)] {
        assert_eq!(world.members(&manifest, audience), members, "{audience}");
    }
    let next = world.build();
    assert_eq!((world.provenance(&next).live.carried, world.provenance(&next).live.kept), (6, 6));
    assert_eq!(columns(&next), columns(&manifest));
}

#[test]
fn what_the_configuration_does_not_know_waits_until_it_does() {
    let mut world = World::new();
    let time = world.now - DAY;
    let records = [
        world.record(&ANN, time, event("cracked")),
        world.record(&[("other.example", "x")], time, event("broken")),
        world.record(
            &BOB,
            time,
            Said::Traits(vec![("plan".into(), Some(text("gold"))), ("shoe".into(), Some(text("9")))]),
        ),
    ];
    world.append(&records);
    let before = world.build();
    let live = world.provenance(&before).live;
    let unknown = ["cracked", "other.example", "shoe"].map(|name| (name.to_owned(), 1));
    assert_eq!((live.kept, live.unknown), (3, BTreeMap::from(unknown)));
    assert_eq!(world.members(&before, "gold"), 1);
    world.configure("names: [broken]", "names: [broken, cracked]");
    let after = world.build();
    assert_eq!(world.provenance(&after).live.unknown.len(), 2);
    assert_eq!(after.profiles, before.profiles + 1, "ann is somebody now");
}

#[test]
fn what_is_said_to_be_unknown_stays_so_whatever_is_uploaded() {
    let mut world = World::new();
    let ago = |days: i64| world.now - days * DAY - DAY / 2;
    let (t20, t10, t5) = (ago(20), ago(10), ago(5));
    let upload = BTreeMap::from([("crm", vec![format!("ann,,{t20},gold,40,sport")])]);
    world.files(&upload);
    let before = world.build();
    assert_eq!(["gold", "adults", "sporty"].map(|audience| world.members(&before, audience)), [1, 1, 1]);
    let records = [
        world.record(&ANN, t10, says("plan", None)),
        world.record(&ANN, t10, says("tags", Some(Value::Tags(vec!["music".into()])))),
        world.record(&ANN, t5, says("tags", None)),
    ];
    world.append(&records);
    let after = world.build();
    assert_eq!(["gold", "adults", "sporty"].map(|audience| world.members(&after, audience)), [0, 1, 0]);
    assert_eq!(world.provenance(&after).live.superseded, 1, "tags that were taken away");
    world.files(&upload);
    let again = world.build();
    assert_eq!(["gold", "adults", "sporty"].map(|audience| world.members(&again, audience)), [0, 1, 0]);
    let later = [world.record(&ANN, world.now - 60, says("tags", Some(Value::Tags(vec!["sport".into()]))))];
    world.append(&later);
    assert_eq!(world.members(&world.build(), "sporty"), 1);
}

#[test]
fn an_event_that_comes_by_both_ways_is_one() {
    let mut world = World::new();
    let time = world.now - DAY;
    world.files(&BTreeMap::from([("shop", vec![format!("ann,,{time},order 7,20,pen")])]));
    let amount = vec![("amount".into(), Value::Number(20.0))];
    let mut record = world.record(&ANN, time, Said::Event { name: "purchase".into(), properties: amount });
    record.id = world.keys.event_id(b"order 7");
    world.append(&[record]);
    let manifest = world.build();
    assert_eq!(["buyers", "spenders"].map(|audience| world.members(&manifest, audience)), [2, 0]);
    assert_eq!(world.provenance(&manifest).repeated_events, BTreeMap::from([("purchase".to_owned(), 1)]));
}

#[test]
fn doors_alone_make_a_generation() {
    let mut world = World::new();
    let path = world.path().join("vaglio.yaml");
    let config = std::fs::read_to_string(&path).unwrap();
    let (without, _) = config.split_once("sources:").unwrap();
    std::fs::write(path, format!("{}  ids: [{{ type: crm }}]\n", without)).unwrap();
    let rules = "audiences:\n  - { id: broken, owner: acme, kind: target, rule: did broken within 7 days }\n";
    std::fs::write(world.path().join("audiences.yaml"), rules).unwrap();
    let records = [world.record(&ANN, world.now - DAY, event("broken"))];
    world.append(&records);
    let manifest = world.build();
    assert_eq!((manifest.profiles, world.members(&manifest, "broken")), (1, 1));
}
