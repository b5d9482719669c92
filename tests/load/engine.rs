//! The open loop, the search and the command line.

use crate::stand_in::{Manner, StandIn};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use vaglio::load::measured::{Counts, Latency, Measured, Run, Second};
use vaglio::load::reading;
use vaglio::load::run::{Order, Segment, Watch, run};

struct Nobody;

impl Watch for Nobody {
    fn begins(&mut self, _: &Segment) {}
    fn second(&mut self, _: &Segment, _: Second) {}
    fn ends(&mut self, _: &Measured) {}
}

fn order(stand_in: &StandIn, rest: &str) -> Order {
    let text = format!("name: test\ndoors: {{ lookup: 1 }}\nwarm_seconds: 0\n{rest}");
    let mut workload = reading::from_text(&text, Path::new("test.yaml")).unwrap();
    workload.target.http = stand_in.address.to_string();
    Order { workload, beside: PathBuf::new(), truth: None, server_pids: Vec::new() }
}

fn found(stand_in: &StandIn, rest: &str) -> Run {
    run(&order(stand_in, rest), &mut Nobody).unwrap()
}

#[track_caller]
fn adds_up(counts: Counts) {
    let Counts { due, accepted, too_late, shed, unsent, unanswered, errors, .. } = counts;
    assert_eq!(due, accepted + too_late + shed + unsent + unanswered + errors, "{counts:?}");
}

#[test]
fn a_stall_shows_though_few_requests_were_under_way_in_it() {
    let stalls = Some((Duration::from_millis(1_500), Duration::from_millis(200)));
    let stand_in = StandIn::start(Manner { stalls, ..Manner::default() });
    let run = found(
        &stand_in,
        "target: { connections: 2 }
arrivals: { spacing: even, phases: [{ per_second: 250, seconds: 4 }] }
request: { tmax_ms: 0 }",
    );
    let phase = &run.phases[0];
    adds_up(phase.counts);
    assert_eq!((phase.counts.due, phase.counts.errors), (1_000, 0), "{:?}", phase.failures);
    // A twentieth of the requests was due during the stall; the first fifth of those waited for 160 ms and more.
    assert!(phase.latency.p99_us >= 150_000, "{:?}", phase.latency);
    assert!(phase.seconds_of.iter().any(|second| second.max_us >= 190_000), "{:?}", phase.seconds_of);
    // Two of them were under way. Who counts from the sending, as a closed loop does, has hardly seen a slow answer.
    let slow = |latency: &Latency| {
        latency.buckets.iter().filter(|(us, _)| *us >= 100_000).map(|(_, count)| count).sum::<u64>()
    };
    assert!(slow(&phase.latency) >= 20, "{:?}", phase.latency);
    assert!(slow(&phase.service) < slow(&phase.latency) / 2, "{:?}", phase.service);
}

#[test]
fn the_rate_is_kept_whatever_the_answers_take_and_what_cannot_be_sent_is_counted() {
    let stand_in = StandIn::start(Manner { takes: Duration::from_millis(20), ..Manner::default() });
    let run = found(
        &stand_in,
        "target: { connections: 2 }
arrivals: { spacing: even, phases: [{ per_second: 20000, seconds: 1 }] }
request: { tmax_ms: 50 }",
    );
    let counts = run.phases[0].counts;
    adds_up(counts);
    assert_eq!(counts.due, 20_000);
    assert!(counts.unsent > 19_000, "two connections bear 100 a second: {counts:?}");
    assert!(counts.accepted + counts.too_late + counts.unanswered <= 120, "{counts:?}");
    assert!(stand_in.seen.lock().unwrap().bodies.len() as u64 <= 20_000 - counts.unsent);
}

#[test]
fn who_waits_too_long_gives_up_and_goes_on() {
    let stand_in = StandIn::start(Manner { takes: Duration::from_millis(400), ..Manner::default() });
    let run = found(
        &stand_in,
        "target: { connections: 8 }
arrivals: { spacing: even, phases: [{ per_second: 50, seconds: 1 }] }
request: { tmax_ms: 60 }",
    );
    let counts = run.phases[0].counts;
    adds_up(counts);
    assert_eq!((counts.accepted, counts.shed, counts.errors), (0, 0, 0), "{:?}", run.phases[0].failures);
    assert!(counts.unanswered >= 20, "{counts:?}");
}

