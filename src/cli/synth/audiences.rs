//! As many audiences as wanted: rules as planners write them, three in ten with a window, their sizes falling as
//! 1 / (rank + 20) from half of everybody on.
//!
//! A rule is one to four tests. What share of people passes them is computed over a few invented people, who are not those
//! of the world; a range of a number then cuts the rule to the size that its rank asks for.

use super::events::{HISTORY_DAYS, rates};
use super::person::Person;
use super::vocabulary::{
    BRANDS, BREAKAGES, CAMPAIGNS, CATEGORIES, INTERESTS, REGIONS, TARIFFS, TOPICS, Weighted, pick,
};
use super::{OWN_AUDIENCES, World};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write;

/// People that shares are computed over.
const SAMPLE: u64 = 4_096;
/// The random stream of audiences: people's streams count from 0.
const STREAM: u64 = 1 << 60;
/// In how many audiences somebody is on average, if there are 2,000 of them; sizes are of the same shape for any number.
const MEAN_OF_2000: f64 = 44.0;

/// Whether somebody passes a test.
type Passes = Box<dyn Fn(&Person) -> bool>;
/// A number of somebody's, where they have it.
type NumberOf = fn(&Person) -> Option<f64>;

/// The definitions beyond the operator's own; `None` when those are enough.
pub fn definitions(world: &World) -> Option<String> {
    let count = world.audiences.saturating_sub(OWN_AUDIENCES);
    if count == 0 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(world.seed);
    rng.set_stream(STREAM);
    let mut planner = Planner::new(world, rng);
    let mut text = String::from("# Made up by the number, to be many: see `vaglio synth --audiences`.\n\naudiences:\n");
    // Large and small audiences are mixed among the names.
    for (at, rank) in shuffled(count, &mut planner.rng).into_iter().enumerate() {
        let kind = if at % 10 == 9 { "suppress" } else { "target" };
        let rule = planner.rule(at % 10 < 3, rank).replace('\'', "''");
        let _ = writeln!(
            text,
            "  - {{ id: made-{at:05}, name: Made up {at:05}, owner: telco, kind: {kind}, folder: made-up, rule: '{rule}' }}"
        );
    }
    Some(text)
}

fn shuffled(count: u32, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut ranks: Vec<u32> = (0..count).collect();
    for at in (1..ranks.len()).rev() {
        ranks.swap(at, rng.random_range(0..=at));
    }
    ranks
}

/// A test: its words, and the chance of each person of the sample to pass.
struct Test {
    text: String,
    chances: Vec<f64>,
}

struct Planner {
    rng: ChaCha8Rng,
    people: Vec<Person>,
    busy: f64,
    /// Of an audience's share: share = `scale` / (rank + 20).
    scale: f64,
    /// What the audiences so far are too small by, in shares: those that follow make up for it.
    owed: f64,
}

impl Planner {
    fn new(world: &World, mut rng: ChaCha8Rng) -> Planner {
        let people = (0..SAMPLE).map(|number| Person::invent(number, &mut rng)).collect();
        let sum: f64 = (0..2_000).map(|rank| 1.0 / f64::from(rank + 20)).sum();
        Planner { rng, people, busy: world.busy, scale: MEAN_OF_2000 / sum, owed: 0.0 }
    }

    /// A rule for an audience of this rank.
    fn rule(&mut self, windowed: bool, rank: u32) -> String {
        let wanted = self.scale / f64::from(rank + 20);
        let aim = (wanted + self.owed * 0.1).clamp(wanted * 0.5, 0.6);
        let (mut tests, mut chances) = (Vec::new(), vec![1.0; self.people.len()]);
        if windowed {
            let event = self.event(aim);
            multiply(&mut chances, &event.chances);
            tests.push(event.text);
        }
        for _ in 0..self.rng.random_range(1..3) {
            let test = self.of_traits();
            let mut both = chances.clone();
            multiply(&mut both, &test.chances);
            if mean(&both) >= aim {
                chances = both;
                tests.push(test.text);
            }
        }
        if mean(&chances) > aim * 1.1 || tests.is_empty() {
            let range = self.narrow(&chances, aim);
            multiply(&mut chances, &range.chances);
            tests.push(range.text);
        }
        self.owed += wanted - mean(&chances);
        tests.join(" and ")
    }

