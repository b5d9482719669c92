//! The census, built by the product and counted a second way: one plain pass over the file.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod real;

use real::{Built, data, for_each_row};
use std::collections::{BTreeMap, HashSet};

/// A person as the file has it; empty = not known.
struct Person<'a> {
    age: u32,
    class_of_worker: &'a str,
    education: &'a str,
    wage: u32,
    marital_status: &'a str,
    industry: &'a str,
    occupation: &'a str,
    sex: &'a str,
    employment: &'a str,
    gains: u32,
    dividends: u32,
    previous_region: &'a str,
    household: &'a str,
    employer_size: &'a str,
    country: &'a str,
    weeks: u32,
    year: &'a str,
    income: &'a str,
}

const COLUMNS: [&str; 18] = [
    "age",
    "class_of_worker",
    "education",
    "wage_per_hour",
    "marital_status",
    "industry",
    "occupation",
    "sex",
    "employment",
    "capital_gains",
    "dividends",
    "previous_region",
    "household_summary",
    "employer_size",
    "self_country",
    "weeks_worked",
    "year",
    "income",
];

impl<'a> Person<'a> {
    fn read(row: &[&'a str]) -> Self {
        let number = |at: usize| row[at].parse().unwrap();
        Person {
            age: number(0),
            class_of_worker: row[1],
            education: row[2],
            wage: number(3),
            marital_status: row[4],
            industry: row[5],
            occupation: row[6],
            sex: row[7],
            employment: row[8],
            gains: number(9),
            dividends: number(10),
            previous_region: row[11],
            household: row[12],
            employer_size: row[13],
            country: row[14],
            weeks: number(15),
            year: row[16],
            income: row[17],
        }
    }

    /// Every audience of `examples/census` and whether this person is in it.
    fn audiences(&self) -> Vec<(&'static str, bool)> {
        let postgraduate = self.education.starts_with("Masters degree")
            || self.education.starts_with("Doctorate degree")
            || self.education.starts_with("Prof school degree");
        let graduate = postgraduate || self.education.starts_with("Bachelors degree");
        let high_income = self.income == "over 50k";
        let investor = self.dividends > 0 || self.gains > 0;
        let manager =
            self.occupation == "Executive admin and managerial" || self.occupation == "Professional specialty";
        let married = self.marital_status.starts_with("Married");
        let out_of_work = self.employment == "Unemployed full-time" || self.employment == "Unemployed part- time";
        let signs = [high_income, investor, manager, postgraduate].into_iter().filter(|sign| *sign).count();
        vec![
            ("adults", self.age >= 18),
            ("young-adults", (25..=34).contains(&self.age)),
            ("retirement-age", self.age > 65),
            ("women", self.sex == "Female"),
            ("high-income", high_income),
            ("graduates", graduate),
            ("married", married),
            ("managers", manager),
            ("manufacturing", self.industry.starts_with("Manufacturing")),
            ("trade", self.industry == "Retail trade" || self.industry == "Wholesale trade"),
            ("full-year", self.weeks == 52),
            ("part-year", self.weeks > 0 && self.weeks < 52),
            ("investors", investor),
            ("hourly-well-paid", self.wage >= 1500),
            ("big-employers", self.employer_size == "6"),
            ("self-employed", self.class_of_worker.starts_with("Self-employed")),
            ("surveyed-1995", self.year == "1995"),
            ("householders", self.household == "Householder"),
            ("hourly-paid", self.wage != 0),
            ("not-hourly", self.wage == 0),
            ("not-private", self.class_of_worker != "Private"),
            ("other-than-private", !self.class_of_worker.is_empty() && self.class_of_worker != "Private"),
            ("movers", !self.previous_region.is_empty()),
            ("southern-movers", self.previous_region == "South"),
            ("affluent-professionals", signs >= 2),
            ("career-women", self.sex == "Female" && graduate && self.weeks >= 40),
            ("single-earners", {
                let child = self.household.to_lowercase().contains("child") || self.age < 18;
                self.weeks > 0 && !married && !child
            }),
            ("middle-of-the-road", self.age >= 18 && !high_income && !graduate && !investor),
            ("everybody", true),
            ("children", self.age < 18),
            ("out-of-work", out_of_work),
            ("protected", self.age < 18 || out_of_work || self.country == "Cuba"),
        ]
    }
}

#[test]
fn every_audience_counts_what_a_plain_pass_over_the_file_counts() {
    let Some(file) = data("census/people.csv.gz") else { return };
    let built = Built::new("census", &file);

    let mut people = 0u64;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for_each_row(&file, &COLUMNS, |row| {
        people += 1;
        for (audience, member) in Person::read(row).audiences() {
            *counts.entry(audience).or_default() += u64::from(member);
        }
    });
    assert_eq!(people, 199_523);
    // No identifier occurs twice in this file: a row is a profile.
    assert_eq!(u64::from(built.manifest.profiles), people);
    assert_eq!(built.manifest.bid_ids, distinct_bid_ids(&file));
    let names: Vec<&str> = counts.keys().copied().collect();
    built.assert_same_audiences(&names);
    let wrong: Vec<String> = counts
        .iter()
        .filter(|(audience, count)| built.members(audience) != **count)
        .map(|(audience, count)| format!("{audience}: {} built, {count} counted", built.members(audience)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    lookups_answer_for_the_person_with_the_identifier(&built, &file);
}

fn distinct_bid_ids(file: &std::path::Path) -> u64 {
    let mut ids = HashSet::new();
    for_each_row(file, &["cookie", "ifa", "crm_id", "email"], |row| {
        for (kind, id) in row.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
            assert!(ids.insert((kind, (*id).to_owned())), "{id} occurs twice: profiles would merge");
        }
    });
    ids.iter().filter(|(kind, _)| *kind < 2).count() as u64
}

/// One person in 97, by cookie and by advertising id in either case; ids that do not occur at bid time find nobody.
fn lookups_answer_for_the_person_with_the_identifier(built: &Built, file: &std::path::Path) {
    let columns: Vec<&str> = COLUMNS.iter().copied().chain(["cookie", "ifa", "crm_id"]).collect();
    let mut at = 0;
    for_each_row(file, &columns, |row| {
        at += 1;
        if at % 97 != 0 {
            return;
        }
        let audiences = Person::read(row).audiences();
        let mut expected: Vec<String> =
            audiences.into_iter().filter(|(_, member)| *member).map(|(audience, _)| audience.to_owned()).collect();
        expected.sort();
        let (cookie, ifa, crm_id) = (row[18], row[19], row[20]);
        assert_eq!(built.lookup("pubcid.org", cookie).as_ref(), Some(&expected), "row {at} by cookie");
        if !ifa.is_empty() {
            assert_eq!(built.lookup("ifa", &ifa.to_uppercase()).as_ref(), Some(&expected), "row {at} by ifa");
        }
        assert_eq!(built.lookup("crm", crm_id), None, "row {at}: a CRM number is no bid-time identifier");
        assert_eq!(built.lookup("pubcid.org", &cookie.to_uppercase()), None, "row {at}: cookies are case-sensitive");
    });
}