#[test]
fn refusals_and_failures_are_told_apart() {
    let manner = Manner { fails_every: Some(10), sheds_every: Some(4), ..Manner::default() };
    let stand_in = StandIn::start(manner);
    let run = found(
        &stand_in,
        "target: { connections: 1 }
arrivals: { spacing: even, phases: [{ per_second: 200, seconds: 1 }] }
request: { tmax_ms: 0 }
goals: { errors: 0 }",
    );
    let phase = &run.phases[0];
    adds_up(phase.counts);
    let Counts { accepted, shed, errors, .. } = phase.counts;
    assert_eq!((accepted, shed, errors), (140, 40, 20), "{:?}", phase.failures);
    assert_eq!(phase.generations.keys().copied().collect::<Vec<_>>(), [42]);
    assert_eq!(run.verdicts.iter().map(|verdict| verdict.met).collect::<Vec<_>>(), [false]);
}

#[test]
fn the_same_seed_asks_the_same_questions() {
    let asked = |seed: u64| {
        let stand_in = StandIn::start(Manner::default());
        found(
            &stand_in,
            &format!(
                "target: {{ connections: 1 }}
seed: {seed}
arrivals: {{ phases: [{{ per_second: 300, seconds: 1 }}] }}
request: {{ tmax_ms: 0 }}"
            ),
        );
        std::mem::take(&mut stand_in.seen.lock().unwrap().bodies)
    };
    let once = asked(1);
    assert!(once.len() > 200);
    assert_eq!(once, asked(1));
    assert_ne!(once, asked(2));
}

#[test]
fn a_server_that_dies_is_counted_as_failures_and_the_run_ends() {
    let stand_in = StandIn::start(Manner { dies_after: Some(Duration::from_millis(500)), ..Manner::default() });
    let run = found(
        &stand_in,
        "target: { connections: 4 }
arrivals: { spacing: even, phases: [{ per_second: 500, seconds: 1.5 }] }",
    );
    let phase = &run.phases[0];
    adds_up(phase.counts);
    assert_eq!(phase.counts.due, 750);
    assert!(phase.counts.accepted > 50 && phase.counts.errors > 50, "{:?} {:?}", phase.counts, phase.failures);
    assert!(phase.failures.values().all(|(_, message)| !message.is_empty()), "{:?}", phase.failures);
}

#[test]
fn a_search_finds_no_more_than_the_server_bears() {
    let stand_in = StandIn::start(Manner { takes: Duration::from_millis(10), ..Manner::default() });
    let run = found(
        &stand_in,
        "target: { connections: 4 }
arrivals:
  saturation: { from: 50, to: 3200, factor: 2, step_seconds: 0.5, precision: 0.3 }
request: { tmax_ms: 60 }",
    );
    let peak = run.peak.unwrap();
    // Four connections, ten milliseconds each: 400 a second.
    assert!(peak.sustained_per_second <= 420.0, "{peak:?}");
    assert!(peak.goodput_per_second > 0.0 && peak.goodput_per_second <= 440.0, "{peak:?}");
    assert!(run.phases.len() > 1 && run.phases.iter().all(|phase| phase.step));
    run.phases.iter().for_each(|phase| adds_up(phase.counts));
}

