//! What the paths of generations answer, as it stands in the description of the port.

use super::compare::{Compared, Comparison, Defined};
use crate::access::Who;
use crate::audiences::Catalogue;
use crate::audiences::order::resting_on_others;
use crate::schema::{AudienceId, Generation, Timestamp};
use crate::snapshot::{AudienceSummary, Manifest, Planes};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The generations on disk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GenerationsAnswer {
    /// The one that `CURRENT` names.
    #[schema(value_type = Option<u64>)]
    pub live: Option<Generation>,
    /// The one that a rollback pins: nothing newer goes live.
    #[schema(value_type = Option<u64>)]
    pub pinned: Option<Generation>,
    /// The one that the bid doors of this server answer from.
    #[schema(value_type = Option<u64>)]
    pub in_service: Option<Generation>,
    /// The newest first.
    pub generations: Vec<GenerationLine>,
}

/// A generation in a line.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GenerationLine {
    #[schema(value_type = u64)]
    pub generation: Generation,
    /// Why it cannot be used; then nothing else is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    #[serde(flatten)]
    pub summary: Option<Summary>,
}

/// What a manifest says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Summary {
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// The minute its sizes are of.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The generation whose index it shares; its own number after a full build.
    #[schema(value_type = u64)]
    index_of: Generation,
    #[schema(value_type = String, format = DateTime)]
    index_created: Timestamp,
    /// Whether it was published over another without evaluating every rule.
    fresh: bool,
    profiles: u32,
    /// How many audiences it has: of every owner.
    audiences: usize,
    /// The digest of the definitions it was built from.
    catalogue_version: String,
    /// Of all its files; some are shared with other generations.
    bytes: u64,
    /// Of those that answer bids.
    bid_bytes: u64,
    /// Seconds by phase.
    timings: std::collections::BTreeMap<String, f64>,
    sources: Vec<SourceAge>,
}

/// A source of a generation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceAge {
    name: String,
    /// When its newest file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    /// How old that was when the generation was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    /// Whether it was past its `max_age`.
    stale: bool,
    accepted: u64,
    rejected: u64,
}

/// A generation and its audiences.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GenerationAnswer {
    #[serde(flatten)]
    pub line: GenerationLine,
    pub live: bool,
    pub pinned: bool,
    pub in_service: bool,
    /// Those that the key may see, by name. Of those that others share only the name is told.
    pub audience_list: Vec<AudienceLine>,
}

/// An audience of a generation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AudienceLine {
    /// `owner/id`
    id: String,
    /// `target` or `suppress`
    kind: String,
    /// Profiles in it at `as_of`. An owner is not told those of audiences that rest on another owner's: `POST /api/v1/reach` says
    /// about how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<u64>,
    /// Why it must be looked at, such as a stale source.
    #[serde(skip_serializing_if = "Option::is_none")]
    flagged: Option<String>,
}

/// Two generations side by side.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ComparisonAnswer {
    #[schema(value_type = u64)]
    before: Generation,
    #[schema(value_type = u64)]
    after: Generation,
    /// Whether both share an index; otherwise profiles are matched by their identifiers.
    same_index: bool,
    profiles: ProfilesCompared,
    /// Those that the key may see with their sizes, by name.
    audiences: Vec<AudienceCompared>,
    /// Campaigns that are defined otherwise, by name.
    campaigns: Vec<CampaignCompared>,
}

/// What became of profiles.
#[derive(Debug, Serialize, ToSchema)]
struct ProfilesCompared {
    before: u32,
    after: u32,
    /// Of the later, those that share no identifier with anybody of the earlier.
    new: u64,
    /// Of the earlier, those that share no identifier with anybody of the later.
    gone: u64,
    /// Of the later, those that were several.
    merged: u64,
    /// Of the earlier, those that are several now.
    split: u64,
}

/// An audience of two generations.
#[derive(Debug, Serialize, ToSchema)]
struct AudienceCompared {
    /// `owner/id`
    id: String,
    /// Its size; absent where there is no such audience, and, as joins and leaves, where an owner asks about one that rests on
    /// another owner's.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    /// Profiles of the later in it, none of whose matches was.
    #[serde(skip_serializing_if = "Option::is_none")]
    joins: Option<u64>,
    /// Profiles of the earlier in it, none of whose matches is.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<u64>,
    /// How its own definition differs: `added`, `removed`, `changed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<&'static str>,
}