    /// An event in a window, at least as frequent as wanted if one is found soon.
    fn event(&mut self, aim: f64) -> Test {
        let mut best = self.one_event();
        for _ in 0..12 {
            if mean(&best.chances) >= aim {
                break;
            }
            let other = self.one_event();
            if mean(&other.chances) > mean(&best.chances) {
                best = other;
            }
        }
        best
    }

    fn one_event(&mut self) -> Test {
        let rng = &mut self.rng;
        let at = rng.random_range(0..8);
        let name = rates(&self.people[0])[at].0;
        let (mut text, mut kept) = (format!("did {name}"), 1.0);
        let property: Option<(&str, &'static [Weighted])> = match name {
            "impression" => Some(("campaign", CAMPAIGNS)),
            "viewed_offer" | "purchase" => Some(("category", CATEGORIES)),
            "called_support" | "complaint" => Some(("topic", TOPICS)),
            "device_broken" => Some(("part", BREAKAGES)),
            _ => None,
        };
        if let (Some((property, words)), true) = (property, rng.random_bool(0.5)) {
            let word = pick(rng, words);
            kept = share(words, word);
            let _ = write!(text, " where {property} = \"{word}\"");
        }
        let mut least = 1;
        match rng.random_range(0..6) {
            0 => least = 2,
            1 if name == "purchase" => {
                let (sum, so_dear) =
                    [(10, 0.84), (20, 0.73), (25, 0.66), (100, 0.4), (300, 0.36)][rng.random_range(0..5)];
                kept *= so_dear;
                let _ = write!(text, " with sum of price >= {sum}");
            }
            1 => {
                least = 2;
                text += " on at least 2 different days";
            }
            _ => {}
        }
        if least == 2 && !text.ends_with("days") {
            text += " at least 2 times";
        }
        let days = rng.random_range(1..=90);
        let _ = write!(text, " within {days} days");
        let recent = (f64::from(days) / HISTORY_DAYS).powf(1.0 / super::events::RECENCY);
        let chance = |person: &Person| {
            let expected = rates(person)[at].1 * self.busy * kept * recent;
            let none = (-expected).exp();
            if least == 1 { 1.0 - none } else { 1.0 - none * (1.0 + expected) }
        };
        Test { chances: self.people.iter().map(chance).collect(), text }
    }

    /// One of the traits that have words, or either of two.
    fn of_traits(&mut self) -> Test {
        let first = self.one_trait();
        if !self.rng.random_bool(0.25) {
            return first;
        }
        let second = self.one_trait();
        let either = |(a, b): (&f64, &f64)| 1.0 - (1.0 - a) * (1.0 - b);
        let chances = first.chances.iter().zip(&second.chances).map(either).collect();
        Test { text: format!("({} or {})", first.text, second.text), chances }
    }