#[test]
fn overload_is_measured_at_multiples_of_the_peak() {
    let stand_in = StandIn::start(Manner { takes: Duration::from_millis(10), ..Manner::default() });
    let run = found(
        &stand_in,
        "target: { connections: 4 }
arrivals:
  overload:
    peak: { from: 100, to: 800, factor: 2, step_seconds: 0.5, precision: 0.5 }
    times: [1, 5]
    seconds: 0.5
request: { tmax_ms: 60 }
goals: { goodput_share_of_peak: 0.01, p50_ms: 0.001 }",
    );
    let peak = run.peak.unwrap().goodput_per_second;
    let named: Vec<&Measured> = run.phases.iter().filter(|phase| !phase.step).collect();
    assert_eq!(named.iter().map(|phase| phase.name.as_str()).collect::<Vec<_>>(), ["1x", "5x"]);
    let last: Vec<bool> = run.phases[run.phases.len() - 5..].iter().map(|phase| phase.step).collect();
    assert_eq!(last, [true, false, true, false, true], "every multiple stands between two steps at the peak");
    let ends = [(5, "/s, before 1x"), (3, "/s, before 5x"), (1, "/s, after 5x")];
    for (from_end, end) in ends {
        let name = &run.phases[run.phases.len() - from_end].name;
        assert!(name.ends_with(end), "{name} does not end with {end}");
    }
    let (once, five) = (named[0].offered_per_second, named[1].offered_per_second);
    assert!((five - 5.0 * once).abs() < 1.0, "{once} {five}");
    // What counts is the highest goodput of all, be it of the search or of a phase.
    let goodput = |phase: &Measured| phase.counts.accepted as f64 / phase.seconds;
    let highest = run.phases.iter().map(goodput).fold(0.0, f64::max);
    assert!((peak - highest).abs() < 1e-6 && once <= peak, "{once} {peak} {highest}");
    assert!(named[1].counts.unsent > 0);
    let verdicts: Vec<(&str, bool)> =
        run.verdicts.iter().map(|verdict| (verdict.phase.as_str(), verdict.met)).collect();
    assert_eq!(verdicts, [("", true), ("1x", false), ("5x", false), ("5x", true)], "{:?}", run.verdicts);
    assert!(run.peak.unwrap().sustained_per_second > 0.0, "goals of the phases are none of the search");
}

#[test]
fn a_search_that_never_failed_says_so() {
    let stand_in = StandIn::start(Manner::default());
    let run = found(
        &stand_in,
        "arrivals: { saturation: { from: 20, to: 40, factor: 2, step_seconds: 0.5 } }
request: { tmax_ms: 20000 }",
    );
    assert_eq!(run.peak.unwrap().sustained_per_second, 40.0);
    assert!(run.remarks.iter().any(|remark| remark.contains("never failed up to 40/s")), "{:?}", run.remarks);
}

/// Remembers what a run said, in order, with how many requests the server had seen by then.
struct Heard<'a>(&'a StandIn, Vec<(String, usize)>);

impl Heard<'_> {
    fn hears(&mut self, what: &str, of: &str) {
        self.1.push((format!("{what} {of}"), self.0.seen.lock().unwrap().bodies.len()));
    }
}

impl Watch for Heard<'_> {
    fn begins(&mut self, segment: &Segment) {
        self.hears("begins", &segment.name);
    }
    fn second(&mut self, segment: &Segment, _: Second) {
        self.hears("second", &segment.name);
    }
    fn ends(&mut self, measured: &Measured) {
        self.hears("ends", &measured.name);
    }
}

#[test]
fn who_watches_is_told_when_a_phase_begins_not_before_it() {
    let stand_in = StandIn::start(Manner::default());
    let plan = "arrivals: { spacing: even, phases: [{ name: a, per_second: 100, seconds: 1 }, { name: b, per_second: 100, seconds: 2 }] }
request: { tmax_ms: 0 }";
    let mut heard = Heard(&stand_in, Vec::new());
    run(&order(&stand_in, plan), &mut heard).unwrap();
    let begun: Vec<&str> = heard.1.iter().map(|(said, _)| said.as_str()).filter(|said| said.starts_with("b")).collect();
    assert_eq!(begun, ["begins a", "begins b"]);
    let at = |wanted: &str| heard.1.iter().position(|(said, _)| said == wanted).unwrap_or(usize::MAX);
    assert!(at("begins a") == 0 && at("begins b") < at("second b") && at("begins b") < at("ends a"), "{:?}", heard.1);
    assert!(heard.1[at("begins b")].1 > 0, "the second begins when the first has asked: {:?}", heard.1);
}

