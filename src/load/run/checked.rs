//! What answers are held against: whether a truth is one about the people of this run, and what of a run was not checked.

use crate::error::{Error, Result};
use crate::load::measured::Measured;
use crate::load::requests::Questions;
use crate::load::truth::{Head, Truth};
use crate::load::workload::{Door, Workload};
use crate::schema::{Clock, Timestamp};
use std::path::Path;

/// Reads the truth of a run, and asks only about those whom it knows.
///
/// # Errors
/// A truth that cannot be read, one of another users file, and one that leaves nobody to ask about.
pub fn truth(
    workload: &Workload,
    file: Option<&Path>,
    questions: &mut Questions,
    remarks: &mut Vec<String>,
) -> Result<Option<Truth>> {
    let Some(file) = file else {
        remarks.push("verdicts were not checked: no --truth was given".to_owned());
        return Ok(None);
    };
    let truth = Truth::read(file)?;
    let (all, _) = questions.people();
    if truth.len() != all {
        let users = match &workload.users.file {
            Some(users) => format!("the users file {} has {all} people", users.display()),
            None => "there is no users file (--users)".to_owned(),
        };
        return Err(Error::usage(format!(
            "{}: a truth about {} people, and {users}; write one of the same file: `vaglio load truth --users FILE`",
            file.display(),
            truth.len()
        )));
    }
    questions.keep(|line| truth.knows(line));
    let (all, kept) = questions.people();
    if kept == 0 {
        return Err(Error::usage(format!(
            "{}: the server knows none of the {all} people of the users file; take another users file, or a truth of the generation that is in service",
            file.display()
        )));
    }
    if kept < all {
        remarks.push(format!("asked about {kept} of {all} people: the truth knows no more of them"));
    }
    remarks.extend(out_of_date(truth.head(), Clock::System.now()));
    let passed_over: Vec<&str> = (workload.doors.keys())
        .filter(|door| **door != Door::Events && !Truth::checks(**door))
        .map(|door| door.name())
        .collect();
    if !passed_over.is_empty() {
        remarks.push(format!(
            "answers at {} were not checked: they name nothing that the truth tells",
            passed_over.join(", ")
        ));
    }
    Ok(Some(truth))
}

/// A truth of a clock that stands still is right for ever: it begins and ends at one instant.
fn out_of_date(head: &Head, now: Timestamp) -> Option<String> {
    let (from, until) = (Timestamp::parse(&head.from)?, Timestamp::parse(&head.until)?);
    (from < until && !(from..=until).contains(&now)).then(|| {
        format!(
            "the truth is right from {from} to {until}, and the run began at {now}: wrong verdicts may be right ones"
        )
    })
}

/// What a reader must know of the answers of a whole run.
pub(super) fn remarks(generation: Option<u64>, phases: &[Measured]) -> Vec<String> {
    let mut remarks = Vec::new();
    for phase in phases.iter().filter(|phase| !phase.step && phase.items < phase.items_asked) {
        remarks.push(format!(
            "{}: accepted answers had {} of {} lookups or events: of what was asked together, some was shed (of events: some were there already)",
            phase.name, phase.items, phase.items_asked
        ));
    }
    let mut answered = phases.iter().flat_map(|phase| phase.generations.keys()).peekable();
    if let Some(generation) = generation
        && answered.peek().is_some()
        && answered.all(|it| *it != generation)
    {
        remarks.push(format!(
            "the truth is of generation {generation}, and no answer was: wrong verdicts may be right ones"
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::truth::Person;

    fn head(from: &str, until: &str) -> Head {
        let (from, until) = (from.to_owned(), until.to_owned());
        let stranger = Person { status: "no_profile".to_owned(), ..Person::default() };
        Head { format: 1, generation: 7, from, until, audiences: vec![], campaigns: vec![], stranger }
    }

    /// What is said of a truth of people of such statuses about a users file of so many lines: an error, or remarks.
    fn told(lines: usize, statuses: &[&str], doors: &str) -> std::result::Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("users.ndjson"), "{\"ifa\":\"a-b\"}\n".repeat(lines)).unwrap();
        let mut text = serde_json::to_string(&head("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")).unwrap() + "\n";
        statuses.iter().for_each(|status| text += &format!("{{\"status\":\"{status}\"}}\n"));
        let file = directory.path().join("truth.ndjson");
        std::fs::write(&file, text).unwrap();
        let workload = format!(
            "name: x\ndoors: {doors}\nusers: {{ file: users.ndjson }}\narrivals: {{ phases: [{{ per_second: 1, seconds: 1 }}] }}"
        );
        let workload: Workload = crate::load::reading::from_text(&workload, Path::new("x.yaml")).unwrap();
        let mut questions = Questions::new(&workload, directory.path()).unwrap();
        let mut remarks = Vec::new();
        truth(&workload, Some(&file), &mut questions, &mut remarks).map_err(|error| error.to_string())?;
        Ok(remarks)
    }

    #[test]
    fn a_truth_of_another_users_file_is_refused() {
        let said = told(3, &["matched"], "{ decide: 1 }").unwrap_err();
        assert!(
            said.contains("about 1 people") && said.contains("has 3 people") && said.contains("load truth"),
            "{said}"
        );
        let said = told(2, &["no_profile", "no_id"], "{ decide: 1 }").unwrap_err();
        assert!(said.contains("none of the 2 people"), "{said}");
        assert_eq!(told(2, &["matched", "blocked"], "{ decide: 1 }"), Ok(vec![]));
    }

    #[test]
    fn who_is_left_out_and_what_is_not_checked_is_said() {
        let remarks =
            told(3, &["matched", "no_profile", "matched"], "{ enrich: 1, decide: 1, grpc-stream: 2, events: 1 }");
        let remarks = remarks.unwrap();
        assert!(remarks[0].contains("2 of 3 people"), "{remarks:?}");
        assert!(remarks[1].contains("answers at enrich, grpc-stream were not checked"), "{remarks:?}");
        assert_eq!(remarks.len(), 2);
    }

    #[test]
    fn a_truth_out_of_its_time_is_told() {
        let at = |text| Timestamp::parse(text).unwrap();
        let day = head("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        assert_eq!(out_of_date(&day, at("2026-01-01T12:00:00Z")), None);
        assert!(
            out_of_date(&day, at("2026-01-02T00:00:01Z")).is_some_and(|said| said.contains("2026-01-02T00:00:00Z"))
        );
        assert!(out_of_date(&day, at("2025-12-31T23:59:59Z")).is_some());
        let still = head("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        assert_eq!(out_of_date(&still, at("2027-01-01T00:00:00Z")), None, "its clock stands still");
    }

    #[test]
    fn answers_that_say_too_little_are_told() {
        let phase = Measured { items: 90, items_asked: 100, generations: [(8, 5)].into(), ..Measured::default() };
        let said = remarks(Some(7), std::slice::from_ref(&phase));
        assert!(said[0].contains("90 of 100") && said[1].contains("generation 7"), "{said:?}");
        let whole = Measured { items: 100, ..phase };
        assert_eq!(remarks(Some(8), &[whole]), Vec::<String>::new());
    }
}
