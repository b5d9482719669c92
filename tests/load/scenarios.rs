//! The workloads of `load-tests/`, run for moments against the real program: nothing fails, nothing is wrong, and everything
//! that was due is accounted for. How fast it goes is nobody's concern here: the machine may be busy, the build is a debug one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vaglio::load::measured::{Counts, Run};

/// Building the world takes seconds where the machine is busy.
const PATIENCE: Duration = Duration::from_secs(120);

fn workloads() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("load-tests/workloads")
}

fn vaglio(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VAGLIO_")) {
        command.env_remove(name);
    }
    command
}

#[track_caller]
fn done(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

/// A telecom operator's world with a clock that stands still, built, and the truth about everybody in it who is asked for.
fn world() -> &'static Path {
    static WORLD: OnceLock<TempDir> = OnceLock::new();
    WORLD
        .get_or_init(|| {
            let world = tempfile::tempdir().unwrap();
            let here = world.path();
            done(vaglio(here, &["synth", "--people", "2000", "--seed", "5", "--out", "."]).output().unwrap());
            done(vaglio(here, &["build", "--quiet"]).output().unwrap());
            let truth =
                ["load", "truth", "--config", "vaglio.yaml", "--users", "lookups.ndjson", "--out", "truth.ndjson"];
            done(vaglio(here, &truth).output().unwrap());
            world
        })
        .path()
}

/// A server over the world, stopped when the test ends.
struct Serving {
    child: Child,
    addresses: [(&'static str, String); 3],
}

impl Serving {
    fn start(settings: &[(&str, &str)]) -> Serving {
        let mut command = vaglio(world(), &["serve", "--no-build"]);
        for port in ["GRPC", "HTTP", "PLANNER"] {
            command.env(format!("VAGLIO_SERVER__{port}"), "127.0.0.1:0");
        }
        command.envs(settings.iter().copied());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = mpsc::channel();
        // Reads to the end, so that the server never waits for its log to be read.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| drop(send.send(line))));
        let mut serving = Serving { child, addresses: ["--grpc", "--http", "--planner"].map(|it| (it, String::new())) };
        let said = |what: &str| {
            let until = Instant::now() + PATIENCE;
            std::iter::from_fn(|| lines.recv_timeout(until.saturating_duration_since(Instant::now())).ok())
                .find(|line| line.contains(what))
                .unwrap_or_else(|| panic!("the log never says `{what}`"))
        };
        let listens = said("HTTP on ");
        for (address, behind) in serving.addresses.iter_mut().zip(["gRPC on ", "HTTP on http://", "metrics on http://"])
        {
            let (_, rest) = listens.split_once(behind).unwrap();
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
            address.1 = rest[..end].to_owned();
        }
        said("is in service");
        serving
    }

    /// Runs a workload file; what it found, whether its goals were met or not.
    fn run(&self, workload: &Path, more: &[&str]) -> Run {
        let into = tempfile::tempdir().unwrap();
        let json = into.path().join("run.json");
        let mut command = vaglio(world(), &["load"]);
        command
            .arg(workload)
            .args(["--users", "lookups.ndjson", "--truth", "truth.ndjson", "--quiet", "--json"])
            .arg(&json);
        command.args(self.addresses.iter().flat_map(|(option, address)| [*option, address.as_str()])).args(more);
        let output = command.output().unwrap();
        let said = || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(&json).unwrap_or_else(|error| panic!("{error}: {}", said()));
        let (passed, last) = (output.status.success(), said());
        assert!(last.contains(if passed { "passed: " } else { "failed: " }), "{last}");
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every request ended in one way, none in a wrong one.
#[track_caller]
fn accounted(run: &Run) {
    assert!(!run.phases.is_empty());
    for phase in &run.phases {
        let Counts { due, accepted, too_late, shed, unsent, unanswered, errors, .. } = phase.counts;
        assert_eq!(
            due,
            accepted + too_late + shed + unsent + unanswered + errors,
            "{}: {:?}",
            phase.name,
            phase.counts
        );
        assert_eq!((errors, &phase.failures), (0, &Default::default()), "{}", phase.name);
        assert_eq!((phase.counts.wrong_suppress, phase.counts.wrong_target), (0, 0), "{}", phase.name);
        assert!(due > 0, "{}", phase.name);
    }
}

#[test]
fn every_workload_file_is_right() {
    let mut files: Vec<_> = std::fs::read_dir(workloads()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    for file in &files {
        let said = done(vaglio(&workloads(), &["load", "check"]).arg(file).output().unwrap());
        assert!(!said.trim().is_empty(), "{}", file.display());
    }
}

#[test]
fn a_little_load_at_every_bid_door_is_answered_and_right() {
    let run = Serving::start(&[]).run(&workloads().join("smoke.yaml"), &["--seconds", "3", "--rate", "100"]);
    accounted(&run);
    let counts = run.phases[0].counts;
    assert!(counts.accepted > 0 && counts.checked > 0, "{counts:?}");
    assert!(run.phases[0].generations.len() == 1, "{:?}", run.phases[0].generations);
}

#[test]
fn more_than_a_server_takes_is_not_accepted_and_never_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(&[("VAGLIO_SERVER__MAX_IN_FLIGHT", "3"), ("VAGLIO_SERVER__WORKERS", "1")]);
    for name in ["overload", "overload-grpc"] {
        let text = std::fs::read_to_string(workloads().join(format!("{name}.yaml"))).unwrap();
        let peak = text.lines().find(|line| line.trim().starts_with("peak:")).unwrap();
        let small = "    peak: { from: 50, to: 400, factor: 2, step_seconds: 0.5, precision: 0.5 }";
        let text =
            text.replace(peak, small).replace("seconds: 10\n", "seconds: 1\n").replace("[1, 2, 5, 10]", "[1, 64]");
        let file = folder.path().join(format!("{name}.yaml"));
        std::fs::write(&file, text).unwrap();
        let run = serving.run(&file, &[]);
        accounted(&run);
        let times: Vec<&str> = run.phases.iter().filter(|phase| !phase.step).map(|phase| phase.name.as_str()).collect();
        assert_eq!(times, ["1x", "64x"]);
        assert!(run.phases.iter().map(|phase| phase.counts.checked).sum::<u64>() > 0);
        assert!(run.peak.unwrap().goodput_per_second > 0.0);
        let most = run.phases.iter().find(|phase| phase.name == "64x").map(|phase| phase.counts);
        assert!(most.is_some_and(|counts| counts.accepted < counts.due), "{name}: {most:?}");
    }
}
