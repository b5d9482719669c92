//! Minutes added up: series of points, totals by every name, and what came of suppression in words of its own.

use super::asked::{Query, Step, What, whose};
use crate::access::Who;
use crate::planner::reply::Refused;
use crate::schema::Timestamp;
use crate::telemetry::statistics::{self as kept, Key, Minute};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// The most totals that are told.
const MOST_TOTALS: usize = 50_000;
/// Outcomes of lookups that were answered without a look.
const REFUSED: [&str; 3] = ["overloaded", "late", "not_ready"];

/// Under which names something was counted; what does not apply is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Names {
    /// The campaign, `owner/id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// `target`, `suppress` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The reason code; empty for a user in target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The kind of an exposure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Where it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<String>,
    /// The type of an identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What became of a lookup, or whether an identifier is `known` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// Counts over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Series {
    /// Of what.
    #[serde(flatten)]
    pub names: Names,
    /// One a step, from `from` on.
    pub counts: Vec<u64>,
}

/// A count over the whole time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Total {
    /// Of what.
    #[serde(flatten)]
    pub names: Names,
    /// How often.
    pub count: u64,
}

/// Verdicts that kept a campaign from speaking to somebody whom it was told to leave alone. A count of answers, not of people
/// and not of money: the same person may be asked about many times.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Suppressed {
    /// In an audience that the campaign excludes.
    pub excluded: u64,
    /// The campaign, or its group, has spoken often enough.
    pub capped: u64,
    /// The owner has said enough to this person.
    pub pressure: u64,
    /// The person objected to marketing.
    pub objected: u64,
    /// All four.
    pub total: u64,
}

/// What was answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Statistics {
    /// What is counted.
    pub what: What,
    /// Minutes that begin at this instant or after it.
    #[schema(value_type = String)]
    pub from: Timestamp,
    /// Minutes that begin before this instant.
    #[schema(value_type = String)]
    pub to: Timestamp,
    /// How wide a point is.
    pub step: Step,
    /// Counts over time.
    pub series: Vec<Series>,
    /// Counts over the whole time, by every name.
    pub totals: Vec<Total>,
    /// With verdicts: opportunities that were suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed_opportunities: Option<Suppressed>,
}

/// Adds minutes up.
pub(in crate::planner) struct Fold<'q> {
    query: &'q Query,
    who: &'q Who,
    series: BTreeMap<[Arc<str>; 2], Vec<u64>>,
    totals: BTreeMap<[Arc<str>; 3], u64>,
}

impl<'q> Fold<'q> {
    /// Of what is asked, as far as it is this one's to see.
    pub fn new(query: &'q Query, who: &'q Who) -> Self {
        Fold { query, who, series: BTreeMap::new(), totals: BTreeMap::new() }
    }

    /// Adds a minute.
    pub fn add(&mut self, minute: &Minute) {
        let (point, points) = (self.query.point(minute.minute), self.query.points() as usize);
        for (key, count) in &minute.counts {
            if !self.is_meant(key) {
                continue;
            }
            let names = &key.names;
            let [_, a, b] = names;
            // Refusals by outcome and door, lookups by outcome alone: a door's figures are in the totals.
            let group = if self.query.what == What::Lookups {
                ["".into(), Arc::clone(b)]
            } else {
                [Arc::clone(a), Arc::clone(b)]
            };
            let counts = self.series.entry(group).or_insert_with(|| vec![0; points]);
            if let Some(sum) = counts.get_mut(point) {
                *sum += count;
            }
            *self.totals.entry(names.clone()).or_default() += count;
        }
    }

    fn is_meant(&self, key: &Key) -> bool {
        let Query { what, campaign, caller, .. } = self.query;
        let [subject, _, outcome] = &key.names;
        let is_of = |wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| **wanted == **subject);
        let counted = match what {
            What::Lookups | What::Refusals => kept::What::Lookups,
            What::Matches => kept::What::Matches,
            What::Verdicts => kept::What::Verdicts,
            What::Exposures => kept::What::Exposures,
        };
        key.what == counted
            && (*what != What::Refusals || REFUSED.contains(&&**outcome))
            && if what.is_of_campaigns() { self.who.sees(whose(subject)) && is_of(campaign) } else { is_of(caller) }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty()
    }

    /// What it comes to.
    ///
    /// # Errors
    /// More totals than anybody reads.
    pub fn done(self) -> Result<Statistics, Refused> {
        let Query { what, from, to, step, .. } = *self.query;
        if self.totals.len() > MOST_TOTALS {
            let message = format!("{} totals; at most {MOST_TOTALS} are told", self.totals.len());
            return Err(Refused::invalid(message, "ask about one campaign: `campaign=owner/id`"));
        }
        let suppressed = (what == What::Verdicts).then(|| self.suppressed());
        let series =
            self.series.into_iter().map(|([a, b], counts)| Series { names: names(what, ["", &a, &b]), counts });
        let totals =
            self.totals.iter().map(|([subject, a, b], &count)| Total { names: names(what, [subject, a, b]), count });
        Ok(Statistics {
            what,
            from,
            to,
            step,
            series: series.collect(),
            totals: totals.collect(),
            suppressed_opportunities: suppressed,
        })
    }

    fn suppressed(&self) -> Suppressed {
        let of = |wanted: &str| {
            let meant =
                self.totals.iter().filter(|([_, verdict, reason], _)| &**verdict == "suppress" && **reason == *wanted);
            meant.map(|(_, count)| count).sum()
        };
        let (excluded, capped, pressure, objected) = (of("excluded"), of("capped"), of("pressure"), of("objected"));
        Suppressed { excluded, capped, pressure, objected, total: excluded + capped + pressure + objected }
    }
}

/// The names of a count; a subject or a door that is empty is absent.
fn names(what: What, [subject, a, b]: [&str; 3]) -> Names {
    let (subject, [a, b]) =
        (Some(subject.to_owned()).filter(|it| !it.is_empty()), [a, b].map(|it| Some(it.to_owned())));
    match what {
        What::Lookups | What::Refusals => {
            Names { caller: subject, door: a.filter(|door| !door.is_empty()), outcome: b, ..Names::default() }
        }
        What::Matches => Names { caller: subject, source: a, outcome: b, ..Names::default() },
        What::Verdicts => Names { campaign: subject, verdict: a, reason: b, ..Names::default() },
        What::Exposures => Names { campaign: subject, kind: a, ..Names::default() },
    }
}

/// A UTC day as it is written.
pub fn date(day: i64) -> String {
    Timestamp(day.saturating_mul(86_400)).to_string().split('T').next().unwrap_or_default().to_owned()
}
