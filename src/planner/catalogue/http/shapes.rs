//! What the catalogue's paths answer.

use crate::access::Who;
use crate::audiences::definitions::Finding;
use crate::audiences::definitions::canonical::Summary;
use crate::audiences::versions::{History, Kind, State, Version};
use crate::build::defined::Place;
use crate::planner::catalogue::base::{Base, standing};
use crate::planner::catalogue::weigh::Reason;
use crate::planner::catalogue::wish::Done;
use crate::planner::reply::Fault;
use crate::schema::{AudienceId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A definition.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Definition {
    /// `audience`, `campaign`, `group` or `pressure`.
    pub kind: &'static str,
    /// `owner/id`.
    pub id: String,
    /// `catalogue`, or `file` for what is changed in a file alone; absent for what another owner shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<&'static str>,
    /// `draft`, `published` or `archived`: what is in force, else what is written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// Whether there is a draft beside what is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_draft: Option<bool>,
    /// Whether another owner shares it: then only its id, name and sort are told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// The last version: what `ETag` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The name planners read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An audience's kind, `target` or `suppress`; a campaign's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// The folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub time: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The file that defines it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The draft's YAML, else that which is in force, else the last before it was archived. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The version that is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<VersionAnswer>,
    /// The version that is written down and not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<VersionAnswer>,
}

/// A version of a definition.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionAnswer {
    /// From 1.
    pub version: u64,
    /// The change it came with.
    pub change: u64,
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Who.
    pub author: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `draft`, `published` or `archived`.
    pub state: &'static str,
    /// Its YAML. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What must be confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonAnswer {
    /// `exclusion_removed`, `exclusion_softened`, `exclusion_ends`, `suppress_archived`, `suppress_retargeted`, `members_moved` or `not_counted`.
    pub code: &'static str,
    /// What it is about: its kind.
    pub kind: &'static str,
    /// Its name; absent for what is another owner's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A sentence.
    pub detail: String,
    /// Members before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// Who joins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joins: Option<u64>,
    /// Who leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<u64>,
}

/// What has come of a change.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed {
    /// Its number; absent when nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub time: Option<Timestamp>,
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// What was changed.
    pub items: Vec<ChangedItem>,
    /// What stood there already as it was sent.
    pub unchanged: Vec<String>,
    /// What is legal and probably not meant.
    pub warnings: Vec<Fault>,
    /// What it touches.
    pub affected: AffectedAnswer,
    /// What must be confirmed; with `confirm` in the same request it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs_confirmation: Vec<ReasonAnswer>,
    /// What confirms exactly this, as long as nobody changes anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// A digest of what is in force now: the `catalogue_version` of the generation that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definitions: Option<String>,
    /// Where to see when it answers at bid time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builds: Option<&'static str>,
}

/// A definition that was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangedItem {
    pub kind: &'static str,
    /// `owner/id`.
    pub id: String,
    /// The version it has now.
    pub version: u64,
    /// `draft`, `published` or `archived`.
    pub state: &'static str,
}

/// What a change touches.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AffectedAnswer {
    /// Audiences that were changed, and those that refer to them.
    pub audiences: Vec<String>,
    /// Campaigns that were changed, and those that use these audiences.
    pub campaigns: Vec<String>,
}

pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Draft => "draft",
        State::Published => "published",
        State::Archived => "archived",
    }
}

impl VersionAnswer {
    pub(super) fn of(version: &Version, text: bool) -> Self {
        VersionAnswer {
            version: version.number,
            change: version.change,
            time: version.time,
            author: version.author.to_string(),
            comment: version.comment.as_deref().map(str::to_owned),
            state: state(version.state),
            text: version.text.as_deref().filter(|_| text).map(str::to_owned),
        }
    }
}

impl Definition {
    /// Of the catalogue; `whole` with its texts.
    pub(super) fn of(base: &Base, kind: Kind, id: &AudienceId, history: &History, whole: bool) -> Self {
        let text = standing(history).and_then(|version| version.text.clone());
        let summary = text.as_ref().map(|text| base.summary(kind, text));
        let last = history.last();
        let in_force = match (history.published(), history.draft()) {
            (Some(_), _) => State::Published,
            (None, Some(_)) => State::Draft,
            (None, None) => State::Archived,
        };
        let shown =
            |version: Option<&Version>| version.filter(|_| whole).map(|version| VersionAnswer::of(version, true));
        Definition {
            origin: Some("catalogue"),
            state: Some(state(in_force)),
            has_draft: Some(history.draft().is_some()),
            version: last.map(|last| last.number),
            author: last.map(|last| last.author.to_string()),
            time: last.map(|last| last.time),
            comment: last.and_then(|last| last.comment.as_deref()).map(str::to_owned),
            text: text.filter(|_| whole).map(|text| text.to_string()),
            published: shown(history.published()),
            draft: shown(history.draft()),
            ..Definition::named(kind, id, summary.as_deref())
        }
    }

