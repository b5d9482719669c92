//! Workload files: good ones are read, and of a bad one everything that is wrong is said, each with its place.

use super::*;
use crate::load::workload::{Door, Spacing};

fn read(text: &str) -> Result<Workload> {
    from_text(text, Path::new("w.yaml"))
}

/// What is said of a text, one problem a line.
fn said(text: &str) -> Vec<String> {
    let error = read(text).expect_err("it is wrong");
    assert_eq!(error.exit_code(), 2);
    error.problems().iter().map(|problem| problem.to_string().replace("\n    help:", " ->")).collect()
}

const GOOD: &str = "
name: good
doors: { enrich: 3, grpc-batch: 1 }
arrivals:
  spacing: even
  phases:
    - { name: idle, per_second: 100, seconds: 5 }
    - { per_second: 1_000, to_per_second: 5000, seconds: 2.5, goals: { p99_times_idle: 2 } }
users: { ids: { 1: 0.5, 3: 0.5 }, unknown_share: 0.25 }
goals: { p99_ms: 1 }
";

#[test]
fn a_good_one_is_read_and_survives_json() {
    let workload = read(GOOD).unwrap();
    assert_eq!(workload.doors[&Door::GrpcBatch], 1.0);
    assert_eq!(workload.arrivals.spacing, Spacing::Even);
    assert_eq!(workload.users.ids[&3], 0.5);
    let Plan::Phases(phases) = &workload.arrivals.plan else { panic!("phases") };
    assert_eq!((phases[0].name.as_str(), phases[1].name.as_str()), ("idle", "2"));
    assert_eq!((phases[1].per_second, phases[1].to_per_second), (1_000.0, Some(5_000.0)));
    let json = serde_json::to_string(&workload).unwrap();
    let again: Workload = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), json);
}

#[test]
fn every_plan_is_read() {
    let plan =
        |arrivals: &str| read(&format!("name: x\ndoors: {{ lookup: 1 }}\narrivals: {arrivals}")).unwrap().arrivals.plan;
    assert!(
        matches!(plan("{ saturation: { from: 500 } }"), Plan::Saturation(it) if it.from == 500.0 && it.factor == 1.5)
    );
    let overload = plan("{ overload: { times: [1, 5], seconds: 10, peak: { to: 9000 } } }");
    assert!(matches!(overload, Plan::Overload(it) if it.times == [1.0, 5.0] && it.peak.to == 9_000.0));
}

#[test]
fn all_mistakes_are_said_at_once_with_their_places() {
    let said = said(
        "
name: bad
doors: { enrich: 0, enrihc: 1, grpc-batch: 1 }
arrivals:
  phases:
    - { per_second: -5, seconds: 1 }
    - { per_seconds: 5, seconds: abc }
    - { name: '1', per_second: 5, seconds: 0 }
target: { http: nowhere, connections: 0 }
users: { unknown_share: 1.5, ids: { one: 1, 0: 1 } }
request: { campaigns: 3, batch: 1000 }
goals: { p99_ms: 0, goodput_share_of_peak: 0.9 }
",
    );
    let expected = [
        "w.yaml:3:18: doors.enrich: a weight must be more than 0",
        "w.yaml:3:29: doors.enrihc: `enrihc` is not one of",
        "w.yaml:6:21: arrivals.phases[0].per_second: must be from 0 to 10000000",
        "w.yaml:7:9: unknown key `arrivals.phases[1].per_seconds` -> did you mean `per_second`?",
        "w.yaml:7:34: arrivals.phases[1].seconds: expected a number, found `abc`",
        "w.yaml:8:15: arrivals.phases[2].name: there are two phases named `1`",
        "w.yaml:8:44: arrivals.phases[2].seconds: a duration must be more than 0",
        "w.yaml:9:17: target.http: `nowhere` is not HOST:PORT",
        "w.yaml:9:39: target.connections: must be from 1 to 20000",
        "w.yaml:10:25: users.unknown_share: must be a share from 0 to 1, not 1.5",
        "w.yaml:10:42: users.ids.one: a key here is a whole number, 0 or more",
        "w.yaml:10:48: users.ids.0: a request carries from 1 to 64 identifiers",
        "w.yaml:11:23: request.campaigns: there are no `campaign_ids`",
        "w.yaml:11:33: request.batch: must be from 1 to 256",
        "w.yaml:12:18: goals.p99_ms: it must be more than 0",
        "w.yaml:12:44: goals.goodput_share_of_peak: only a plan of overload",
    ];
    for part in expected {
        assert!(said.iter().any(|said| said.contains(part)), "{part}\nin\n{}", said.join("\n"));
    }
    assert_eq!(said.len(), expected.len(), "and nothing else:\n{}", said.join("\n"));
}

