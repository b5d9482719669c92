//! `GET /api/v1/statistics`: what was answered, minute by minute ([`asked`] which, [`fold`] added up); and
//! `GET /api/v1/statistics/seen`: how many profiles were seen in the bidstream.
//!
//! An owner's key sees the verdicts and exposures of its owner's campaigns, exactly; what concerns the whole installation takes
//! a key for all owners. What must not live here: counting, files.

mod asked;
mod fold;

use super::Planner;
use super::profiles::{off_thread, refused};
use super::reply::{Fault, Peer, Refused, json};
use crate::access::roles;
use crate::wire::Code;
use asked::{Asked, Query, whose};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use fold::{Fold, Statistics};
use serde::Serialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How many days are meant unless it is said.
const DAYS: u32 = 7;

/// The paths of this file.
pub(super) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(statistics)).routes(routes!(seen)).with_state(planner)
}

/// What was answered
///
/// Counts by minute, hour or day, of lookups, matches, verdicts, refusals or exposures. An owner's key sees the verdicts and
/// exposures of its own campaigns; the rest is of the whole installation and takes a key for all owners.
#[utoipa::path(
    get, path = "/api/v1/statistics", tag = "statistics", security(("key" = ["planner", "approver", "operator"])), params(Asked),
    responses(
        (status = 200, description = "The counts", body = Statistics),
        (status = 404, description = "There is no such campaign or caller", body = super::reply::Problem, content_type = "application/problem+json"),
        (status = 409, description = "Statistics are not kept", body = super::reply::Problem, content_type = "application/problem+json"),
    )
)]
async fn statistics(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    let query = Query::read(raw.as_deref())?;
    if !query.what.is_of_campaigns() {
        planner.may_for_all(peer, &headers, roles::SEE)?;
    }
    off_thread(move || {
        let mut fold = Fold::new(&query, &who);
        let (from, to) = query.minutes();
        let kept = planner.standing.minutes(from, to, &mut |minute| fold.add(minute));
        if !kept.map_err(|error| refused(&error))? {
            let help = "set `statistics.keep_days` and start the server again; nothing of before was kept";
            return Err(Refused::new(Code::Conflict, "statistics are not kept: `statistics.keep_days` is 0", help));
        }
        if fold.is_empty() {
            known(&planner, &query, &who)?;
        }
        Ok(json(StatusCode::OK, &fold.done()?))
    })
    .await
}

/// Refuses names of nothing: what nothing was counted of may be misspelt. Another owner's campaign is none.
fn known(planner: &Planner, query: &Query, who: &crate::access::Who) -> Result<(), Refused> {
    let nothing = |what: &str, name: &str, help: &str| {
        let fault =
            Fault { detail: format!("`{name}` is not known"), field: Some(what.to_owned()), ..Fault::default() };
        Refused::new(Code::NotFound, format!("there is no such {what}"), help).with_errors(vec![fault])
    };
    if let Some(campaign) = &query.campaign {
        let answering = planner.standing.answering();
        let is_there = answering.is_some_and(|answering| {
            answering.snapshot.catalogue().campaigns.iter().any(|it| it.id.as_str() == campaign)
        });
        if !is_there || !who.sees(whose(campaign)) {
            return Err(nothing("campaign", campaign, "name one as `owner/id`; GET /api/v1/definitions lists them"));
        }
    }
    if let Some(caller) = &query.caller {
        let access = planner.standing.access();
        if !access.callers.iter().any(|it| it.name == *caller) {
            return Err(nothing(
                "caller",
                caller,
                "`callers` of the configuration names them; GET /api/v1/keys lists keys",
            ));
        }
    }
    Ok(())
}

/// Within how many days.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it describes the query, which is read by hand")]
struct Days {
    /// UTC days, today included; 7 unless said, at most `statistics.seen_days`.
    #[param(minimum = 1)]
    days: Option<u32>,
}

/// Profiles that were seen in the bidstream: those that a lookup matched.
#[derive(Debug, Serialize, ToSchema)]
struct Seen {
    /// The generation whose profiles are counted.
    generation: u64,
    /// Within how many UTC days, today included.
    days: u32,
    /// So many were seen within them.
    profiles: u64,
    /// By day, the oldest first; days of which nothing is known are left out.
    by_day: Vec<SeenDay>,
}

/// Profiles that were seen on a day.
#[derive(Debug, Serialize, ToSchema)]
struct SeenDay {
    /// The UTC day.
    #[schema(example = "2026-11-20")]
    day: String,
    /// So many were seen.
    profiles: u64,
}

/// Who was seen in the bidstream
///
/// How many profiles of the generation in service were seen, by day and within some days. A key for all owners is needed.
#[utoipa::path(
    get, path = "/api/v1/statistics/seen", tag = "statistics", security(("key" = ["planner", "approver", "operator"])), params(Days),
    responses(
        (status = 200, description = "The counts", body = Seen),
        (status = 409, description = "It is not remembered who was seen", body = super::reply::Problem, content_type = "application/problem+json"),
        (status = 503, description = "There is no generation yet, or it is too new", body = super::reply::Problem, content_type = "application/problem+json"),
    )
)]
async fn seen(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refused> {
    planner.may_for_all(peer, &headers, roles::SEE)?;
    let most = planner.loaded.config.statistics.seen_days;
    let days = asked::days(raw.as_deref(), most)?;
    if most == 0 {
        let help = "set `statistics.seen_days` and start the server again";
        return Err(Refused::new(
            Code::Conflict,
            "it is not remembered who was seen: `statistics.seen_days` is 0",
            help,
        ));
    }
    let days = days.unwrap_or(DAYS.min(most));
    off_thread(move || {
        let generation = planner.standing.answering().map(|answering| answering.snapshot.generation());
        let told = generation.and_then(|generation| {
            let mask = planner.standing.seen_within(generation, days)?;
            Some((generation, mask, planner.standing.seen_by_day(generation)?))
        });
        let Some((generation, mask, by_day)) = told else {
            let message = "there is no generation yet, or who was seen before it is still being carried over to it";
            return Err(Refused::new(Code::NotReady, message, "ask again in some seconds").retry_after(5));
        };
        let profiles = mask.iter().map(|word| u64::from(word.count_ones())).sum();
        let by_day = by_day.into_iter().map(|(day, profiles)| SeenDay { day: fold::date(day), profiles }).collect();
        Ok(json(StatusCode::OK, &Seen { generation: generation.0, days, profiles, by_day }))
    })
    .await
}
