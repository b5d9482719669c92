//! Goals: each met and missed, and what the last line says.

use super::*;

fn measured() -> Measured {
    let counts = Counts { due: 1_000, accepted: 995, shed: 5, ..Counts::default() };
    let latency = Latency {
        count: 995,
        p50_us: 200,
        p99_us: 900,
        p999_us: 4_000,
        max_us: 9_000,
        buckets: vec![(200, 500), (900, 486), (1_900, 5), (4_000, 3), (9_000, 1)],
        ..Latency::default()
    };
    Measured { name: "steady".to_owned(), seconds: 1.0, counts, latency, ..Measured::default() }
}

fn one(measured: &Measured, goals: Goals) -> Verdict {
    let against = Against { tmax_ms: 50, idle_p99_us: Some(500), peak: Some(1_000.0) };
    let mut verdicts = verdicts(measured, &goals, against);
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    verdicts.remove(0)
}

#[test]
fn every_goal_can_be_met_and_missed() {
    let found = measured();
    let checked =
        |wrong| Measured { counts: Counts { checked: 10, wrong_suppress: wrong, ..found.counts }, ..found.clone() };
    let cases = [
        (Goals { p50_ms: Some(0.2), ..Goals::default() }, Goals { p50_ms: Some(0.1), ..Goals::default() }),
        (Goals { p99_ms: Some(1.0), ..Goals::default() }, Goals { p99_ms: Some(0.5), ..Goals::default() }),
        (Goals { p999_ms: Some(4.0), ..Goals::default() }, Goals { p999_ms: Some(3.9), ..Goals::default() }),
        (
            Goals { accepted_share: Some(0.995), ..Goals::default() },
            Goals { accepted_share: Some(0.996), ..Goals::default() },
        ),
        (
            Goals { goodput_share_of_peak: Some(0.9), ..Goals::default() },
            Goals { goodput_share_of_peak: Some(0.999), ..Goals::default() },
        ),
        (
            Goals { p99_times_idle: Some(2.0), ..Goals::default() },
            Goals { p99_times_idle: Some(1.5), ..Goals::default() },
        ),
    ];
    for (met, missed) in cases {
        assert!(one(&found, met.clone()).met, "{met:?}");
        assert!(!one(&found, missed.clone()).met, "{missed:?}");
    }
    let wrong = Goals { wrong_verdicts: Some(0), ..Goals::default() };
    assert!(one(&checked(0), wrong.clone()).met);
    assert!(!one(&checked(1), wrong.clone()).met);
    assert!(!one(&found, wrong).met, "nothing was checked, so nothing is known");
    let errors = Goals { errors: Some(0), ..Goals::default() };
    assert!(one(&found, errors.clone()).met);
    let failing = Measured { counts: Counts { errors: 1, ..found.counts }, ..found.clone() };
    assert!(!one(&failing, errors.clone()).met);
    let nobody =
        Measured { counts: Counts { due: 10, unanswered: 9, unsent: 1, ..Counts::default() }, ..found.clone() };
    let verdict = one(&nobody, errors.clone());
    assert_eq!((verdict.met, verdict.found.as_str()), (false, "nobody answered"));
    assert_eq!(one(&Measured::default(), errors).found, "nothing was due");
    let deadline = Goals { within_deadline: Some(true), ..Goals::default() };
    assert!(one(&found, deadline.clone()).met);
    let late = Measured { counts: Counts { too_late: 1, unanswered: 1, ..found.counts }, ..found.clone() };
    let verdict = one(&late, deadline.clone());
    assert!(!verdict.met && verdict.found.contains("came later or not at all"), "2 of 997: {verdict:?}");
    let mut most = late.clone();
    most.latency.count = 1_998;
    assert!(one(&most, deadline.clone()).met, "2 of 2000");
    most.latency.count = 1_997;
    assert!(!one(&most, deadline.clone()).met, "2 of 1999");
    let nothing = Measured { latency: Latency::default(), ..found };
    assert_eq!(one(&nothing, deadline).found, "nothing was accepted");
}

