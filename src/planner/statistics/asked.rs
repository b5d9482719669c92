//! Which statistics are asked for: the query's parameters, each read and bounded.

use crate::planner::reply::{Fault, Refused};
use crate::schema::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

/// The most points of a series.
pub const MOST_POINTS: i64 = 1_500;
const HELP: &str = "from, to and what are needed; step, campaign and caller can be said, each once: \
                    /api/v1/statistics?what=verdicts&from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z&step=hour";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Lookups, those of decisions among them, by outcome.
    Lookups,
    /// Identifiers that were looked up, by type and by whether they are known.
    Matches,
    /// Verdicts by reason.
    Verdicts,
    /// Lookups that were answered without a look, for want of room, of time or of a generation.
    Refusals,
    /// Exposures that were taken, by kind.
    Exposures,
}

impl What {
    /// Whether it is of campaigns, which have owners; else of callers.
    pub fn is_of_campaigns(self) -> bool {
        matches!(self, What::Verdicts | What::Exposures)
    }
}

/// How wide a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds.
    Day,
}

impl Step {
    /// In seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Step::Minute => 60,
            Step::Hour => 3_600,
            Step::Day => 86_400,
        }
    }
}

/// Which statistics.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it describes the query, which is read by hand")]
pub struct Asked {
    /// Minutes that begin at this instant or after it.
    #[param(value_type = String, format = DateTime, example = "2026-11-20T00:00:00Z")]
    pub from: String,
    /// Minutes that begin before this instant. At most 1,500 steps after `from`.
    #[param(value_type = String, format = DateTime, example = "2026-11-21T00:00:00Z")]
    pub to: String,
    /// What is counted.
    #[param(inline)]
    pub what: What,
    /// How wide a point is, counted from `from`; an hour unless said.
    #[param(inline)]
    pub step: Option<Step>,
    /// Of this campaign only, as `owner/id`: with verdicts and exposures.
    #[param(example = "acme/upgrade-2026")]
    pub campaign: Option<String>,
    /// Of this caller only: with lookups, matches and refusals.
    pub caller: Option<String>,
}

/// What was asked, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub from: Timestamp,
    pub to: Timestamp,
    pub what: What,
    pub step: Step,
    pub campaign: Option<String>,
    pub caller: Option<String>,
}

fn wrong(name: &str, detail: impl Into<String>) -> Refused {
    let detail = detail.into();
    let fault = Fault { detail: detail.clone(), field: Some(name.to_owned()), ..Fault::default() };
    Refused::invalid(format!("`{name}`: {detail}"), HELP).with_errors(vec![fault])
}

/// The owner that a name `owner/id` begins with.
pub fn whose(campaign: &str) -> &str {
    campaign.split_once('/').map_or("", |(owner, _)| owner)
}

impl Query {
    /// Reads the query: every parameter once, no other.
    pub(in crate::planner) fn read(raw: Option<&str>) -> Result<Self, Refused> {
        const NAMES: [&str; 6] = ["from", "to", "what", "step", "campaign", "caller"];
        let mut said: [Option<String>; 6] = [const { None }; 6];
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            let Some(at) = NAMES.iter().position(|known| *known == name) else {
                return Err(wrong(&name, "it is not known here"));
            };
            if said[at].replace(value.into_owned()).is_some() {
                return Err(wrong(NAMES[at], "it is said twice"));
            }
        }
        let [from, to, what, step, campaign, caller] = said;
        let instant = |name: &str, text: Option<String>| {
            let text = text.ok_or_else(|| wrong(name, "it is missing"))?;
            Timestamp::parse(&text).ok_or_else(|| wrong(name, "expected an instant such as 2026-11-20T00:00:00Z"))
        };
        let (from, to) = (instant("from", from)?, instant("to", to)?);
        let what = match what.as_deref() {
            Some("lookups") => What::Lookups,
            Some("matches") => What::Matches,
            Some("verdicts") => What::Verdicts,
            Some("refusals") => What::Refusals,
            Some("exposures") => What::Exposures,
            _ => return Err(wrong("what", "expected lookups, matches, verdicts, refusals or exposures")),
        };
        let step = match step.as_deref() {
            Some("minute") => Step::Minute,
            None | Some("hour") => Step::Hour,
            Some("day") => Step::Day,
            _ => return Err(wrong("step", "expected minute, hour or day")),
        };
        let query = Query { from, to, what, step, campaign, caller };
        query.check()?;
        Ok(query)
    }

    fn check(&self) -> Result<(), Refused> {
        if self.from >= self.to {
            return Err(wrong("to", "it is not after `from`"));
        }
        if self.points() > MOST_POINTS {
            let detail = format!(
                "{} points; at most {MOST_POINTS} are told: take a wider `step` or a shorter time",
                self.points()
            );
            return Err(wrong("step", detail));
        }
        if self.campaign.is_some() && !self.what.is_of_campaigns() {
            return Err(wrong("campaign", "only verdicts and exposures are of campaigns"));
        }
        if self.caller.is_some() && self.what.is_of_campaigns() {
            return Err(wrong("caller", "only lookups, matches and refusals are of callers"));
        }
        Ok(())
    }

    /// How many points a series has.
    pub fn points(&self) -> i64 {
        (self.to.0.saturating_sub(self.from.0).saturating_sub(1)) / self.step.seconds() + 1
    }

    /// The minutes that are meant: the first, and the one after the last.
    pub fn minutes(&self) -> (i64, i64) {
        (self.from.0.div_euclid(60) + i64::from(self.from.0.rem_euclid(60) > 0), (self.to.0 - 1).div_euclid(60) + 1)
    }

    /// The point that a minute belongs to.
    pub fn point(&self, minute: i64) -> usize {
        ((minute * 60 - self.from.0) / self.step.seconds()).max(0) as usize
    }
}

