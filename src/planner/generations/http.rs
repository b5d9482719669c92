//! `/api/v1/generations`: which there are, what is in one, how two differ; going back to one, and on again.

use super::compare::Comparison;
use super::compare_two;
use super::shapes::{
    ComparisonAnswer, GenerationAnswer, GenerationLine, GenerationsAnswer, RolledBack, Summary, Unpinned, audiences,
};
use crate::access::{Entry, roles};
use crate::audiences::Catalogue;
use crate::error::{Error, ErrorKind};
use crate::evaluate::survey::Watch;
use crate::planner::Planner;
use crate::planner::profiles::{off_thread, refused};
use crate::planner::reply::{Peer, Problem, Refused, json};
use crate::schema::Generation;
use crate::snapshot::{Manifest, Planes};
use crate::wire::Code;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a rollback waits until the doors answer from it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(20);
/// Comparing reads gigabytes: one at a time.
static ONE: Semaphore = Semaphore::const_new(1);

/// The paths of this file.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_generations))
        .routes(routes!(show_generation))
        .routes(routes!(compare_generations))
        .routes(routes!(roll_back))
        .routes(routes!(unpin))
        .with_state(planner)
}

/// The generations on disk, the newest first: which is live, pinned, in service
#[utoipa::path(get, path = "/api/v1/generations", tag = "generations",
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, body = GenerationsAnswer),
    ))]
async fn list_generations(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    off_thread(move || {
        let store = planner.keeper.store();
        let line = |generation| planner.line(store.manifest(generation), generation, who.owner.is_none());
        let mut generations = store.manifests().map_err(|error| refused(&error))?;
        generations.reverse();
        let answer = GenerationsAnswer {
            live: store.current().map_err(|error| refused(&error))?,
            pinned: store.pinned().map_err(|error| refused(&error))?,
            in_service: planner.in_service(),
            generations: generations.into_iter().map(line).collect(),
        };
        Ok(json(StatusCode::OK, &answer))
    })
    .await
}

/// One generation, and the audiences in it with their sizes
#[utoipa::path(get, path = "/api/v1/generations/{generation}", tag = "generations",
    params(("generation" = u64, Path, description = "its number")),
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, body = GenerationAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it is damaged"),
    ))]
async fn show_generation(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(number): Path<String>,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    let generation = parse(&number, "generation")?;
    off_thread(move || {
        planner.there(generation)?;
        let store = planner.keeper.store();
        let manifest = store.manifest(generation).map_err(|error| damaged(&error))?;
        let catalogue = planner.catalogue_of(&manifest)?;
        let answer = GenerationAnswer {
            live: store.current().is_ok_and(|live| live == Some(generation)),
            pinned: store.pinned().is_ok_and(|pinned| pinned == Some(generation)),
            in_service: planner.in_service() == Some(generation),
            audience_list: audiences(&manifest, &catalogue, &who),
            line: planner.line(Ok(manifest), generation, who.owner.is_none()),
        };
        Ok(json(StatusCode::OK, &answer))
    })
    .await
}

/// How two generations differ: sizes, who came and who left by audience, what was defined otherwise. Profiles are matched by their
/// identifiers. A client that goes away ends it
#[utoipa::path(get, path = "/api/v1/generations/{before}/compare/{after}", tag = "generations",
    params(("before" = u64, Path, description = "the earlier"), ("after" = u64, Path, description = "the later")),
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, body = ComparisonAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "one is damaged"),
    ))]
async fn compare_generations(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path((before, after)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    let (before, after) = (parse(&before, "before")?, parse(&after, "after")?);
    planner.there(before)?;
    planner.there(after)?;
    let turn = ONE.acquire().await;
    let watch = Arc::new(Watch::default());
    let _ends = Ends(Arc::clone(&watch));
    let compared = off_thread(move || {
        let compared = compare_two(&planner.loaded, planner.keeper.store(), before, after, &watch);
        match compared.map_err(|error| damaged(&error))? {
            Some(comparison) => Ok(told(comparison, &who)),
            None => Err(Refused::new(Code::Timeout, "the comparison was broken off", "ask again")),
        }
    })
    .await;
    drop(turn);
    compared
}

fn told(comparison: Comparison, who: &crate::access::Who) -> Response {
    json(StatusCode::OK, &ComparisonAnswer::of(comparison, who))
}

/// Ends what nobody waits for any more.
struct Ends(Arc<Watch>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Goes back to a generation and stays there until unpinned; answers once the bid doors do, or with 202 where that takes longer
#[utoipa::path(post, path = "/api/v1/generations/{generation}/rollback", tag = "generations",
    params(("generation" = u64, Path, description = "its number")),
    security(("key" = ["operator"])),
    responses(
        (status = 200, body = RolledBack),
        (status = 202, body = RolledBack, description = "it is live, and not in service yet: look at /api/v1/generations"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it is damaged"),
    ))]
async fn roll_back(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(number): Path<String>,
) -> Result<Response, Refused> {
    let who = planner.may_for_all(peer, &headers, roles::OPERATE)?;
    let generation = parse(&number, "generation")?;
    off_thread(move || {
        planner.there(generation)?;
        let before = planner.in_service().map(|before| before.to_string());
        let (object, after) = (format!("generation {generation}"), Some(generation.to_string()));
        planner.log(&who, Entry { what: "rollback", object, before, after, ..Entry::default() })?;
        planner.keeper.store().rollback(Some(generation)).map_err(|error| damaged(&error))?;
        Ok(planner.wait_for(generation))
    })
    .await
}

/// Lets what is built and published go live again. The live generation stays until the next one is made: at once where definitions
/// were published meanwhile
#[utoipa::path(post, path = "/api/v1/generations/unpin", tag = "generations",
    security(("key" = ["operator"])),
    responses(
        (status = 200, body = Unpinned),
    ))]