#[test]
fn a_run_has_exactly_one_plan() {
    let head = "name: x\ndoors: { lookup: 1 }\n";
    let two =
        said(&format!("{head}arrivals: {{ saturation: {{ from: 1 }}, phases: [{{ per_second: 1, seconds: 1 }}] }}"));
    assert_eq!(
        two,
        ["w.yaml:3:11: arrivals: there are 2 plans: phases, saturation -> keep one of them; a run has one plan"]
    );
    let none = said(&format!("{head}arrivals: {{ spacing: even }}"));
    assert_eq!(none, ["w.yaml:3:11: arrivals: there is no plan -> say one of phases, saturation, overload"]);
    assert_eq!(said(head), ["w.yaml:1:1: `arrivals` is missing"]);
}

#[test]
fn searches_are_checked() {
    let said = said(
        "
name: x
doors: { lookup: 1 }
arrivals: { overload: { times: [2, 2, -1], seconds: 0, peak: { from: 100, to: 10, factor: 1, precision: 2 } } }
goals: { p99_times_idle: 2 }
request: { tmax_ms: 0 }
",
    );
    for part in [
        "times[1]: 2 stands there twice",
        "times[2]: a multiple",
        "seconds: a duration",
        "to: must be from",
        "factor: must be above 1",
        "precision: must",
        "no phase named `idle`",
        "request.tmax_ms: a search and an overload need a deadline",
    ] {
        assert!(said.iter().any(|said| said.contains(part)), "{part}\nin\n{}", said.join("\n"));
    }
    assert_eq!(said.len(), 8, "{}", said.join("\n"));
}

#[test]
fn nothing_is_without_bounds() {
    let with = |rest: &str| said(&format!("name: x\n{rest}"));
    let phases = |phases: &str| with(&format!("doors: {{ lookup: 1 }}\narrivals: {{ phases: [{phases}] }}"));
    let one = "{ per_second: 1, seconds: 1 }";
    let overload =
        "doors: { lookup: 1 }\narrivals: { overload: { times: [1001], seconds: 604801, peak: { step_seconds: 1e9 } } }";
    for (found, expected) in [
        (phases("{ per_second: 1, seconds: 604801 }"), vec!["seconds: must be at most 604800, a week"]),
        (phases(&[one; 1_001].join(", ")), vec!["arrivals.phases: there are 1001; a run has at most 1000"]),
        (
            with(&format!("doors: {{ lookup: 1 }}\nwarm_seconds: 1e9\narrivals: {{ phases: [{one}] }}")),
            vec!["warm_seconds: must be from 0 to 604800"],
        ),
        (
            with("doors: { lookup: 1 }\narrivals: { saturation: { from: 1, to: 1000000, factor: 1.001 } }"),
            vec!["saturation.factor: the search would take 13822 steps"],
        ),
        (
            with(overload),
            vec!["step_seconds: must be", "overload.seconds: must be", "times[0]: must be at most 1000 times"],
        ),
        (
            with(&format!(
                "doors: {{ artf: 1 }}\ntarget: {{ connections: 1001, streams: 100 }}\narrivals: {{ phases: [{one}] }}"
            )),
            vec!["target.connections: 1001 connections of 100 streams are more than 100000"],
        ),
    ] {
        for part in &expected {
            assert!(found.iter().any(|said| said.contains(part)), "{part}\nin\n{}", found.join("\n"));
        }
        assert_eq!(found.len(), expected.len(), "{}", found.join("\n"));
    }
}

#[test]
fn what_is_no_workload_at_all_is_said_in_a_sentence() {
    assert!(said("name: [")[0].contains("not valid YAML"));
    let error = super::read(Path::new("no/such/workload.yaml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the workload no/such/workload.yaml: there is no such file");
}
