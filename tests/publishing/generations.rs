//! Generations by HTTP: the list, one, two compared as sets of keys have it; what a tenant sees.

use crate::stage::{Stage, wait_until};
use crate::world::World;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vaglio::build::What;
use vaglio::evaluate::survey::Watch;
use vaglio::lookup::ServingSnapshot;
use vaglio::planner::generations::compare_two;
use vaglio::schema::{Generation, ProfileKey};
use vaglio::snapshot::keys::Keys;
use vaglio::snapshot::{Planes, Store};

/// By audience its members, each as the set of its keys; and everybody.
type Told = (BTreeMap<String, Vec<BTreeSet<ProfileKey>>>, Vec<BTreeSet<ProfileKey>>);

fn told(world: &World, generation: u64) -> Told {
    let store = Store::open(world.data()).unwrap();
    let snapshot = store.open_snapshot(Generation(generation), Planes::All, None).unwrap();
    let serving = ServingSnapshot::new(snapshot).unwrap();
    let keys = Keys::open(serving.snapshot().section("keys").unwrap()).unwrap();
    let person = |ordinal: u32| keys.of(ordinal).map(|(key, _)| key).collect::<BTreeSet<_>>();
    let audiences = (0..).zip(&serving.catalogue().audiences);
    let members = audiences.map(|(number, audience)| {
        (audience.id.to_string(), serving.members(number).unwrap().iter().map(person).collect())
    });
    (members.collect(), (0..keys.profiles()).map(person).collect())
}

fn without(mine: &[BTreeSet<ProfileKey>], others: &[BTreeSet<ProfileKey>]) -> u64 {
    mine.iter().filter(|it| others.iter().all(|other| other.is_disjoint(it))).count() as u64
}

#[test]
fn two_generations_differ_as_their_sets_of_keys_do() {
    let stage = Stage::built(150);
    let world = &stage.world;
    // People come, go and change; identifiers that were apart become one person's.
    let crm = std::fs::read_to_string(world.path().join("crm.csv")).unwrap();
    let lines: Vec<&str> = crm.lines().collect();
    let mut kept: Vec<String> = lines[..120].iter().map(|line| line.replace(",basic,", ",gold,")).collect();
    kept.extend((0..20).map(|n| format!("NEW{n},new{n}@mail.example,,2026-11-15T00:00:00Z,gold,40,")));
    world.file("crm.csv", &(kept.join("\n") + "\n"));
    for name in ["web.ndjson", "shop.csv"] {
        let text = std::fs::read_to_string(world.path().join(name)).unwrap();
        world.file(name, &(text.lines().take(100).collect::<Vec<_>>().join("\n") + "\n"));
    }
    let links = std::fs::read_to_string(world.path().join("links.csv")).unwrap();
    world.file("links.csv", &(links + "CUST00077009,cookie-b9e9e5b5-50\nCUST00077001,cookie-0-0\n"));
    let definitions = std::fs::read_to_string(world.path().join("audiences.yaml")).unwrap();
    let definitions = definitions.replace("age >= 18", "age >= 30").replace("id: vip,", "id: members,");
    world.file("audiences.yaml", &definitions.replace("include: [gold]", "include: [gold, adults]"));
    world.build(What::Full).unwrap();

    let store = Store::open(world.data()).unwrap();
    let found = compare_two(&world.loaded(), &store, Generation(1), Generation(2), &Watch::default()).unwrap().unwrap();
    let ((before, all_before), (after, all_after)) = (told(world, 1), told(world, 2));
    assert!(!found.same_index);
    assert_eq!(found.fates.new, without(&all_after, &all_before));
    assert_eq!(found.fates.gone, without(&all_before, &all_after));
    assert!(found.fates.new > 0 && found.fates.gone > 0, "{:?}", found.fates);
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    assert_eq!(found.audiences.len(), ids.len());
    for compared in &found.audiences {
        let of = |told: &BTreeMap<String, Vec<_>>| told.get(&compared.id.to_string()).cloned().unwrap_or_default();
        let (was, is) = (of(&before), of(&after));
        assert_eq!(
            (compared.moves.joins, compared.moves.leaves),
            (without(&is, &was), without(&was, &is)),
            "{compared:?}"
        );
    }
    let own = compare_two(&world.loaded(), &store, Generation(2), Generation(2), &Watch::default()).unwrap().unwrap();
    assert!(own.same_index && own.audiences.iter().all(|it| it.moves == Default::default() && it.defined.is_none()));

    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vaglio"));
    let config = world.config();
    let arguments = ["generations", "--compare", "1", "2", "--config", config.to_str().unwrap()];
    command.args(arguments).env_remove("VAGLIO_DATA_DIR");
    let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(printed.contains("acme/members") && printed.contains("Matched by identifiers: "), "{printed}");
    println!("{printed}");

    let server = stage.serve();
    wait_until("the second generation", || server.generation() == 2);
    let answer = server.get("/api/v1/generations/1/compare/2").json();
    let named = |id: &str| {
        let all = answer["audiences"].as_array().unwrap();
        all.iter().find(|it| it["id"] == id).cloned().unwrap_or(Value::Null)
    };
    assert_eq!(named("acme/adults")["definition"], "changed");
    assert_eq!(named("acme/vip")["definition"], "removed");
    assert_eq!(named("acme/members")["definition"], "added");
    assert!(named("acme/gold")["joins"].as_u64().unwrap() > 0, "{answer:#}");
    assert_eq!(answer["campaigns"], json!([{"id": "acme/upgrade", "definition": "changed"}]));
}

#[test]
fn generations_are_listed_shown_and_refused_by_name() {
    let stage = Stage::built(60);
    stage.world.build(What::Activate).unwrap();
    let server = stage.serve();
    wait_until("the second generation", || server.generation() == 2);
    let list = server.get("/api/v1/generations").json();
    assert_eq!((&list["live"], &list["pinned"], &list["in_service"]), (&json!(2), &Value::Null, &json!(2)));
    let numbers: Vec<_> = list["generations"].as_array().unwrap().iter().map(|it| it["generation"].clone()).collect();
    assert_eq!(numbers, [json!(2), json!(1)]);
    let newest = &list["generations"][0];
    assert_eq!((&newest["index_of"], &newest["audiences"]), (&json!(1), &json!(4)));
    assert_eq!(newest["sources"].as_array().unwrap().len(), 6);
    let one = server.get("/api/v1/generations/2").json();
    assert_eq!(one["audience_list"][0]["id"], "acme/adults");
    assert!(one["audience_list"][0]["members"].as_u64().unwrap() > 0);
    assert_eq!((&one["in_service"], &one["live"]), (&json!(true), &json!(true)));
    let same = server.get("/api/v1/generations/1/compare/2").json();
    assert_eq!((&same["same_index"], &same["audiences"][0]["joins"]), (&json!(true), &json!(0)));
    assert_eq!(server.get("/api/v1/generations/9").status, 404);
    assert_eq!(server.get("/api/v1/generations/1/compare/9").status, 404);
    assert_eq!(server.get("/api/v1/generations/first").status, 400);
    assert_eq!(server.post("/api/v1/generations/x/rollback", "").status, 400);
}
