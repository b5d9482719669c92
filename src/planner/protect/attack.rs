//! What an attacker gains who wants to know whether one person is in a foreign audience, and asks with and without them.

use super::*;
use proptest::prelude::*;

const KEY: [u8; 16] = *b"an installation'";
const PEOPLE: u32 = 3_000;
const FLOOR: u32 = 100;

fn seeds() -> Vec<u32> {
    (0..PEOPLE).map(|who| who.wrapping_mul(2_654_435_761).rotate_left(7)).collect()
}

/// A set that looks like any, of one person in `one_in`.
fn some(salt: u64, one_in: u64) -> RoaringBitmap {
    (0..PEOPLE)
        .filter(|who| keyed(b"not the secret's", b"", salt << 32 | u64::from(*who)).is_multiple_of(one_in))
        .collect()
}

/// The sets that one answer is compared with another's: a foreign audience, padded by what the attacker owns, with the person
/// and without, as far as they are in it.
fn pair(foreign: &RoaringBitmap, victim: u32, round: u64) -> [RoaringBitmap; 2] {
    let mut padding = some(1_000 + round, 10);
    padding.remove(victim);
    let with = foreign | &padding;
    let mut without = with.clone();
    without.remove(victim);
    [with, without]
}

/// The share of victims of whom the attacker says that they are in, after so many questions.
fn says_in(guard: &Guard<'_>, foreign: impl Fn(u32) -> RoaringBitmap, questions: u64) -> f64 {
    let victims = (0..PEOPLE).step_by(10);
    let caught = victims.clone().filter(|victim| {
        let foreign = foreign(*victim);
        (0..questions / 2).any(|round| {
            let [with, without] = pair(&foreign, *victim, round);
            guard.tell(&with) != guard.tell(&without)
        })
    });
    caught.count() as f64 / victims.len() as f64
}

#[test]
fn whoever_asks_with_and_without_somebody_learns_of_one_in_eight_at_most() {
    let seeds = seeds();
    let guard = Guard::new(KEY, &seeds, Arc::new(sample(&KEY, &seeds)), FLOOR);
    let audience = some(7, 5);
    let with = |victim: u32| {
        let mut set = audience.clone();
        set.insert(victim);
        set
    };
    let without = |victim: u32| {
        let mut set = audience.clone();
        set.remove(victim);
        set
    };
    // The bound holds over the secret; this one secret's sample of the victims may be a little larger.
    let bound = 1.0 / ONE_IN as f64 + 0.04;
    for questions in [2, 10, 100] {
        let advantage = says_in(&guard, with, questions) - says_in(&guard, without, questions);
        println!(
            "questions {questions}: advantage {advantage:.3}, right {:.1} % where guessing is 50 %",
            50.0 + 50.0 * advantage
        );
        assert!(advantage <= bound, "{questions} questions: {advantage}");
    }
}

#[test]
fn exact_counts_would_tell_at_once() {
    let audience = some(7, 5);
    let [with, without] = pair(&audience, audience.min().unwrap(), 0);
    assert_ne!(Teller::Plain.tell(&with), Teller::Plain.tell(&without));
}

#[test]
fn what_is_hidden_cannot_be_had_from_the_cells_beside_it() {
    // One cell is hidden; its size is guessed as the whole less the others that are told.
    let seeds = seeds();
    let guard = Guard::new(KEY, &seeds, Arc::new(sample(&KEY, &seeds)), FLOOR);
    let (mut off_by, mut hidden) = (0.0, 0);
    for round in 0..200u64 {
        let few = some(5_000 + round, 100) - some(6_000, 2);
        let cells = [some(round * 3, 6) - &few, some(round * 3 + 1, 4) - some(round * 3, 6) - &few];
        let whole = cells.iter().fold(few.clone(), |all, cell| all | cell);
        let (Some(whole), Told { below_floor: true, .. }) = (guard.tell(&whole).count, guard.tell(&few)) else {
            continue;
        };
        let told: Option<u64> = cells.iter().map(|cell| guard.tell(cell).count).sum();
        let Some(told) = told else { continue };
        hidden += 1;
        off_by += (whole as f64 - told as f64 - few.len() as f64).abs();
    }
    let mean = off_by / f64::from(hidden);
    println!("a hidden cell of about 15 people, from {hidden} sums: off by {mean:.0} on average");
    assert!(hidden > 100 && mean > 15.0, "{hidden} sums, off by {mean}");
}

#[test]
fn few_are_hidden_and_many_are_told_as_they_are_about() {
    let seeds: Vec<u32> = (0..200_000u32).map(|who| who.wrapping_mul(2_654_435_761)).collect();
    let guard = Guard::new(KEY, &seeds, Arc::new(sample(&KEY, &seeds)), FLOOR);
    let told = |from: u32, many: u32| guard.tell(&(from..from + many).collect());
    let few = (0..1_000).filter(|round| !told(round * 150, 40).below_floor).count();
    assert!(few < 10, "{few} of 1000 sets of 40 were told");
    assert!((0..1_000).all(|round| told(round * 150, 12).below_floor), "what is this small is never told");
    let within = (0..500).filter(|round| {
        let Told { count: Some(count), margin: Some(margin), .. } = told(round * 380, 10_000) else { return false };
        count.abs_diff(10_000) <= margin && margin < 1_300
    });
    let within = within.count();
    assert!(within > 460, "{within} of 500 within the margin");
}

#[test]
fn two_digits_are_the_nearest() {
    let told = [0, 7, 99, 104, 105, 994, 995, 12_345, 12_500, 999_999].map(two_digits);
    assert_eq!(told, [0, 7, 99, 100, 110, 990, 1_000, 12_000, 13_000, 1_000_000]);
}

proptest! {
    #[test]
    fn whoever_is_not_in_the_sample_makes_no_difference_to_any_answer(
        members in prop::collection::btree_set(0u32..2_000, 0..400), floor in 0u32..200,
    ) {
        let seeds = seeds();
        let sampled = Arc::new(sample(&KEY, &seeds));
        let guard = Guard::new(KEY, &seeds, Arc::clone(&sampled), floor);
        let set: RoaringBitmap = members.iter().copied().collect();
        for who in (2_000..PEOPLE).filter(|who| !sampled.contains(*who)).take(50) {
            let mut with = set.clone();
            with.insert(who);
            prop_assert_eq!(guard.tell(&set), guard.tell(&with));
        }
    }

    #[test]
    fn the_same_people_get_the_same_answer_in_every_generation(
        members in prop::collection::btree_set(0u32..2_000, 0..400),
    ) {
        // Another generation numbers the same people otherwise.
        let before = seeds();
        let after: Vec<u32> = before.iter().rev().copied().collect();
        let one = Guard::new(KEY, &before, Arc::new(sample(&KEY, &before)), FLOOR);
        let other = Guard::new(KEY, &after, Arc::new(sample(&KEY, &after)), FLOOR);
        let renamed = members.iter().map(|who| PEOPLE - 1 - who).collect();
        prop_assert_eq!(one.tell(&members.iter().copied().collect()), other.tell(&renamed));
    }
}
