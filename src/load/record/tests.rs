//! What is recorded, against a twin that keeps every request in a list.

use super::*;
use proptest::prelude::*;

/// A request as the twin keeps it: due and ended (microseconds), and how it ended (0 accepted .. 4 failed).
type Kept = (u64, u64, u8);

const DEADLINE_US: u64 = 50_000;

fn recorded(kept: &[Kept]) -> Measured {
    let mut recorder = Recorder::new(0, DEADLINE_US * 1_000, 2 * SECOND).unwrap();
    for (due, ended, end) in kept {
        let times = Times { due: due * 1_000, sent: due * 1_000, ended: ended * 1_000 };
        recorder.due(due * 1_000, 0);
        let end = match end {
            0 => End::Accepted { items: 2, asked: 3, generation: due / 1_000_000 },
            1 => End::Shed,
            2 => End::Unsent,
            3 => End::Unanswered,
            _ => End::Failed { kind: "closed", message: "gone" },
        };
        recorder.end(times, end);
    }
    recorder.finish("x", 3 * SECOND)
}

/// The two waits between which a quantile lies.
fn exact(waits: &[u64], quantile: f64) -> (u64, u64) {
    let at = (waits.len() as f64 * quantile) as usize;
    let wait = |at: usize| waits.get(at.min(waits.len().saturating_sub(1))).copied().unwrap_or(0);
    (wait(at.saturating_sub(1)), wait(at))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn finds_what_the_twin_finds(
        requests in prop::collection::vec((0u64..3_000_000, 0u64..80_000, 0u8..5), 1..600),
    ) {
        let mut kept: Vec<Kept> = requests.into_iter().map(|(due, took, end)| (due, due + took, end)).collect();
        kept.sort_unstable();
        let found = recorded(&kept);
        let good = |(due, ended, end): &&Kept| *end == 0 && ended - due <= DEADLINE_US;
        let mut waits: Vec<u64> = kept.iter().filter(good).map(|(due, ended, _)| ended - due).collect();
        waits.sort_unstable();
        let of = |wanted: u8| kept.iter().filter(|(.., end)| *end == wanted).count() as u64;
        let counts = found.counts;
        prop_assert_eq!(counts.due, kept.len() as u64);
        prop_assert_eq!((counts.accepted, counts.too_late), (waits.len() as u64, of(0) - waits.len() as u64));
        prop_assert_eq!((counts.shed, counts.unsent, counts.unanswered, counts.errors), (of(1), of(2), of(3), of(4)));
        prop_assert_eq!((found.items, found.items_asked), (2 * counts.accepted, 3 * counts.accepted));
        let latency = &found.latency;
        prop_assert_eq!((latency.count, latency.max_us), (waits.len() as u64, waits.last().copied().unwrap_or(0)));
        for (quantile, ours) in [(0.5, latency.p50_us), (0.99, latency.p99_us), (0.999, latency.p999_us)] {
            let (low, high) = exact(&waits, quantile);
            prop_assert!(ours + 1 >= low && ours <= high + high / 500 + 1, "{quantile}: {ours}, {low} to {high}");
        }
        for second in &found.seconds_of {
            let inside = |(due, ..): &&Kept| due / 1_000_000 == second.at;
            let accepted = kept.iter().filter(inside).filter(good).count() as u64;
            prop_assert_eq!((second.due, second.accepted), (kept.iter().filter(inside).count() as u64, accepted));
            prop_assert_eq!(second.due, second.accepted + second.shed + second.failed);
        }
        prop_assert_eq!(found.seconds_of.iter().map(|second| second.due).sum::<u64>(), counts.due);
        let answered: u64 = found.generations.values().sum();
        prop_assert_eq!(answered, kept.iter().filter(|(due, _, end)| *end == 0 && *due >= 1_000_000).count() as u64);
    }

    #[test]
    fn buckets_are_few_none_is_empty_and_they_hold_everything(
        waits in prop::collection::vec(prop_oneof![1u64..50, 100u64..100_000_000], 1..2_000),
    ) {
        let mut ours = Waits::new().unwrap();
        waits.iter().for_each(|us| ours.record(*us));
        let latency = ours.latency();
        let buckets = &latency.buckets;
        prop_assert!(buckets.len() <= 200, "{}", buckets.len());
        prop_assert!(buckets.iter().all(|(_, count)| *count > 0));
        prop_assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0), "{buckets:?}");
        prop_assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), waits.len() as u64);
        let mut below = 0;
        for (end, count) in buckets {
            below += count;
            // A value is known to three digits.
            let theirs = waits.iter().filter(|us| **us as f64 <= *end as f64 * 1.001).count() as u64;
            prop_assert!(below <= theirs, "up to {end}: {below} and {theirs}");
        }
    }
}

#[test]
fn an_answer_that_comes_seconds_later_still_counts_for_its_second() {
    let mut recorder = Recorder::new(0, 0, 5 * SECOND).unwrap();
    for second in 0..4 {
        recorder.due(second * SECOND, 0);
    }
    recorder.end(Times { due: 0, sent: 0, ended: 3 * SECOND }, End::Accepted { items: 1, asked: 1, generation: 0 });
    assert_eq!(recorder.second(0).map(|second| (second.accepted, second.max_us)), Some((1, 3_000_000)));
    let found = recorder.finish("x", 4 * SECOND);
    assert_eq!(found.seconds_of.iter().map(|second| second.accepted).collect::<Vec<_>>(), [1, 0, 0, 0]);
}

fn answered_by(generations: u64) -> Measured {
    let mut recorder = Recorder::new(0, 0, SECOND).unwrap();
    for generation in 1..=generations {
        recorder.due(0, 0);
        recorder.end(Times { due: 0, sent: 0, ended: 1 }, End::Accepted { items: 1, asked: 1, generation });
    }
    recorder.finish("x", SECOND)
}

#[test]
fn a_hundred_swaps_are_all_seen() {
    let found = answered_by(101);
    assert_eq!(found.generations, (1..=101).map(|generation| (generation, 1)).collect());
}

#[test]
fn an_unruly_server_cannot_make_it_remember_without_end() {
    let found = answered_by(3 * MOST_GENERATIONS as u64);
    assert_eq!((found.generations.len(), found.counts.accepted), (MOST_GENERATIONS, 3 * MOST_GENERATIONS as u64));
    let mut recorder = Recorder::new(0, 0, SECOND).unwrap();
    for kind in 0..1_000 {
        let kind: &'static str = Box::leak(format!("kind {kind}").into_boxed_str());
        recorder.end(Times { due: 0, sent: 0, ended: 1 }, End::Failed { kind, message: "no" });
    }
    let found = recorder.finish("x", SECOND);
    assert_eq!((found.failures.len(), found.counts.errors), (MOST_KINDS, 1_000));
}