/// Reads `days` of a query: a number from 1 to `most`, if it is said.
pub(in crate::planner) fn days(raw: Option<&str>, most: u32) -> Result<Option<u32>, Refused> {
    let mut days = None;
    for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
        let read = value.parse().ok().filter(|days| (1..=most.max(1)).contains(days));
        let detail = format!("expected a number from 1 to {} (`statistics.seen_days`), once", most.max(1));
        if name != "days" || read.is_none() || days.is_some() {
            let fault = Fault { detail: detail.clone(), field: Some(name.to_string()), ..Fault::default() };
            return Err(Refused::invalid(format!("`{name}`: {detail}"), "ask /api/v1/statistics/seen?days=7")
                .with_errors(vec![fault]));
        }
        days = read;
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Query, String> {
        Query::read(Some(query)).map_err(|refused| refused.errors[0].field.clone().unwrap())
    }

    #[test]
    fn a_query_is_read_and_bounded() {
        let day = "from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z";
        let query = read(&format!("{day}&what=verdicts&campaign=acme/x")).unwrap();
        assert_eq!((query.points(), query.step, query.minutes().1 - query.minutes().0), (24, Step::Hour, 1_440));
        assert_eq!(read(&format!("{day}&what=lookups&step=minute")).unwrap().points(), 1_440);
        let odd = read("from=2026-11-20T00:00:01Z&to=2026-11-20T00:02:01Z&what=lookups&step=minute").unwrap();
        let first = odd.minutes().0;
        assert_eq!((odd.points(), odd.minutes().1 - first), (2, 2));
        assert_eq!((odd.point(first), odd.point(first + 1)), (0, 1));
        for (query, field) in [
            (day.to_owned(), "what"),
            (format!("{day}&what=money"), "what"),
            (format!("{day}&what=lookups&step=week"), "step"),
            (format!("{day}&what=lookups&campaign=a/b"), "campaign"),
            (format!("{day}&what=verdicts&caller=a"), "caller"),
            (format!("{day}&what=verdicts&what=verdicts"), "what"),
            (format!("{day}&what=lookups&other=1"), "other"),
            ("what=lookups&from=2026-11-20T00:00:00Z".to_owned(), "to"),
            ("what=lookups&from=x&to=2026-11-20T00:00:00Z".to_owned(), "from"),
            ("what=lookups&to=2026-11-20T00:00:00Z&from=2026-11-20T00:00:00Z".to_owned(), "to"),
            ("what=lookups&step=minute&from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z".to_owned(), "step"),
        ] {
            assert_eq!(read(&query), Err(field.to_owned()), "{query}");
        }
    }

    #[test]
    fn days_are_bounded() {
        assert_eq!((days(None, 30), days(Some("days=30"), 30)), (Ok(None), Ok(Some(30))));
        for wrong in ["days=31", "days=0", "days=x", "days=1&days=1", "day=1"] {
            assert!(days(Some(wrong), 30).is_err(), "{wrong}");
        }
    }
}
