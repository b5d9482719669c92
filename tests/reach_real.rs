//! A thousand random rules on each of the real data sets: what a survey counts, against sets of people made by reading the
//! files themselves.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "another test uses the rest")]
mod real;

use real::{Built, data, for_each_row};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vaglio::audiences::{Catalogue, parse};
use vaglio::evaluate::Plan;
use vaglio::evaluate::survey::Watch;
use vaglio::snapshot::Planes;
use vaglio::snapshot::columns::Opened;

const RULES: usize = 1_000;
/// The single tests that rules are made of.
const LEAVES: usize = 200;

/// By person a bit: whether they are meant.
type Set = Vec<u64>;

fn set_of(people: usize, meant: impl Fn(usize) -> bool) -> Set {
    let mut set = vec![0; people.div_ceil(64)];
    (0..people).filter(|person| meant(*person)).for_each(|person| set[person / 64] |= 1 << (person % 64));
    set
}

fn count(set: &Set) -> u64 {
    set.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// Whoever is in all that are chosen, of every choice of so many: the definition, however slow.
fn at_least(least: usize, parts: &[Meant]) -> Set {
    let mut found = vec![0; parts[0].1.len()];
    for choice in (0usize..1 << parts.len()).filter(|choice| choice.count_ones() as usize == least) {
        let chosen: Vec<&Set> =
            parts.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1).map(|(_, part)| &part.1).collect();
        for (word, found) in found.iter_mut().enumerate() {
            *found |= chosen.iter().fold(u64::MAX, |all, set| all & set[word]);
        }
    }
    found
}

/// Splitmix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, values: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % values as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A rule as it is written, and whom it means.
type Meant = (String, Set);

/// Leaves, put together at random.
fn rule(draw: &mut Draw, leaves: &[Meant], everybody: &Set, depth: usize) -> Meant {
    if depth == 0 || draw.below(4) == 0 {
        return leaves[draw.below(leaves.len())].clone();
    }
    let form = draw.below(4);
    let parts: Vec<Meant> =
        (0..if form == 0 { 1 } else { 2 + draw.below(3) }).map(|_| rule(draw, leaves, everybody, depth - 1)).collect();
    let least = match form {
        1 => parts.len(),
        2 => 1,
        _ => 1 + draw.below(parts.len()),
    };
    let set = match form {
        0 => everybody.iter().zip(&parts[0].1).map(|(all, set)| all & !set).collect(),
        _ => at_least(least, &parts),
    };
    let joined = |between: &str| parts.iter().map(|(text, _)| format!("({text})")).collect::<Vec<_>>().join(between);
    let text = match form {
        0 => format!("not {}", joined("")),
        1 => joined(" and "),
        2 => joined(" or "),
        _ => format!("at least {least} of ({})", joined(", ")),
    };
    (text, set)
}

fn compare(draw: &mut Draw, test: &str, least: f64, most: f64) -> (String, Box<dyn Fn(f64) -> bool>) {
    match draw.below(7) {
        0 => (format!("{test} = {least}"), Box::new(move |value| value == least)),
        1 => (format!("{test} != {least}"), Box::new(move |value| value != least)),
        2 => (format!("{test} < {least}"), Box::new(move |value| value < least)),
        3 => (format!("{test} <= {least}"), Box::new(move |value| value <= least)),
        4 => (format!("{test} > {least}"), Box::new(move |value| value > least)),
        5 => (format!("{test} >= {least}"), Box::new(move |value| value >= least)),
        _ => (format!("{test} between {least} and {most}"), Box::new(move |value| value >= least && value <= most)),
    }
}

