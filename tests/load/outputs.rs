//! What the command writes besides its table, and what it leaves alone.

use crate::engine::{text, vaglio, workload_file};
use crate::stand_in::{Manner, StandIn};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use vaglio::load::measured::Run;

const PLAN: &str = "arrivals: { phases: [{ name: one, per_second: 100, seconds: 0.3 }, { name: two words, per_second: 100, seconds: 0.3 }] }";

fn path(directory: &Path, name: &str) -> String {
    directory.join(name).to_str().unwrap().to_owned()
}

#[test]
fn phases_are_marked_in_order_and_warm_ups_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let stand_in = StandIn::start(Manner::default());
    let file = workload_file(directory.path(), PLAN);
    let text_of_it = std::fs::read_to_string(&file).unwrap().replace("warm_seconds: 0", "warm_seconds: 0.2");
    std::fs::write(&file, text_of_it).unwrap();
    let marks = path(directory.path(), "marks.txt");
    std::fs::write(&marks, "of another run\n").unwrap();
    let output = vaglio(&[&file, "--http", &stand_in.address.to_string(), "--quiet", "--marks", &marks]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let marks = std::fs::read_to_string(marks).unwrap();
    let lines: Vec<(&str, &str)> = marks.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(lines.iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["one", "two words"]);
    let at: Vec<f64> = lines.iter().map(|(at, _)| at.parse().unwrap()).collect();
    assert!(
        at[0] < at[1] && lines.iter().all(|(at, _)| at.split_once('.').is_some_and(|it| it.1.len() == 3)),
        "{marks}"
    );
}

#[test]
fn files_that_cannot_be_written_or_are_the_same_are_told_before_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let file = workload_file(directory.path(), PLAN);
    let (absent, one) = (path(directory.path(), "no/such/marks"), path(directory.path(), "one"));
    let output = vaglio(&[&file, "--http", "127.0.0.1:1", "--marks", &absent]);
    assert!(text(&output.stderr).contains("no/such/marks"), "{}", text(&output.stderr));
    for files in
        [["--json", &one, "--html", &one], ["--marks", &one, "--json", &one], ["--json", &file, "--html", &one]]
    {
        let output = vaglio(&[&[file.as_str(), "--http", "127.0.0.1:1"], files.as_slice()].concat());
        assert_eq!(output.status.code(), Some(2), "{files:?}");
        assert!(text(&output.stderr).contains("are the same file"), "{}", text(&output.stderr));
    }
    assert!(std::fs::read_to_string(file).unwrap().contains("tried"), "the workload is there");
}

#[test]
fn what_was_found_before_stays_until_something_else_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let file = workload_file(directory.path(), PLAN);
    let (json, html) = (path(directory.path(), "run.json"), path(directory.path(), "run.html"));
    let yesterday = "yesterday ".repeat(100_000);
    for file in [&json, &html] {
        std::fs::write(file, &yesterday).unwrap();
    }
    let output = vaglio(&[&file, "--http", "127.0.0.1:1", "--json", &json, "--html", &html]);
    assert_eq!(output.status.code(), Some(1));
    for file in [&json, &html] {
        assert!(std::fs::read_to_string(file).unwrap() == yesterday, "a server that is not there destroys {file}");
    }
    let stand_in = StandIn::start(Manner::default());
    let output = vaglio(&[&file, "--http", &stand_in.address.to_string(), "--quiet", "--json", &json, "--html", &html]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let run: Run = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(run.phases.len(), 2);
    assert!(std::fs::read_to_string(html).unwrap().trim_end().ends_with("</html>"));
}

#[test]
fn a_search_that_is_interrupted_while_it_warms_up_gives_no_advice() {
    let directory = tempfile::tempdir().unwrap();
    let stand_in = StandIn::start(Manner::default());
    let file = workload_file(directory.path(), "arrivals: { saturation: { from: 100 } }");
    let long = std::fs::read_to_string(&file).unwrap().replace("warm_seconds: 0", "warm_seconds: 600");
    std::fs::write(&file, long).unwrap();
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
    let last = text(&output.stdout).lines().last().unwrap_or_default().to_owned();
    assert_eq!(last, "failed: tried: the plan is carried out: interrupted");
}

#[test]
fn show_asks_about_the_people_and_the_truth_that_are_given() {
    let directory = tempfile::tempdir().unwrap();
    let file = workload_file(directory.path(), &format!("{PLAN}\nusers: {{ unknown_share: 0 }}"));
    let (users, truth) = (path(directory.path(), "users.ndjson"), path(directory.path(), "truth.ndjson"));
    std::fs::write(&users, "{\"ifa\":\"aaaa-1\"}\n{\"ifa\":\"bbbb-2\"}\n").unwrap();
    let head = r#"{"format":1,"generation":1,"from":"","until":"","audiences":[],"campaigns":[],"stranger":{"status":"no_profile"}}"#;
    std::fs::write(&truth, format!("{head}\n{{\"status\":\"no_profile\"}}\n{{\"status\":\"matched\"}}\n")).unwrap();
    for number in ["0", "1", "2", "3"] {
        let output = vaglio(&["show", &file, "--users", &users, "--truth", &truth, "--number", number]);
        let said = text(&output.stdout);
        assert!(
            said.contains("person 2 of the users file") && said.contains("bbbb-2"),
            "{said}{}",
            text(&output.stderr)
        );
    }
    std::fs::write(&users, "{\"ifa\":\"aaaa-1\"}\n").unwrap();
    let output = vaglio(&["show", &file, "--users", &users, "--truth", &truth]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a truth about 2 people"), "{}", text(&output.stderr));
}