#[test]
fn phases_begin_with_a_second() {
    let stand_in = StandIn::start(Manner::default());
    let run = found(
        &stand_in,
        "arrivals: { spacing: even, phases: [{ per_second: 100, seconds: 2 }] }
request: { tmax_ms: 0 }",
    );
    let due: Vec<u64> = run.phases[0].seconds_of.iter().map(|second| second.due).collect();
    assert_eq!(due, [100, 100], "no second of a few milliseconds at its end");
    assert!(run.phases[0].generator_busy_share > 0.0, "what it waited before the phase is none of its idle time");
}

pub fn vaglio(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vaglio")).arg("load").args(arguments).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn workload_file(directory: &Path, rest: &str) -> String {
    let path = directory.join("w.yaml");
    std::fs::write(&path, format!("name: tried\ndoors: {{ lookup: 1 }}\nwarm_seconds: 0\n{rest}")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_command_line_says_passed_or_failed_last_and_exits_accordingly() {
    let directory = tempfile::tempdir().unwrap();
    let stand_in = StandIn::start(Manner::default());
    let address = stand_in.address.to_string();
    let plan = "arrivals: { phases: [{ per_second: 100, seconds: 0.3 }] }\ngoals: { errors: 0 }";
    let file = workload_file(directory.path(), plan);
    let json = directory.path().join("run.json");
    let output = vaglio(&[&file, "--http", &address, "--json", json.to_str().unwrap(), "--connections", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().last(), Some("passed: tried: 1 goal met"));
    let run: Run = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!((run.workload.target.connections, run.phases.len()), (2, 1));

    let file = workload_file(directory.path(), &plan.replace("errors: 0", "wrong_verdicts: 0"));
    let output = vaglio(&[&file, "--http", &address, "--quiet"]);
    assert_eq!(output.status.code(), Some(1));
    let last = "failed: tried: 1: wrong verdicts <= 0: none was checked";
    assert_eq!(text(&output.stdout).lines().last(), Some(last));
    assert_eq!(text(&output.stderr), "", "everything was said");
}

#[test]
fn wrong_input_exits_2_and_an_absent_server_1() {
    let directory = tempfile::tempdir().unwrap();
    let plan = "arrivals: { phases: [{ per_second: 100, seconds: 1 }] }";
    let file = workload_file(directory.path(), plan);
    for (arguments, code, said) in [
        (vec!["no/such.yaml"], 2, "there is no such file"),
        (vec![&file, "--rate", "0"], 2, "--rate must be above 0"),
        (vec![&file, "--http", "here"], 2, "is not HOST:PORT"),
        (vec![&file, "--server-pid", "4294967295"], 2, "no process 4294967295"),
        (vec![&file, "--truth", "no/such.truth"], 1, "no/such.truth"),
        (vec![&file, "--http", "127.0.0.1:1"], 1, "127.0.0.1:1"),
        (vec![], 2, "WORKLOAD"),
    ] {
        let output = vaglio(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    let output = vaglio(&["check", &file]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("About 100 requests in 1 s"), "{}", text(&output.stdout));
    let file = workload_file(directory.path(), "arrivals: { phases: [{ per_second: 0, seconds: 1 }] }\ngaols: 1");
    let output = vaglio(&["check", &file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("2 mistakes"), "{}", text(&output.stderr));
}

#[test]
fn an_interrupted_run_reports_what_was_measured() {
    let directory = tempfile::tempdir().unwrap();
    let stand_in = StandIn::start(Manner::default());
    let file = workload_file(directory.path(), "arrivals: { phases: [{ per_second: 100, seconds: 600 }] }");
    let child = Command::new(env!("CARGO_BIN_EXE_vaglio"))
        .args(["load", &file, "--http", &stand_in.address.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while stand_in.seen.lock().unwrap().bodies.len() < 20 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let last = text(&output.stdout).lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("failed: tried: ") && last.contains("interrupted"), "{last}");
}
