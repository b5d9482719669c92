//! Which of the people asked about are worth a story: the first of each sort, in the order of the file.

use super::reading::Reading;
use crate::schema::{ProfileKey, Timestamp};
use serde_json::Value;

/// Somebody, what was asked, and what was answered.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The body of the question.
    pub(super) question: String,
    /// `POST /v1/decide`'s answer.
    pub(super) decision: Value,
}

/// The sorts of people, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Targeted,
    Excluded,
    OutOfTarget,
    Stranger,
    Nobody,
    RefusedHere,
    RefusedBefore,
    Objector,
}

impl Role {
    pub(super) const ALL: [Role; 8] = [
        Role::Targeted,
        Role::Excluded,
        Role::OutOfTarget,
        Role::Stranger,
        Role::Nobody,
        Role::RefusedHere,
        Role::RefusedBefore,
        Role::Objector,
    ];

    /// Whether somebody is of this sort.
    fn fits(self, asked: &Asked) -> bool {
        let status = asked.decision["status"].as_str().unwrap_or_default();
        let signal = asked.question.contains("\"privacy\"");
        match self {
            Role::Targeted => status == "matched" && asked.include().is_some() && asked.with("excluded").is_none(),
            Role::Excluded => status == "matched" && asked.include().is_some() && asked.with("excluded").is_some(),
            Role::OutOfTarget => status == "matched" && asked.include().is_none() && asked.with("excluded").is_none(),
            Role::Stranger => status == "no_profile",
            Role::Nobody => status == "no_id",
            Role::RefusedHere => status == "no_consent" && signal,
            Role::RefusedBefore => status == "no_consent" && !signal,
            Role::Objector => status == "blocked",
        }
    }
}

impl Asked {
    /// The question as JSON.
    pub(super) fn lookup(&self) -> Value {
        serde_json::from_str(&self.question).unwrap_or_default()
    }

    /// The identifiers as the command line takes them.
    pub(super) fn arguments(&self) -> Vec<String> {
        let lookup = self.lookup();
        let eids = lookup["eids"].as_array().into_iter().flatten();
        let eids = eids.map(|eid| format!("{}:{}", text(&eid["source"]), text(&eid["uid"])));
        eids.chain(lookup["ifa"].as_str().map(|ifa| format!("ifa:{ifa}"))).collect()
    }

    /// The verdicts: campaign, verdict, reason (empty when there is none).
    pub(super) fn verdicts(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let campaigns = self.decision["campaigns"].as_array().into_iter().flatten();
        campaigns.map(|one| (text(&one["id"]), text(&one["verdict"]), text(&one["reason"])))
    }

    /// The first campaign that speaks to this person because of an audience: not the one that speaks to everybody.
    pub(super) fn include(&self) -> Option<&str> {
        self.verdicts().find(|(id, verdict, _)| *verdict == "target" && *id != "telco/brand").map(|(id, _, _)| id)
    }

    /// The first campaign decided for this reason.
    pub(super) fn with(&self, reason: &str) -> Option<&str> {
        self.verdicts().find(|(_, _, why)| *why == reason).map(|(id, _, _)| id)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The first person of a sort: rather one whose story the phone campaign decides, and who has identifiers.
pub(super) fn first(role: Role, asked: &[Asked]) -> Option<&Asked> {
    let told_best = |one: &&Asked| match role {
        Role::Targeted => one.include() == Some("telco/upgrade-2026"),
        Role::Excluded => one.with("excluded") == Some("telco/upgrade-2026"),
        Role::RefusedHere => !one.arguments().is_empty(),
        _ => true,
    };
    let all = || asked.iter().filter(|one| role.fits(one));
    all().find(told_best).or_else(|| all().next())
}

/// Somebody whose answer changes soon.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) keys: Vec<ProfileKey>,
    /// The audience's number.
    pub(super) audience: u32,
    /// The minute from which it holds or no longer holds.
    pub(super) at: Timestamp,
    pub(super) joins: bool,
}

/// How far ahead flips reach: builds write them for at least so many minutes.
const MINUTES_AHEAD: i64 = 120;

/// The first person in the sample who enters or leaves an audience within the time that flips cover.
pub(super) fn next_change(reading: &Reading, questions: &[String]) -> Option<Change> {
    let after = |minutes: i64| Timestamp(reading.now.0 + minutes * 60);
    questions.iter().find_map(|question| {
        let keys = reading.keys(&serde_json::from_str(question).ok()?);
        let before = reading.audiences(&keys, reading.now)?;
        if reading.audiences(&keys, after(MINUTES_AHEAD))? == before {
            return None;
        }
        (1..=MINUTES_AHEAD).find_map(|minutes| {
            let then = reading.audiences(&keys, after(minutes))?;
            let left = before.iter().find(|number| !then.contains(number)).map(|number| (*number, false));
            let (audience, joins) =
                left.or_else(|| then.iter().find(|number| !before.contains(number)).map(|number| (*number, true)))?;
            Some(Change { keys: keys.clone(), audience, at: after(minutes), joins })
        })
    })
}