/// Counts a thousand rules in one plan, and compares.
fn agree(built: &Built, people: usize, seed: u64, leaves: &[Meant]) {
    let (mut draw, everybody) = (Draw(seed), set_of(people, |_| true));
    let rules: Vec<(String, u64)> = (0..RULES)
        .map(|_| {
            let (text, set) = rule(&mut draw, leaves, &everybody, 2);
            (text, count(&set))
        })
        .collect();
    let owner = "anybody";
    let parsed: Vec<_> =
        rules.iter().map(|(text, _)| parse(text, owner).unwrap_or_else(|e| panic!("{text}: {e:?}")).expr).collect();
    let snapshot = built.store().open_snapshot(built.manifest.generation, Planes::All, Some(&built.keys)).unwrap();
    let opened = Opened::of(&snapshot).unwrap();
    let zone = jiff::tz::TimeZone::get(&built.manifest.timezone).unwrap();
    let rules_of: Vec<_> = parsed.iter().collect();
    let plan = Plan::of_rules(&rules_of, &Catalogue::default(), opened.columns(), built.manifest.as_of, &zone);
    let counted = plan.survey(&[&everybody], &Watch::default()).unwrap();
    let wrong: Vec<String> = rules
        .iter()
        .zip(&counted)
        .filter(|((_, expected), counted)| counted.total != *expected || counted.within != [*expected])
        .map(|((text, expected), counted)| format!("{} surveyed, {expected} in the file: {text}", counted.total))
        .collect();
    assert!(wrong.is_empty(), "{} of {RULES}: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    let some = counted.iter().filter(|counted| counted.total > 0 && counted.total < people as u64).count();
    assert!(some > RULES / 2, "only {some} rules tell people apart");
}

#[test]
fn a_thousand_random_rules_on_the_census() {
    const NUMBERS: [&str; 6] = ["age", "wage_per_hour", "capital_gains", "dividends", "weeks_worked", "year"];
    const TEXTS: [&str; 10] = [
        "class_of_worker",
        "marital_status",
        "occupation",
        "sex",
        "employment",
        "tax_filer",
        "previous_region",
        "household_summary",
        "citizenship",
        "income",
    ];
    let Some(file) = data("census/people.csv.gz") else { return };
    let built = Built::new("census", &file);
    let names: Vec<&str> = NUMBERS.iter().chain(&TEXTS).copied().collect();
    let mut columns: Vec<Column> = names.iter().map(|_| Column::default()).collect();
    for_each_row(&file, &names, |row| {
        // The example's configuration says that a wage of 0 is none.
        let known = |(at, value)| if at == 1 && value == "0" { "" } else { value };
        columns
            .iter_mut()
            .zip(row.iter().copied().enumerate().map(known))
            .for_each(|(column, value)| column.push(value));
    });
    let mut draw = Draw(1);
    let leaves: Vec<Meant> = (0..LEAVES)
        .map(|_| {
            let at = draw.below(columns.len());
            of_column(&mut draw, names[at], &columns[at], at < NUMBERS.len())
        })
        .collect();
    agree(&built, columns[0].of.len(), 2, &leaves);
}

/// A column of the file: its different texts, and which of them each person has.
#[derive(Default)]
struct Column {
    texts: Vec<String>,
    numbers: HashMap<String, usize>,
    of: Vec<usize>,
}

impl Column {
    fn push(&mut self, text: &str) {
        let number = self.numbers.get(text).copied().unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.numbers.insert(text.to_owned(), self.texts.len() - 1);
            self.texts.len() - 1
        });
        self.of.push(number);
    }

    /// Whoever has a text that passes.
    fn having(&self, passes: impl Fn(&str) -> bool) -> Set {
        let passing: Vec<bool> = self.texts.iter().map(|text| passes(text)).collect();
        set_of(self.of.len(), |person| passing[self.of[person]])
    }
}

fn of_column(draw: &mut Draw, name: &str, column: &Column, is_number: bool) -> Meant {
    // A value that somebody has, most often.
    let value = column.texts[column.of[draw.below(column.of.len())]].as_str();
    if is_number {
        let least: f64 = value.parse().unwrap_or(10.0);
        let most = least + [0.0, 1.0, 10.0, 400.0][draw.below(4)];
        let (text, passes) = compare(draw, name, least, most);
        return (text, column.having(|text| text.parse().is_ok_and(&passes)));
    }
    let lower = value.to_lowercase();
    let word = lower.split(' ').next().unwrap_or_default();
    let meant =
        |text: String, passes: &dyn Fn(&str) -> bool| (text, column.having(|text| !text.is_empty() && passes(text)));
    match draw.below(5) {
        0 if !value.is_empty() => meant(format!("{name} = \"{value}\""), &|other| other == value),
        1 if !value.is_empty() => meant(format!("{name} != \"{value}\""), &|other| other != value),
        2 if !word.is_empty() => {
            meant(format!("{name} starts with \"{word}\""), &|other| other.to_lowercase().starts_with(word))
        }
        3 if !word.is_empty() => {
            meant(format!("{name} contains \"{word}\""), &|other| other.to_lowercase().contains(word))
        }
        _ => meant(format!("{name} is known"), &|_| true),
    }
}

/// What a rule says of purchases.
type Passes = Box<dyn Fn(&Purchase) -> bool>;

/// A purchase at noon, so many days before as-of began: half a day less than whole ones.
struct Purchase {
    day: String,
    days_ago: i64,
    quantity: f64,
    cents: i64,
}

#[test]
fn a_thousand_random_rules_on_the_purchases() {
    let Some(file) = data("cdnow/purchases.csv.gz") else { return };
    let built = Built::new("cdnow", &file);
    let day_of = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    let end = day_of("1998-07-01");
    let mut customers: BTreeMap<String, Vec<Purchase>> = BTreeMap::new();
    for_each_row(&file, &["customer", "time", "quantity", "value"], |row| {
        let day = row[1][..10].to_owned();
        let days_ago = i64::from((end - day_of(&day)).get_days());
        let cents = (row[3].parse::<f64>().unwrap() * 100.0).round() as i64;
        let purchase = Purchase { day, days_ago, quantity: row[2].parse().unwrap(), cents };
        customers.entry(row[0].to_owned()).or_default().push(purchase);
    });
    customers.values_mut().for_each(|all| all.sort_by(|a, b| a.day.cmp(&b.day)));
    let mut draw = Draw(3);
    let leaves: Vec<Meant> = (0..LEAVES).map(|_| of_purchases(&mut draw, &customers)).collect();
    agree(&built, customers.len(), 4, &leaves);
}

