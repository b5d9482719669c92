//! CDNOW's purchases, built by the product and counted a second way: one plain pass over the file.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod real;

use real::{Built, data, for_each_row};
use std::collections::{BTreeMap, BTreeSet};

/// A purchase: days before 1 July 1998 (0:00 UTC), at noon; cents.
#[derive(Clone)]
struct Purchase {
    day: String,
    days_ago: i64,
    quantity: u32,
    cents: i64,
}

/// Days since 1970-01-01 of `1997-01-31`, by the civil-calendar formula.
fn days(day: &str) -> i64 {
    let part = |range| day.get::<std::ops::Range<usize>>(range).unwrap().parse::<i64>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
        - 719_469
}

fn purchases(file: &std::path::Path) -> BTreeMap<String, Vec<Purchase>> {
    let mut customers: BTreeMap<String, Vec<Purchase>> = BTreeMap::new();
    for_each_row(file, &["customer", "time", "event", "quantity", "value"], |row| {
        assert!(row[2] == "purchase" && row[1].ends_with("T12:00:00Z"));
        let (whole, part) = row[4].split_once('.').unwrap();
        assert_eq!(part.len(), 2);
        let day = row[1][..10].to_owned();
        // Noon of the day before as-of is half a day ago: within 1 day, and so on.
        let days_ago = days("1998-07-01") - days(&day);
        let cents = whole.parse::<i64>().unwrap() * 100 + part.parse::<i64>().unwrap();
        let purchase = Purchase { day, days_ago, quantity: row[3].parse().unwrap(), cents };
        customers.entry(row[0].to_owned()).or_default().push(purchase);
    });
    customers
}

/// A purchase `days_ago` days before as-of happened `days_ago - 0.5` times 24 hours ago: `within n days` is `<= n`.
fn audiences(all: &[Purchase]) -> Vec<(&'static str, bool)> {
    let within = |n: i64| all.iter().filter(move |p| p.days_ago <= n);
    let between = |near: i64, far: i64| all.iter().filter(move |p| p.days_ago > near && p.days_ago <= far);
    let since = |day: &'static str| all.iter().filter(move |p| p.day.as_str() >= day);
    let first = all.iter().map(|p| p.day.as_str()).min().unwrap_or_default();
    let last = all.iter().map(|p| p.days_ago).min().unwrap_or_default();
    let sum: i64 = all.iter().map(|p| p.cents).sum();
    let count = all.len();
    let days: BTreeSet<&str> = all.iter().map(|p| p.day.as_str()).collect();
    let sizes: BTreeSet<u32> = all.iter().map(|p| p.quantity).collect();
    let (active, regular, big) = (within(30).count() > 0, within(365).count() >= 5, sum >= 50_000);
    vec![
        ("active", active),
        ("cooling", between(30, 90).count() > 0),
        ("lapsed", last > 180),
        ("returning", active && between(30, 120).count() == 0 && all.iter().any(|p| p.days_ago > 120)),
        ("since-spring", since("1998-04-01").count() > 0),
        ("christmas", since("1997-12-01").any(|p| p.day.as_str() <= "1997-12-24")),
        ("february-cohort", ("1997-02-01"..="1997-02-28").contains(&first)),
        ("once-only", count == 1),
        ("twice", count == 2),
        ("regulars", regular),
        ("some", (3..=5).contains(&count)),
        ("seldom", within(365).count() <= 1),
        ("many-days", days.len() >= 10),
        ("big-spenders", big),
        ("recent-spenders", within(90).map(|p| p.cents).sum::<i64>() > 10_000),
        ("dear-baskets", sum > 5_000 * count as i64),
        ("one-large-order", all.iter().any(|p| p.cents >= 20_000)),
        ("never-cheap", all.iter().all(|p| p.cents >= 2_000)),
        ("bulk-buyers", all.iter().any(|p| p.quantity >= 5)),
        ("small-recent", within(60).any(|p| p.cents < 1_500 && p.quantity == 1)),
        ("varied", sizes.len() >= 4),
        ("champions", active && regular && big),
        ("winback", big && within(180).count() == 0),
        ("just-bought", within(7).count() > 0),
        ("lost", count == 1 && within(365).count() == 0),
    ]
}

#[test]
fn every_audience_counts_what_a_plain_pass_over_the_file_counts() {
    let Some(file) = data("cdnow/purchases.csv.gz") else { return };
    let built = Built::new("cdnow", &file);
    let customers = purchases(&file);
    assert_eq!(customers.len(), 23_570);
    assert_eq!(u64::from(built.manifest.profiles), 23_570);

    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for all in customers.values() {
        for (audience, member) in audiences(all) {
            *counts.entry(audience).or_default() += u64::from(member);
        }
    }
    let names: Vec<&str> = counts.keys().copied().collect();
    built.assert_same_audiences(&names);
    let wrong: Vec<String> = counts
        .iter()
        .filter(|(audience, count)| built.members(audience) != **count)
        .map(|(audience, count)| format!("{audience}: {} built, {count} counted", built.members(audience)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    for (customer, all) in customers.iter().step_by(13) {
        let mut expected: Vec<String> =
            audiences(all).into_iter().filter(|(_, member)| *member).map(|(audience, _)| audience.to_owned()).collect();
        expected.sort();
        assert_eq!(built.lookup("shop.example", customer), Some(expected), "customer {customer}");
    }
    assert_eq!(built.lookup("shop.example", "nobody"), None);
}
