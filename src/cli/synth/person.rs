//! Who somebody is: traits, temper, identifiers. Nothing here writes a file.

use super::vocabulary::{BRANDS, CHANNELS, FIRST_NAMES, INTERESTS, LAST_NAMES, MAIL_DOMAINS, REGIONS, TARIFFS, pick};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};

/// One invented customer. `None` = the operator does not know.
#[derive(Debug, Clone)]
pub struct Person {
    /// Position in the world: the CRM number.
    pub number: u64,
    pub age: Option<u8>,
    pub gender: Option<&'static str>,
    pub region: Option<&'static str>,
    pub tariff: &'static str,
    /// Days before as-of.
    pub customer_for_days: i64,
    /// Days after as-of; negative = ended.
    pub contract_ends_in_days: Option<i64>,
    pub arpu_eur: f64,
    pub data_gb: Option<f64>,
    pub brand: Option<&'static str>,
    pub handset_months: Option<u16>,
    pub interests: Vec<&'static str>,
    pub roaming: bool,
    pub fibre: bool,
    pub premium: bool,
    pub offer_eligible: bool,
    pub payment_late: bool,
    pub churn_risk: Option<f64>,
    pub channel: Option<&'static str>,
    /// How much happens to this person; the mean of all is 1, the tail is long.
    pub activity: f64,
    /// How often something goes wrong for this person; the mean is near 1, the tail is longer.
    pub trouble: f64,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// Advertising ids of the devices; the first is in the CRM.
    pub ifas: Vec<String>,
    pub uid2: Option<String>,
    /// First-party cookies; they wear out, so some people have many.
    pub cookies: Vec<String>,
}

impl Person {
    /// Invents person `number`.
    pub fn invent(number: u64, rng: &mut ChaCha8Rng) -> Self {
        let activity = skewed(rng, 1.0).min(60.0);
        let trouble = skewed(rng, 1.3).min(80.0);
        let age = age(rng);
        let tariff = if age < 18 { "Junior" } else { pick(rng, TARIFFS) };
        let arpu_eur = arpu(tariff, rng);
        let handset_months = (skewed(rng, 0.8) * 22.0).min(120.0) as u16;
        let payment_late = rng.random_bool(0.03);
        let churn = (0.08 * trouble + rng.random_range(0.0..0.3)).min(1.0);
        Person {
            number,
            age: known(rng, 0.94, age),
            gender: if rng.random_bool(0.9) { Some(pick(rng, &[("F", 51), ("M", 49)])) } else { None },
            region: if rng.random_bool(0.97) { Some(pick(rng, REGIONS)) } else { None },
            tariff,
            customer_for_days: (skewed(rng, 1.1) * 1_300.0).min(9_000.0) as i64,
            contract_ends_in_days: contract_end(tariff, rng),
            arpu_eur,
            data_gb: if rng.random_bool(0.8) { Some(cents(skewed(rng, 0.9) * 14.0)) } else { None },
            brand: if rng.random_bool(0.85) { Some(pick(rng, BRANDS)) } else { None },
            handset_months: known(rng, 0.8, handset_months),
            interests: INTERESTS.iter().filter(|(_, share)| rng.random_ratio(*share, 1_000)).map(|(i, _)| *i).collect(),
            roaming: rng.random_bool(0.12),
            fibre: rng.random_bool(0.27),
            premium: arpu_eur > 45.0,
            offer_eligible: !payment_late && age >= 18 && rng.random_bool(0.78),
            payment_late,
            churn_risk: known(rng, 0.7, cents(churn)),
            channel: if rng.random_bool(0.6) { Some(pick(rng, CHANNELS)) } else { None },
            activity,
            trouble,
            email: email(number, rng),
            phone: rng.random_bool(0.83).then(|| format!("+39300{number:07}")),
            ifas: ids_of(rng, &[(0, 36), (1, 46), (2, 13), (3, 4), (6, 1)]),
            uid2: rng.random_bool(0.44).then(|| STANDARD.encode(rng.random::<[u8; 32]>())),
            cookies: ids_of(rng, &[(0, 30), (1, 38), (2, 17), (4, 10), (9, 5)]),
        }
    }

    /// The CRM number as it is written.
    pub fn crm_id(&self) -> String {
        format!("C{:09}", self.number)
    }

    /// Whether the law protects this person from advertising.
    pub fn minor(&self) -> bool {
        self.age.is_some_and(|age| age < 18)
    }

    /// The first advertising id, the one in the CRM.
    pub fn ifa(&self) -> Option<&str> {
        self.ifas.first().map(String::as_str)
    }

    /// The first cookie, the one in the CRM.
    pub fn cookie(&self) -> Option<&str> {
        self.cookies.first().map(String::as_str)
    }
}

/// Log-normal with mean 1.
pub fn skewed(rng: &mut ChaCha8Rng, sigma: f64) -> f64 {
    LogNormal::new(-sigma * sigma / 2.0, sigma).map_or(1.0, |law| law.sample(rng))
}

/// Two decimals, as a till prints them.
pub fn cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A random UUID as text.
pub fn uuid(rng: &mut ChaCha8Rng) -> String {
    let mut bits: u128 = rng.random();
    bits = bits & !(0xf << 76) | (0x4 << 76);
    bits = bits & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn known<T>(rng: &mut ChaCha8Rng, share: f64, value: T) -> Option<T> {
    rng.random_bool(share).then_some(value)
}

fn age(rng: &mut ChaCha8Rng) -> u8 {
    match rng.random_range(0..100) {
        0..4 => rng.random_range(14..18),
        4..30 => rng.random_range(18..35),
        30..72 => rng.random_range(35..60),
        _ => rng.random_range(60..95),
    }
}

fn arpu(tariff: &str, rng: &mut ChaCha8Rng) -> f64 {
    let usual = match tariff {
        "Ricaricabile S" => 8.0,
        "Ricaricabile M" => 12.0,
        "Ricaricabile L" => 17.0,
        "Abbonamento" => 27.0,
        "Famiglia" => 38.0,
        "Business" => 46.0,
        _ => 6.0,
    };
    cents(usual * skewed(rng, 0.35))
}

fn contract_end(tariff: &str, rng: &mut ChaCha8Rng) -> Option<i64> {
    matches!(tariff, "Abbonamento" | "Famiglia" | "Business").then(|| rng.random_range(-60..730))
}

fn email(number: u64, rng: &mut ChaCha8Rng) -> Option<String> {
    if !rng.random_bool(0.72) {
        return None;
    }
    let (first, last) = (pick(rng, FIRST_NAMES), pick(rng, LAST_NAMES));
    Some(format!("{first}.{last}.{number}@{}", pick(rng, MAIL_DOMAINS)))
}

fn ids_of(rng: &mut ChaCha8Rng, counts: &[(usize, u32)]) -> Vec<String> {
    let mut left = rng.random_range(0..100);
    let count = counts.iter().find(|(_, weight)| {
        let here = left < *weight;
        left = left.saturating_sub(*weight);
        here
    });
    (0..count.map_or(0, |(count, _)| *count)).map(|_| uuid(rng)).collect()
}