async fn unpin(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let who = planner.may_for_all(peer, &headers, roles::OPERATE)?;
    off_thread(move || {
        let store = planner.keeper.store();
        let pinned = store.pinned().map_err(|error| refused(&error))?;
        let object = "generations".to_owned();
        let before = pinned.map(|pinned| pinned.to_string());
        planner.log(&who, Entry { what: "unpin", object, before, ..Entry::default() })?;
        store.unpin().map_err(|error| refused(&error))?;
        if let Some(builds) = &planner.builds {
            builds.look();
        }
        let live = store.current().map_err(|error| refused(&error))?;
        let message = "the live generation stays until the next one is made; definitions that were published meanwhile go \
                       live at once: GET /api/v1/builds tells";
        Ok(json(StatusCode::OK, &Unpinned { live, message }))
    })
    .await
}

/// The number of a generation, from a path.
fn parse(text: &str, field: &str) -> Result<Generation, Refused> {
    text.parse().map(Generation).map_err(|_| {
        let fault = crate::planner::reply::Fault {
            detail: "a whole number is expected".to_owned(),
            field: Some(field.to_owned()),
            ..Default::default()
        };
        Refused::invalid(format!("`{field}` is not the number of a generation"), "GET /api/v1/generations lists them")
            .with_errors(vec![fault])
    })
}

/// A generation that cannot be read is in conflict with what is asked; anything else is as elsewhere.
fn damaged(error: &Error) -> Refused {
    match error.kind {
        ErrorKind::Snapshot => Refused::new(Code::Conflict, error.to_string(), "choose another generation"),
        _ => refused(error),
    }
}

impl Planner {
    /// The generation that the doors answer from.
    fn in_service(&self) -> Option<Generation> {
        self.standing.answering().map(|answering| answering.snapshot.generation())
    }

    /// # Errors
    /// There is no such generation.
    fn there(&self, generation: Generation) -> Result<(), Refused> {
        let there = self.keeper.store().manifests().map_err(|error| refused(&error))?;
        if there.contains(&generation) {
            return Ok(());
        }
        let help = "GET /api/v1/generations lists those that there are; older ones are swept";
        Err(Refused::new(Code::NotFound, format!("there is no generation {generation}"), help))
    }

    /// A line of the list; why a manifest cannot be read is told to whoever looks after all owners.
    fn line(&self, manifest: crate::error::Result<Manifest>, generation: Generation, all: bool) -> GenerationLine {
        match manifest {
            Ok(manifest) => GenerationLine { generation, refused: None, summary: Some(Summary::of(&manifest)) },
            Err(error) => {
                let why = if all { error.to_string() } else { "it cannot be read".to_owned() };
                GenerationLine { generation, refused: Some(why), summary: None }
            }
        }
    }

    /// The definitions of a generation, without opening what is large.
    pub(super) fn catalogue_of(&self, manifest: &Manifest) -> Result<Catalogue, Refused> {
        let only = manifest.sections.iter().filter(|section| section.name == "catalogue").cloned().collect();
        let light = Manifest { sections: only, ..manifest.clone() };
        let opened = self.keeper.store().open_manifest(&light, Planes::Bid, None).map_err(|error| damaged(&error))?;
        let section = opened.section("catalogue").map_err(|error| damaged(&error))?;
        serde_json::from_slice(section)
            .map_err(|error| damaged(&Error::snapshot(format!("the definitions of it cannot be read: {error}"))))
    }

    /// Waits, within bounds, until the doors answer from a generation.
    fn wait_for(&self, generation: Generation) -> Response {
        if let Some(builds) = &self.builds {
            builds.look();
        }
        let until = Instant::now() + PATIENCE;
        while self.in_service() != Some(generation) && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        let in_service = self.in_service() == Some(generation);
        let message = format!(
            "generation {generation} is live and pinned: builds and publishing go on, and nothing newer goes live until \
             POST /api/v1/generations/unpin{}",
            if in_service { "" } else { "; GET /api/v1/generations tells when it is in service" }
        );
        let status = if in_service { StatusCode::OK } else { StatusCode::ACCEPTED };
        json(status, &RolledBack { generation, in_service, message })
    }
}