fn of_purchases(draw: &mut Draw, customers: &BTreeMap<String, Vec<Purchase>>) -> Meant {
    let (filter, passes) = match draw.below(3) {
        0 => {
            let (least, most) = (1.0 + draw.below(6) as f64, 2.0 + draw.below(9) as f64);
            let (text, passes) = compare(draw, "quantity", least, most);
            (format!(" where {text}"), Box::new(move |p: &Purchase| passes(p.quantity)) as Passes)
        }
        1 => {
            // Between two cents: whether a sum of fractions is exactly one is nobody's question.
            let least = draw.one(&[7.995, 14.375, 29.335, 60.005]);
            let (text, passes) = compare(draw, "value", least, least + 25.0);
            (format!(" where {text}"), Box::new(move |p: &Purchase| passes(p.cents as f64 / 100.0)) as _)
        }
        _ => (String::new(), Box::new(|_: &Purchase| true) as _),
    };
    let near = draw.one(&[1, 7, 30, 90, 200]);
    let far = near + draw.one(&[1, 20, 90, 365]);
    let (since, until) =
        (draw.one(&["1997-02-10", "1997-06-01", "1998-03-01"]), draw.one(&["1997-06-30", "1998-05-05"]));
    let (when, in_window): (String, Passes) = match draw.below(6) {
        0 => (format!(" within {near} days"), Box::new(move |p| p.days_ago <= near)),
        1 => (format!(" before {near} days ago"), Box::new(move |p| p.days_ago > near)),
        2 => (
            format!(" between {near} days and {far} days ago"),
            Box::new(move |p| p.days_ago > near && p.days_ago <= far),
        ),
        3 => (format!(" since {since}"), Box::new(move |p| p.day.as_str() >= since)),
        4 => (
            format!(" between {} and {}", since.min(until), since.max(until)),
            Box::new(move |p| p.day.as_str() >= since.min(until) && p.day.as_str() <= since.max(until)),
        ),
        _ => (String::new(), Box::new(|_| true)),
    };
    let times = 1 + draw.below(4);
    let dollars = draw.one(&[14.99371, 39.99371, 120.00371]);
    let op = draw.one(&["<", "<=", ">", ">="]);
    let compares = move |value: f64| if op.starts_with('<') { value < dollars } else { value > dollars };
    type Judge = Box<dyn Fn(&[&Purchase]) -> bool>;
    let (count, judge): (String, Judge) = match draw.below(9) {
        0 => (String::new(), Box::new(|all| !all.is_empty())),
        1 => (format!(" at least {times} times"), Box::new(move |all| all.len() >= times)),
        2 => (format!(" at most {times} times"), Box::new(move |all| all.len() <= times)),
        3 => (format!(" exactly {times} times"), Box::new(move |all| all.len() == times)),
        4 => (
            format!(" on at least {times} different days"),
            Box::new(move |all| all.iter().map(|p| &p.day).collect::<BTreeSet<_>>().len() >= times),
        ),
        5 => (
            format!(" with at least {times} different quantity"),
            Box::new(move |all| all.iter().map(|p| p.quantity as i64).collect::<BTreeSet<_>>().len() >= times),
        ),
        6 => (
            format!(" with sum of value {op} {dollars}"),
            Box::new(move |all| !all.is_empty() && compares(all.iter().map(|p| p.cents).sum::<i64>() as f64 / 100.0)),
        ),
        7 => {
            let least = draw.below(2) == 0;
            let text = format!(" with {} of value {op} {dollars}", if least { "min" } else { "max" });
            let cents = move |all: &[&Purchase]| {
                let cents = all.iter().map(|p| p.cents);
                if least { cents.min() } else { cents.max() }
            };
            (text, Box::new(move |all| cents(all).is_some_and(|cents| compares(cents as f64 / 100.0))))
        }
        _ => (
            format!(" with avg of value {op} {dollars}"),
            Box::new(move |all| {
                let sum = all.iter().map(|p| p.cents).sum::<i64>() as f64 / 100.0;
                !all.is_empty() && compares(sum / all.len() as f64)
            }),
        ),
    };
    // The first or last of those that pass, if it lies in the window: on days with several, all are of one day.
    let pick = if count.is_empty() { draw.below(3) } else { 0 };
    let holds = |all: &Vec<Purchase>| {
        let mut passing: Vec<&Purchase> = all.iter().filter(|p| passes(p)).collect();
        match pick {
            1 => passing.truncate(1),
            2 => drop(passing.drain(..passing.len().saturating_sub(1))),
            _ => {}
        }
        passing.retain(|p| in_window(p));
        judge(&passing)
    };
    let picked = ["", "first ", "last "][pick];
    let meant: Vec<bool> = customers.values().map(holds).collect();
    (format!("{picked}did purchase{filter}{count}{when}"), set_of(meant.len(), |at| meant[at]))
}
