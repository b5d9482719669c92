//! What people did: web, app and call-centre events as NDJSON, heavy-tailed, some repeated, a few percent wrong.

use super::World;
use super::output::{Chunk, File};
use super::person::{Person, cents, skewed};
use super::vocabulary::{BREAKAGES, CAMPAIGNS, CATEGORIES, TOPICS, pick};
use crate::schema::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};
use serde::Serialize;

/// How far back events reach.
pub(super) const HISTORY_DAYS: f64 = 400.0;

/// How much better the recent past is remembered.
pub(super) const RECENCY: f64 = 1.7;

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    time: &'a str,
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crm_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pubcid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifa: Option<&'a str>,
    props: Props,
}

#[derive(Serialize, Default)]
struct Props {
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'static str>,
}

/// An event's name and how often it happens to an average person in the whole history.
pub(super) type Rate = (&'static str, f64);

pub(super) fn rates(person: &Person) -> [Rate; 8] {
    let (busy, trouble) = (person.activity, person.trouble);
    let worn = f64::from(person.handset_months.unwrap_or(18)) / 24.0;
    [
        ("app_session", 1.6 * busy),
        ("impression", 1.4 * busy),
        ("viewed_offer", 0.8 * busy),
        ("purchase", 0.5 * busy),
        ("called_support", 0.35 * trouble),
        ("complaint", 0.12 * trouble),
        ("churn_signal", 0.2 * trouble),
        ("device_broken", 0.22 * worn),
    ]
}

/// Writes a person's events.
pub fn write(person: &Person, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let crm_id = person.crm_id();
    let mut serial = 0u32;
    for (name, rate) in rates(person) {
        for _ in 0..how_many(rng, rate * world.busy) {
            let id = format!("{:x}-{serial}", person.number);
            serial += 1;
            let time = Timestamp(world.as_of.0 - seconds_ago(rng)).to_string();
            let (by_crm, by_cookie, by_ifa) = seen_by(name, person, rng);
            let line = Line {
                id: &id,
                time: &time,
                event: name,
                crm_id: by_crm.then_some(crm_id.as_str()),
                pubcid: by_cookie,
                ifa: by_ifa,
                props: props(name, rng),
            };
            write_line(line, rng, chunk);
        }
    }
}

/// Most rows as they are, some sent twice (with the same id), some spoilt.
fn write_line(mut line: Line<'_>, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    match rng.random_range(0..1_000) {
        0..5 => line.event = "purchse",
        5..10 => line.time = "yesterday",
        10..15 => (line.crm_id, line.pubcid, line.ifa) = (None, None, None),
        15..18 => return chunk.text_row(File::Events, r#"{"id":"cut-off","time":"20"#),
        18..23 => chunk.json_row(File::Events, &line),
        _ => {}
    }
    chunk.json_row(File::Events, &line);
}

fn how_many(rng: &mut ChaCha8Rng, rate: f64) -> u64 {
    Poisson::new(rate.max(1e-9)).map_or(0, |law| law.sample(rng) as u64)
}

/// The recent past is better remembered: a tenth of the history lies in the last 8 days.
fn seconds_ago(rng: &mut ChaCha8Rng) -> i64 {
    let share: f64 = rng.random();
    (share.powf(RECENCY) * HISTORY_DAYS * 86_400.0) as i64
}

/// Under which identifiers a channel knows the person: (CRM number, cookie, advertising id). At least one.
fn seen_by<'a>(name: &str, person: &'a Person, rng: &mut ChaCha8Rng) -> (bool, Option<&'a str>, Option<&'a str>) {
    let one_of = |ids: &'a [String], rng: &mut ChaCha8Rng| match ids.len() {
        0 => None,
        n => Some(ids[rng.random_range(0..n)].as_str()),
    };
    let (cookie, ifa) = match name {
        "app_session" => (None, one_of(&person.ifas, rng)),
        "impression" | "viewed_offer" | "purchase" => (one_of(&person.cookies, rng), None),
        _ => (None, None),
    };
    let logged_in = rng.random_bool(0.2);
    (logged_in || (cookie.is_none() && ifa.is_none()), cookie, ifa)
}

fn props(name: &str, rng: &mut ChaCha8Rng) -> Props {
    let mut props = Props::default();
    match name {
        "app_session" => props.minutes = Some(minutes(rng, 6.0)),
        "impression" => props.campaign = Some(pick(rng, CAMPAIGNS)),
        "viewed_offer" => props.category = Some(pick(rng, CATEGORIES)),
        "purchase" => {
            let category = pick(rng, CATEGORIES);
            props.category = Some(category);
            props.price = Some(price(category, rng));
        }
        "called_support" => {
            props.topic = Some(pick(rng, TOPICS));
            props.minutes = Some(minutes(rng, 9.0));
        }
        "complaint" => props.topic = Some(pick(rng, TOPICS)),
        "churn_signal" => props.score = Some(cents(rng.random_range(0.2..1.0))),
        _ => props.part = Some(pick(rng, BREAKAGES)),
    }
    props
}

fn minutes(rng: &mut ChaCha8Rng, usual: f64) -> u32 {
    (usual * skewed(rng, 0.9)).clamp(1.0, 180.0) as u32
}

fn price(category: &str, rng: &mut ChaCha8Rng) -> f64 {
    let usual = match category {
        "phone" => 480.0,
        "tablet" => 350.0,
        "watch" => 210.0,
        "fibre" => 29.0,
        "tv" => 19.0,
        "data-pack" => 9.0,
        _ => 24.0,
    };
    cents(usual * skewed(rng, 0.4))
}
