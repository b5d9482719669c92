//! The CRM export: one row a customer, semicolons and decimal commas, a few percent of it wrong.

use super::World;
use super::output::{Chunk, File};
use super::person::Person;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The header.
pub const COLUMNS: &[&str] = &[
    "crm_id",
    "email",
    "phone",
    "ifa",
    "uid2",
    "pubcid",
    "age",
    "gender",
    "region",
    "tariff",
    "since",
    "contract_end",
    "arpu",
    "data_gb",
    "brand",
    "os",
    "handset_months",
    "interests",
    "roaming",
    "fibre",
    "premium",
    "minor",
    "eligible",
    "late",
    "churn",
    "channel",
    "updated_at",
];

/// What can be wrong with a row.
#[derive(Clone, Copy, PartialEq)]
enum Dirt {
    None,
    BadEmail,
    BadDate,
    BadNumber,
    UnknownRegion,
    NoIdentifier,
    ZeroIfa,
    Shouted,
}

/// Writes a person's row, and for a few a second contract that shares the e-mail and the phone.
pub fn write(person: &Person, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    row(person, &person.crm_id(), dirt(rng), world, rng, chunk);
    if (person.email.is_some() || person.phone.is_some()) && rng.random_bool(0.02) {
        let second = format!("D{:09}", person.number);
        row(person, &second, Dirt::None, world, rng, chunk);
    }
}

fn dirt(rng: &mut ChaCha8Rng) -> Dirt {
    match rng.random_range(0..1_000) {
        0..6 => Dirt::BadEmail,
        6..10 => Dirt::BadDate,
        10..14 => Dirt::BadNumber,
        14..17 => Dirt::UnknownRegion,
        17..20 => Dirt::NoIdentifier,
        20..30 => Dirt::ZeroIfa,
        30..60 => Dirt::Shouted,
        _ => Dirt::None,
    }
}

fn row(person: &Person, crm_id: &str, dirt: Dirt, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let (ids, traits) = (ids(person, crm_id, dirt), traits(person, dirt, world));
    let updated = world.as_of.0 - rng.random_range(0..30 * 86_400);
    let fields = ids.into_iter().chain(traits).chain([crate::schema::Timestamp(updated).to_string()]);
    chunk.csv_row(File::Crm, fields);
}

fn ids(person: &Person, crm_id: &str, dirt: Dirt) -> [String; 6] {
    let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
    let email = text(person.email.as_deref());
    match dirt {
        Dirt::NoIdentifier => Default::default(),
        _ => [
            crm_id.to_owned(),
            match dirt {
                Dirt::BadEmail => "no e-mail".to_owned(),
                Dirt::Shouted => format!(" {}", email.to_uppercase()),
                _ => email,
            },
            text(person.phone.as_deref()),
            if dirt == Dirt::ZeroIfa { "00000000-0000-0000-0000-000000000000".to_owned() } else { text(person.ifa()) },
            text(person.uid2.as_deref()),
            text(person.cookie()),
        ],
    }
}

fn traits(person: &Person, dirt: Dirt, world: &World) -> [String; 20] {
    let flag = |yes: bool| if yes { "1" } else { "0" }.to_owned();
    let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
    let mut region = word(person.region);
    if dirt == Dirt::UnknownRegion {
        region = "Atlantide".to_owned();
    }
    let since = match dirt {
        Dirt::BadDate => "31/02/2025".to_owned(),
        _ => date(world, -person.customer_for_days),
    };
    let arpu = if dirt == Dirt::BadNumber { "n/a".to_owned() } else { comma(person.arpu_eur) };
    let os = person.brand.map(|brand| if brand == "Apple" { "ios" } else { "android" });
    [
        person.age.map(|age| age.to_string()).unwrap_or_default(),
        word(person.gender),
        region,
        person.tariff.to_owned(),
        since,
        person.contract_ends_in_days.map(|days| date(world, days)).unwrap_or_default(),
        arpu,
        person.data_gb.map(comma).unwrap_or_default(),
        word(person.brand),
        word(os),
        person.handset_months.map(|months| months.to_string()).unwrap_or_default(),
        person.interests.join("|"),
        flag(person.roaming),
        flag(person.fibre),
        flag(person.premium),
        if person.age.is_some() { flag(person.minor()) } else { String::new() },
        flag(person.offer_eligible),
        flag(person.payment_late),
        person.churn_risk.map(comma).unwrap_or_default(),
        word(person.channel),
    ]
}

/// 23.4 -> "23,40": this CRM speaks Italian.
fn comma(value: f64) -> String {
    format!("{value:.2}").replace('.', ",")
}

/// The day so many days from as-of, as dd/mm/yyyy.
fn date(world: &World, days: i64) -> String {
    let day = super::config::day(world.as_of, days);
    format!("{:02}/{:02}/{:04}", day.day(), day.month(), day.year())
}
