//! A planner, between builds: how many a rule would reach, and how soon a published audience is answered at bid time.

use super::client::Client;
use crate::cli::figures;
use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What the planner thinks of.
const RULE: &str = "age between 18 and 34 and handset_months >= 24 and not in audience telco/haters";
/// What it is called.
const AUDIENCE: &str = "telco/young-with-old-phones";
/// How long the demo waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks how many, publishes, and looks until the first of `questions` is answered with the new audience.
///
/// # Errors
/// A demo that does not do what it says.
pub(super) fn tell(bids: &mut Client, doors: &mut Client, questions: &str) -> Result<String> {
    let reach = doors.post("/api/v1/reach", json!({ "rule": RULE }).to_string())?.json();
    let (count, took) = (reach["count"].as_u64().unwrap_or_default(), reach["took_ms"].as_f64().unwrap_or_default());
    let mut text = format!("  A planner thinks of an audience: POST /api/v1/reach\n    {RULE}\n");
    text.push_str(&format!("    {} people, counted in {took:.1} ms\n", figures::count(count)));
    let (owner, id) = AUDIENCE.split_once('/').unwrap_or_default();
    let definition = json!({ "audiences": [{
        "id": id, "owner": owner, "name": "Young, with an old phone", "kind": "target", "rule": RULE,
    }] });
    let began = Instant::now();
    doors.post("/api/v1/definitions?publish=true&comment=demo", definition.to_string())?;
    let published = began.elapsed();
    let question = answered(bids, questions)?;
    text.push_str(&format!(
        "  and publishes it: acknowledged after {} ms, answered at bid time after {} ms, without a build\n    {question}\n",
        published.as_millis(),
        began.elapsed().as_millis(),
    ));
    Ok(text)
}

/// The first question that is answered with the new audience.
fn answered<'q>(bids: &mut Client, questions: &'q str) -> Result<&'q str> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        for question in questions.lines().take(500) {
            let answer = bids.post("/v1/lookup", question.to_owned())?.json();
            if answer["audiences"].as_array().is_some_and(|all| all.contains(&Value::from(AUDIENCE))) {
                return Ok(question);
            }
        }
    }
    Err(Error::internal(format!("{AUDIENCE} was published and is not answered after {} s", PATIENCE.as_secs())))
}