#[test]
fn what_was_given_up_counts_as_slow() {
    let mut found = measured();
    found.counts.unanswered = 20;
    let verdict = one(&found, Goals { p99_ms: Some(1.0), ..Goals::default() });
    assert!(!verdict.met && verdict.found.contains("1.97 % were not answered in time"), "{verdict:?}");
    assert!(one(&found, Goals { p50_ms: Some(1.0), ..Goals::default() }).met, "the median is known all the same");
    let idle = Goals { p99_times_idle: Some(9.0), ..Goals::default() };
    let verdict = one(&found, idle.clone());
    assert!(!verdict.met && verdict.found.contains("not answered in time"), "{verdict:?}");
    // Few enough for an end: but the 99th of a hundred is not the one of the accepted alone.
    found.counts.unanswered = 5;
    let verdict = one(&found, Goals { p99_ms: Some(1.0), ..Goals::default() });
    assert_eq!((verdict.met, verdict.found.as_str()), (false, "1.9 ms"), "rank 990 of 1000, of which 986 took 0.9 ms");
    let verdict = one(&found, idle);
    assert_eq!((verdict.met, verdict.found.as_str()), (true, "3.80 x"));
    assert!(!one(&found, Goals { p99_times_idle: Some(2.0), ..Goals::default() }).met, "0.9 ms would be 1.8 x");
    found.latency = Latency::default();
    found.counts = Counts { due: 10, errors: 10, ..Counts::default() };
    let verdict = one(&found, Goals { p99_ms: Some(1.0), ..Goals::default() });
    assert!(!verdict.met, "no answer is no quick answer: {verdict:?}");
}

#[test]
fn wrong_verdicts_of_all_steps_count_together() {
    let phase = |step, wrong| Measured {
        step,
        counts: Counts { due: 10, checked: 10, wrong_target: wrong, ..Counts::default() },
        ..Measured::default()
    };
    let goals = Goals { wrong_verdicts: Some(0), ..Goals::default() };
    let met = |phases: &[Measured]| wrong_in_all(phases, &goals).iter().all(|verdict| verdict.met);
    assert!(met(&[phase(true, 0), phase(false, 1)]), "a phase is judged by itself");
    assert!(!met(&[phase(true, 0), phase(true, 1), phase(false, 0)]));
    assert!(wrong_in_all(&[phase(true, 1)], &Goals::default()).is_empty(), "nobody asked");
}

#[test]
fn shares_are_said_as_finely_as_they_are_asked_for() {
    let shares = [(0.9999, "99.99 %"), (0.99985, "99.985 %"), (0.999_999, "99.999 %"), (0.9, "90 %"), (1.0, "100 %")];
    for (share, said) in shares.into_iter().chain([(0.0, "0 %"), (0.29, "29 %"), (0.1, "10 %")]) {
        assert_eq!(percent(share), said);
    }
}

#[test]
fn the_last_line_says_what_was_missed() {
    let verdicts = verdicts(
        &measured(),
        &Goals { p99_ms: Some(0.5), errors: Some(0), wrong_verdicts: Some(0), ..Goals::default() },
        Against::default(),
    );
    let workload = crate::load::reading::from_text(
        "name: x\ndoors: { lookup: 1 }\narrivals: { phases: [{ per_second: 1, seconds: 1 }] }",
        std::path::Path::new("x.yaml"),
    );
    let mut run = Run {
        format: 1,
        workload: workload.unwrap(),
        began: String::new(),
        generator: std::collections::BTreeMap::new(),
        phases: Vec::new(),
        peak: None,
        verdicts,
        remarks: Vec::new(),
    };
    let said = line(&run);
    assert_eq!(said, "failed: x: steady: p99 0.9 ms > 0.5 ms; steady: wrong verdicts <= 0: none was checked");
    run.verdicts.retain(|verdict| verdict.met);
    assert_eq!(line(&run), "passed: x: 1 goal met");
}