    /// Of a file.
    pub(super) fn of_file(base: &Base, kind: Kind, id: &AudienceId, place: &Place, whole: bool) -> Self {
        let summary = base.summary(kind, &place.text.as_str().into());
        Definition {
            origin: Some("file"),
            state: Some("published"),
            file: Some(place.file.display().to_string()),
            line: Some(place.line),
            text: whole.then(|| place.text.clone()),
            ..Definition::named(kind, id, Some(&summary))
        }
    }

    /// Of another owner, who shares it.
    pub(super) fn of_other(kind: Kind, id: &AudienceId, summary: &Summary) -> Self {
        let told = Summary { name: summary.name.clone(), sort: summary.sort.clone(), ..Summary::default() };
        Definition { shared: true, ..Definition::named(kind, id, Some(&told)) }
    }

    fn named(kind: Kind, id: &AudienceId, summary: Option<&Summary>) -> Self {
        let summary = summary.cloned().unwrap_or_default();
        Definition {
            kind: kind.name(),
            id: id.to_string(),
            origin: None,
            state: None,
            has_draft: None,
            shared: false,
            version: None,
            name: summary.name,
            sort: summary.sort,
            folder: summary.folder,
            tags: summary.tags,
            description: summary.description,
            author: None,
            time: None,
            comment: None,
            file: None,
            line: None,
            text: None,
            published: None,
            draft: None,
        }
    }
}

impl Changed {
    pub(super) fn of(done: &Done, who: &Who, dry_run: bool) -> Self {
        let item = |((kind, id), version, of, _): &((Kind, AudienceId), u64, State, bool)| ChangedItem {
            kind: kind.name(),
            id: id.to_string(),
            version: *version,
            state: state(*of),
        };
        let own = |ids: &std::collections::BTreeSet<AudienceId>| {
            ids.iter().filter(|id| who.sees(id.owner())).map(ToString::to_string).collect()
        };
        let published = done.items.iter().any(|(_, _, of, _)| *of != State::Draft);
        Changed {
            change: done.change.map(|(number, _)| number),
            time: done.change.map(|(_, time)| time),
            dry_run,
            items: done.items.iter().map(item).collect(),
            unchanged: done.unchanged.iter().map(|(kind, id)| format!("{kind} {id}")).collect(),
            warnings: warnings(&done.warnings, who),
            affected: AffectedAnswer {
                audiences: own(&done.affected.audiences),
                campaigns: own(&done.affected.campaigns),
            },
            needs_confirmation: done.reasons.iter().map(|reason| answer(reason, who)).collect(),
            confirm: done.token.clone(),
            definitions: done.definitions.clone().filter(|_| published && who.owner.is_none()),
            builds: (published && done.change.is_some()).then_some("/api/v1/builds"),
        }
    }
}

pub(super) fn warnings(findings: &[Finding], who: &Who) -> Vec<Fault> {
    super::faults(findings, who)
}

/// A reason, as somebody may be told: nothing of others' audiences but that there is one.
fn answer(reason: &Reason, who: &Who) -> ReasonAnswer {
    if !who.sees(reason.id.owner()) {
        let detail = match reason.code {
            "members_moved" => "an audience of another owner rests on it, and moves by more than must be confirmed",
            _ => "an audience of another owner rests on it: how far it moves is not told",
        };
        let detail = detail.to_owned();
        return ReasonAnswer {
            code: reason.code,
            kind: reason.kind.name(),
            id: None,
            detail,
            members: None,
            joins: None,
            leaves: None,
        };
    }
    let (members, joins, leaves) = reason.moved.map_or((None, None, None), |(a, b, c)| (Some(a), Some(b), Some(c)));
    let (detail, id) = (reason.detail.clone(), Some(reason.id.to_string()));
    ReasonAnswer { code: reason.code, kind: reason.kind.name(), id, detail, members, joins, leaves }
}

/// A reason among the errors of a problem.
pub(super) fn fault(reason: &Reason, who: &Who) -> Fault {
    let told = answer(reason, who);
    Fault { code: Some(told.code.to_owned()), detail: told.detail, ..Fault::default() }
}