/// A campaign that is defined otherwise.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignCompared {
    id: String,
    definition: &'static str,
}

/// What a rollback did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RolledBack {
    /// The generation that is live and pinned.
    #[schema(value_type = u64)]
    pub generation: Generation,
    /// Whether the bid doors of this server answer from it already.
    pub in_service: bool,
    /// What that means and what comes next.
    pub message: String,
}

/// What unpinning did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Unpinned {
    /// The generation that stays live until the next one is made.
    #[schema(value_type = Option<u64>)]
    pub live: Option<Generation>,
    /// What comes next.
    pub message: &'static str,
}

impl Summary {
    pub fn of(manifest: &Manifest) -> Self {
        Summary {
            created: manifest.created,
            as_of: manifest.as_of,
            index_of: manifest.index_of,
            index_created: manifest.index_created,
            fresh: manifest.fresh,
            profiles: manifest.profiles,
            audiences: manifest.audiences.len(),
            catalogue_version: manifest.catalogue_version.clone(),
            bytes: manifest.bytes(Planes::All),
            bid_bytes: manifest.bytes(Planes::Bid),
            timings: manifest.timings.clone(),
            sources: manifest.sources.iter().map(|source| SourceAge::of(source, manifest.as_of)).collect(),
        }
    }
}

impl SourceAge {
    fn of(report: &serde_json::Value, as_of: Timestamp) -> Self {
        let newest = report["newest"].as_str().and_then(Timestamp::parse).filter(|newest| newest.0 > 0);
        SourceAge {
            name: report["name"].as_str().unwrap_or_default().to_owned(),
            newest: newest.map(|newest| newest.to_string()),
            age_seconds: newest.map(|newest| (as_of.0 - newest.0).max(0)),
            stale: report["stale"] == true,
            accepted: report["accepted"].as_u64().unwrap_or(0),
            rejected: report["rejected"].as_u64().unwrap_or(0),
        }
    }
}

/// The audiences that somebody may see: its own with their sizes, those shared with it by name.
pub(super) fn audiences(manifest: &Manifest, catalogue: &Catalogue, who: &Who) -> Vec<AudienceLine> {
    let shared = |id: &AudienceId| {
        let owner = who.owner.as_deref().unwrap_or("*");
        catalogue.number(id).is_some_and(|number| catalogue.audiences[number as usize].share.permits(owner))
    };
    let foreign = if who.owner.is_some() { resting_on_others(catalogue) } else { BTreeSet::new() };
    let line = |audience: &AudienceSummary| {
        let own = who.sees(audience.id.owner());
        (own || shared(&audience.id)).then(|| AudienceLine {
            id: audience.id.to_string(),
            kind: audience.kind.clone(),
            members: (own && !foreign.contains(&audience.id)).then_some(audience.members),
            flagged: audience.flagged.clone().filter(|_| own),
        })
    };
    manifest.audiences.iter().filter_map(line).collect()
}

impl ComparisonAnswer {
    pub fn of(comparison: Comparison, who: &Who) -> Self {
        let Comparison { fates, profiles: (before, after), .. } = comparison;
        let audience = |it: Compared| {
            let told = who.owner.is_none() || !it.rests_on_others;
            AudienceCompared {
                id: it.id.to_string(),
                before: it.members.0.filter(|_| told),
                after: it.members.1.filter(|_| told),
                joins: told.then_some(it.moves.joins),
                leaves: told.then_some(it.moves.leaves),
                definition: it.defined.map(Defined::name),
            }
        };
        let own = comparison.audiences.into_iter().filter(|it| who.sees(it.id.owner()));
        let campaigns = comparison.campaigns.into_iter().filter(|(id, _)| who.sees(id.owner()));
        ComparisonAnswer {
            before: comparison.before,
            after: comparison.after,
            same_index: comparison.same_index,
            profiles: ProfilesCompared {
                before,
                after,
                new: fates.new,
                gone: fates.gone,
                merged: fates.merged,
                split: fates.split,
            },
            audiences: own.map(audience).collect(),
            campaigns: campaigns
                .map(|(id, defined)| CampaignCompared { id: id.to_string(), definition: defined.name() })
                .collect(),
        }
    }
}
