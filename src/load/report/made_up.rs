//! Runs that never were, for tests: a server that queues as servers do, and stalls now and then.

use crate::load::measured::{Counts, Latency, Measured, Peak, Run, Second, Verdict};
use crate::load::workload::Workload;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Requests a second that the made-up server can bear.
const CAPACITY: f64 = 48_000.0;
/// Waits thrown a second; each stands for many.
const THROWN: u64 = 100;

struct Stage<'a> {
    name: &'a str,
    step: bool,
    rate: (f64, f64),
    seconds: u64,
    /// Since the run began: when it stalls for a moment.
    stalls: &'a [u64],
}

fn stage(name: &str, rate: f64, seconds: u64) -> Stage<'_> {
    Stage { name, step: false, rate: (rate, rate), seconds, stalls: &[] }
}

fn workload(name: &str, about: &str, arrivals: &str) -> Workload {
    let text = format!(
        r#"{{"name": "{name}", "about": "{about}", "doors": {{"enrich": 9, "decide": 1}}, "arrivals": {arrivals}}}"#
    );
    serde_json::from_str(&text).expect("a workload")
}

fn run(workload: Workload, stages: &[Stage]) -> Run {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut at = 2;
    let mut phases = Vec::new();
    for stage in stages {
        phases.push(measure(stage, at, &mut random));
        at += stage.seconds;
    }
    let generator = [("version", "0.1.0"), ("cores", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    Run {
        format: super::FORMAT,
        workload,
        began: "2026-11-23T09:15:00Z".to_owned(),
        generator: BTreeMap::from(generator),
        phases,
        peak: None,
        verdicts: Vec::new(),
        remarks: Vec::new(),
    }
}

fn measure(stage: &Stage, from: u64, random: &mut ChaCha8Rng) -> Measured {
    let (mut counts, mut thrown, mut seconds_of) = (Counts::default(), Vec::new(), Vec::new());
    for second in 0..stage.seconds {
        let share = second as f64 / stage.seconds.max(2).saturating_sub(1) as f64;
        let rate = stage.rate.0 + (stage.rate.1 - stage.rate.0) * share;
        let stalled = stage.stalls.contains(&(from + second));
        let due = (rate * random.random_range(0.99..1.01)) as u64;
        let shed = due.saturating_sub((CAPACITY * random.random_range(0.95..0.97)) as u64);
        let failed = if stalled { due / 200 } else { 0 };
        let accepted = due - shed - failed;
        let mut here: Vec<u64> = (0..THROWN).map(|_| waited(rate / CAPACITY, stalled, random)).collect();
        here.sort_unstable();
        let at = |q: f64| here[(q * (THROWN - 1) as f64) as usize];
        let [p50_us, p99_us, p999_us, max_us] = [at(0.5), at(0.99), at(0.999), at(1.0)];
        seconds_of.push(Second { at: from + second, due, accepted, shed, failed, p50_us, p99_us, p999_us, max_us });
        counts.due += due;
        counts.accepted += accepted;
        counts.shed += shed;
        counts.unanswered += failed;
        thrown.extend(here);
    }
    let latency = distribution(&thrown, counts.accepted);
    let service: Vec<u64> = thrown.iter().map(|us| us * 4 / 5).collect();
    Measured {
        name: stage.name.to_owned(),
        step: stage.step,
        offered_per_second: (stage.rate.0 + stage.rate.1) / 2.0,
        seconds: stage.seconds as f64,
        items: counts.accepted,
        service: distribution(&service, counts.accepted),
        shed_latency: if counts.shed > 0 {
            distribution(&[90, 110, 140, 700], counts.shed)
        } else {
            Latency::default()
        },
        server_cpu_seconds: Some(counts.accepted as f64 * 17.2e-6 + counts.shed as f64 * 4e-6),
        server_resident_bytes: Some(424_000_000),
        generator_late_p99_us: 18,
        generations: BTreeMap::from([(41, counts.accepted)]),
        latency,
        seconds_of,
        counts,
        ..Measured::default()
    }
}

fn waited(load: f64, stalled: bool, random: &mut ChaCha8Rng) -> u64 {
    let served = 90.0 * (1.0 + random.random_range(0.0..0.6f64).powi(2));
    let exponential = -random.random_range(1e-9..1.0f64).ln();
    let queued = if load < 0.97 { 60.0 * load / (1.0 - load) } else { 2_500.0 };
    let hiccup = if random.random_range(0.0..1.0) < 0.002 { random.random_range(400.0..2_500.0) } else { 0.0 };
    let stall = if stalled { random.random_range(0.0..45_000.0) } else { 0.0 };
    (served + exponential * queued + hiccup + stall) as u64
}

/// In buckets a twentieth of a decade wide.
fn distribution(thrown: &[u64], count: u64) -> Latency {
    if thrown.is_empty() {
        return Latency::default();
    }
    let mut buckets: BTreeMap<u64, u64> = BTreeMap::new();
    for &us in thrown {
        let end = 10f64.powf(((us as f64).log10() * 40.0).ceil() / 40.0).ceil() as u64;
        *buckets.entry(end).or_default() += 1;
    }
    let each = count.div_ceil(thrown.len() as u64);
    let buckets: Vec<(u64, u64)> = buckets.into_iter().map(|(end, many)| (end, many * each)).collect();
    let max_us = thrown.iter().copied().max().unwrap_or(0);
    let mean_us = (thrown.iter().sum::<u64>() / thrown.len() as u64) as f64;
    let whole = super::together([&Latency { max_us, mean_us, count, buckets, ..Latency::default() }]);
    Latency { count, mean_us, ..whole }
}

fn verdict(phase: &str, goal: &str, found: &str, met: bool) -> Verdict {
    Verdict { phase: phase.to_owned(), goal: goal.to_owned(), found: found.to_owned(), met }
}

/// Two phases; the second stalls twice. The truth was checked, and something was wrong.
pub fn steady() -> Run {
    let arrivals = r#"{"phases": [{"name": "idle", "per_second": 2000, "seconds": 30}, {"name": "steady", "per_second": 20000, "seconds": 60}]}"#;
    let workload = workload("steady", "What an exchange asks at half of what one core can bear.", arrivals);
    let mut run =
        run(workload, &[stage("idle", 2_000.0, 30), Stage { stalls: &[58, 81], ..stage("steady", 20_000.0, 60) }]);
    for phase in &mut run.phases {
        phase.counts.checked = phase.counts.accepted * 3;
        phase.counts.unknown_verdicts = 12;
    }
    run.phases[1].counts.wrong_target = 2;
    run.phases[1].failures.insert("no answer".to_owned(), (199, "nothing came back within 50 ms".to_owned()));
    run.phases[1].generations = BTreeMap::from([(41, 600_000), (42, 598_900)]);
    run.verdicts = vec![
        verdict("idle", "p99 <= 1 ms", "0.55 ms", true),
        verdict("steady", "p99 <= 1 ms", "1.19 ms", false),
        verdict("steady", "p99.9 <= 5 ms", "4.02 ms", true),
        verdict("", "wrong verdicts <= 0", "2", false),
    ];
    run.remarks = vec![
        "the generator was late by more than a millisecond in 3 of 90 seconds: latencies are too high there".to_owned(),
    ];
    run
}

/// A search, and nothing else.
pub fn saturation() -> Run {
    let workload = workload("saturation", "How much one core can bear.", r#"{"saturation": {}}"#);
    let rates = [1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 64e3, 45e3, 38e3, 41e3, 43e3, 96e3];
    let names: Vec<String> = (1..=rates.len()).map(|nth| format!("step {nth}")).collect();
    let steps: Vec<Stage> =
        names.iter().zip(rates).map(|(name, rate)| Stage { step: true, ..stage(name, rate, 3) }).collect();
    let mut run = run(workload, &steps);
    run.peak = Some(Peak { sustained_per_second: 43_000.0, goodput_per_second: 46_080.0 });
    run
}

/// A search, and then more than can be borne.
pub fn overload() -> Run {
    let workload = workload(
        "overload",
        "1, 2, 5 and 10 times the peak.",
        r#"{"overload": {"times": [1, 2, 5, 10], "seconds": 15}}"#,
    );
    let rates = [8e3, 16e3, 32e3, 64e3, 40e3, 46e3];
    let names: Vec<String> = (1..=rates.len()).map(|nth| format!("step {nth}")).collect();
    let mut stages: Vec<Stage> =
        names.iter().zip(rates).map(|(name, rate)| Stage { step: true, ..stage(name, rate, 3) }).collect();
    stages
        .extend([("1x", 46e3), ("2x", 92e3), ("5x", 230e3), ("10x", 460e3)].map(|(name, rate)| stage(name, rate, 15)));
    let mut run = run(workload, &stages);
    run.peak = Some(Peak { sustained_per_second: 40_000.0, goodput_per_second: 46_080.0 });
    run.verdicts = vec![
        verdict("5x", "goodput >= 90 % of peak", "99.8 %", true),
        verdict("5x", "p99.9 within 50 ms", "19.9 ms", true),
        verdict("10x", "goodput >= 90 % of peak", "99.7 %", true),
    ];
    run
}

/// An hour, up and down.
pub fn soak() -> Run {
    let workload = workload("soak", "An hour at a third of the peak.", r#"{"phases": []}"#);
    let stalls: Vec<u64> = (0..3_600).filter(|second| second % 613 == 0).collect();
    run(workload, &[Stage { rate: (12_000.0, 20_000.0), stalls: &stalls, ..stage("soak", 0.0, 3_600) }])
}

/// Every text of it is hostile.
pub fn hostile() -> Run {
    let evil = "</title><script>alert(1)</script><img src=x onerror=\"alert(2)\">'&\u{1b}[31m\u{0}".to_owned();
    let mut run = steady();
    run.workload.name.clone_from(&evil);
    run.workload.about.clone_from(&evil);
    run.workload.target.http.clone_from(&evil);
    run.began.clone_from(&evil);
    run.generator.insert(evil.clone(), evil.clone());
    run.remarks.push(evil.clone());
    run.verdicts.push(verdict(&evil, &evil, &evil, false));
    for phase in &mut run.phases {
        phase.name.clone_from(&evil);
        phase.failures.insert(evil.clone(), (1, evil.clone()));
    }
    run
}

/// Nothing happened at all.
pub fn empty() -> Run {
    run(workload("nothing", "", r#"{"phases": []}"#), &[stage("nothing", 0.0, 0)])
}