    fn one_trait(&mut self) -> Test {
        let rng = &mut self.rng;
        let some = |table: &'static [Weighted], rng: &mut ChaCha8Rng| {
            let count = rng.random_range(1..=table.len() / 2);
            let mut words: Vec<&'static str> = (0..count).map(|_| pick(rng, table)).collect();
            words.sort_unstable();
            words.dedup();
            words
        };
        let (text, passes): (String, Passes) = match rng.random_range(0..8) {
            0 => {
                let words = some(REGIONS, rng);
                (is_in("region", &words), Box::new(move |it| it.region.is_some_and(|word| words.contains(&word))))
            }
            1 => {
                let words = some(TARIFFS, rng);
                (is_in("tariff", &words), Box::new(move |it| words.contains(&it.tariff)))
            }
            2 => {
                let words = some(BRANDS, rng);
                (is_in("handset_brand", &words), Box::new(move |it| it.brand.is_some_and(|word| words.contains(&word))))
            }
            3 => {
                let words = some(INTERESTS, rng);
                let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let text = format!("interests has any ({})", list.join(", "));
                (text, Box::new(move |it| it.interests.iter().any(|word| words.contains(word))))
            }
            4 => ("fibre".to_owned(), Box::new(|it| it.fibre)),
            5 => ("not roaming_user".to_owned(), Box::new(|it| !it.roaming)),
            6 => ("offer_eligible".to_owned(), Box::new(|it| it.offer_eligible)),
            _ => ("not premium".to_owned(), Box::new(|it| !it.premium)),
        };
        Test { text, chances: self.people.iter().map(|person| f64::from(u8::from(passes(person)))).collect() }
    }

    /// The range of a number that leaves a share of `aim`.
    fn narrow(&mut self, chances: &[f64], aim: f64) -> Test {
        let numbers: [(&str, NumberOf); 5] = [
            ("age", |it| it.age.map(f64::from)),
            ("arpu_eur", |it| Some(it.arpu_eur)),
            ("data_gb", |it| it.data_gb),
            ("handset_months", |it| it.handset_months.map(f64::from)),
            ("churn_risk", |it| it.churn_risk),
        ];
        let (name, number) = numbers[self.rng.random_range(0..numbers.len())];
        let mut known: Vec<(f64, f64)> =
            self.people.iter().zip(chances).filter_map(|(person, chance)| Some((number(person)?, *chance))).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = known.iter().map(|(_, chance)| chance).sum();
        let wanted = (aim * self.people.len() as f64).min(total);
        let from = self.rng.random_range(0.0..=total - wanted);
        let at = |weight: f64| {
            let mut so_far = 0.0;
            let reaches = known.iter().find(|(_, chance)| {
                so_far += chance;
                so_far >= weight
            });
            reaches.or(known.last()).map_or(0.0, |(number, _)| *number)
        };
        let (low, high) = (at(from), at(from + wanted));
        let inside = |person: &Person| number(person).is_some_and(|number| low <= number && number <= high);
        let chances = self.people.iter().map(|person| f64::from(u8::from(inside(person)))).collect();
        Test { text: format!("{name} between {low} and {high}"), chances }
    }
}

fn is_in(name: &str, words: &[&str]) -> String {
    let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("{name} in ({})", list.join(", "))
}

fn share(table: &[Weighted], word: &str) -> f64 {
    let weight = |wanted: &dyn Fn(&str) -> bool| -> u32 {
        table.iter().filter(|(word, _)| wanted(word)).map(|(_, weight)| weight).sum()
    };
    f64::from(weight(&|other| other == word)) / f64::from(weight(&|_| true))
}

fn multiply(chances: &mut [f64], by: &[f64]) {
    chances.iter_mut().zip(by).for_each(|(chance, by)| *chance *= by);
}

fn mean(chances: &[f64]) -> f64 {
    chances.iter().sum::<f64>() / chances.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audiences::parse;
    use crate::schema::Timestamp;

    #[test]
    fn as_many_rules_as_wanted_three_in_ten_with_a_window_and_of_the_sizes_asked_for() {
        let world = World { audiences: 1_048, ..World::new(1, 7, Timestamp(1_800_000_000), false) };
        let text = definitions(&world).expect("more than there are");
        let rules: Vec<&str> = text.lines().filter_map(|line| line.split("rule: '").nth(1)).collect();
        assert_eq!(rules.len(), 1_000);
        assert_eq!(rules.iter().filter(|rule| rule.contains("did ")).count(), 300);
        for rule in rules {
            let rule = rule.trim_end_matches("' }").replace("''", "'");
            assert!(parse(&rule, "telco").is_ok(), "{rule}");
        }
        let mut planner = Planner::new(&world, ChaCha8Rng::seed_from_u64(1));
        let wanted: f64 = (0..400).map(|rank| planner.scale / f64::from(rank + 20)).sum();
        (0..400).for_each(|rank| drop(planner.rule(rank % 10 < 3, rank)));
        assert!(planner.owed.abs() < wanted * 0.2, "{} of {wanted} are missing", planner.owed);
    }

    #[test]
    fn the_operators_own_audiences_are_counted() {
        let own = include_str!("telco/audiences.yaml");
        assert_eq!(own.matches("owner: telco").count(), OWN_AUDIENCES as usize);
        let world = World { audiences: OWN_AUDIENCES, ..World::new(1, 7, Timestamp(1_800_000_000), false) };
        assert_eq!(definitions(&world), None);
    }
}
