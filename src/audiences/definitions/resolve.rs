//! What only the whole can show: repeated ids, unknown references, circles and long chains, permitted uses; and the catalogue itself.

mod campaigns;
mod frequency;
mod known;
mod uses;

use super::Drafts;
use super::audience::{AudienceDraft, RuleDraft};
use crate::audiences::order::{MAX_CHAIN, cycle, endless};
use crate::audiences::typecheck::{Scope, typecheck, visit};
use crate::audiences::{AudienceKind, Catalogue, Diagnostic, Expr, Severity, lint};
use crate::schema::{AudienceId, Declarations};
use known::Known;
use std::collections::BTreeMap;
use std::ops::Range;

/// A file's number and what was found in it.
type Found = Vec<(usize, Diagnostic)>;

/// Puts the drafts together. Of the files that are `restricted` other owners' audiences may be used only if they are shared. The catalogue is complete only if nothing was found that is an error.
pub(super) fn resolve(
    mut drafts: Drafts,
    declarations: &Declarations,
    restricted: &[bool],
    found: &mut Found,
) -> Catalogue {
    drafts.audiences.sort_by(|a, b| a.audience.id.cmp(&b.audience.id));
    drafts.campaigns.sort_by(|a, b| a.campaign.id.cmp(&b.campaign.id));
    let audience_places = drafts.audiences.iter().map(|d| (d.audience.id.as_str(), d.file, d.id_span.clone()));
    repeated("audience", audience_places, found);
    let campaign_places = drafts.campaigns.iter().map(|d| (d.campaign.id.as_str(), d.file, d.id_span.clone()));
    repeated("campaign", campaign_places, found);
    drafts.audiences.dedup_by(|a, b| a.audience.id == b.audience.id);
    drafts.campaigns.dedup_by(|a, b| a.campaign.id == b.campaign.id);
    let known = Known::of(&drafts, restricted);
    for draft in &drafts.audiences {
        let audiences = Some(known.to(draft.file, draft.audience.id.owner()));
        check_rule(draft, Scope { declarations, audiences }, found);
    }
    labels(&drafts.audiences, found);
    let mut catalogue = Catalogue {
        audiences: drafts.audiences.iter().map(|draft| draft.audience.clone()).collect(),
        campaigns: drafts.campaigns.iter().map(|draft| draft.campaign.clone()).collect(),
        groups: Vec::new(),
        pressure: Vec::new(),
    };
    catalogue.groups = campaigns::groups(&drafts, restricted, found);
    catalogue.pressure = frequency::pressure(&drafts, found);
    frequency::check(&drafts, declarations, found);
    match circle(&catalogue, &drafts.audiences).or_else(|| long_chain(&catalogue, &drafts.audiences)) {
        Some(error) => found.push(error),
        None => uses::check(&catalogue, &drafts, declarations, found),
    }
    campaigns::check(&catalogue, &drafts, &known, found);
    catalogue
}

/// Ids that stand twice among those sorted by id.
fn repeated<'a>(what: &str, places: impl Iterator<Item = (&'a str, usize, Range<usize>)>, found: &mut Found) {
    let mut last = None;
    for (id, file, span) in places {
        if last == Some(id) {
            let message = format!("the {what} `{id}` is defined twice");
            let error = Diagnostic::error("repeated-id", span, message).help("rename or remove one of them");
            found.push((file, error));
        }
        last = Some(id);
    }
}

fn check_rule(draft: &AudienceDraft, scope: Scope, found: &mut Found) {
    let Some(RuleDraft { parsed, place, whole }) = &draft.rule else { return };
    let mut said = typecheck(parsed, scope);
    if *whole && !said.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        said.extend(lint::lint(parsed, draft.audience.kind, scope.declarations));
    }
    found.extend(said.into_iter().map(|d| (draft.file, Diagnostic { span: place.map(&d.span), ..d })));
}

/// Names and segments that two audiences of an owner share, and segments that can never be sent.
fn labels(audiences: &[AudienceDraft], found: &mut Found) {
    let mut names: BTreeMap<(&str, &str), &AudienceId> = BTreeMap::new();
    let mut segments: BTreeMap<(&str, Option<u32>, &str), &AudienceId> = BTreeMap::new();
    for draft in audiences {
        let audience = &draft.audience;
        let owner = audience.id.owner();
        if let Some(other) = names.insert((owner, &audience.name), &audience.id) {
            let message = format!("`{other}` has the same name: `{}`", audience.name);
            let warning = Diagnostic::warning("repeated-name", draft.name_span.clone(), message);
            found.push((draft.file, warning.help("planners cannot tell them apart: rename one")));
        }
        let Some(segment) = &audience.segment else { continue };
        if audience.kind == AudienceKind::Suppress {
            let message = "a suppress audience leaves by no bid door: its segment is never sent";
            found.push((draft.file, Diagnostic::warning("segment-of-suppress", draft.segment_span.clone(), message)));
        }
        if let Some(other) = segments.insert((owner, segment.taxonomy, &segment.id), &audience.id) {
            let message = format!("`{other}` is activated under the same segment");
            let warning = Diagnostic::warning("repeated-segment", draft.segment_span.clone(), message);
            found.push((draft.file, warning.help("buyers cannot tell them apart: give each its own")));
        }
    }
}

/// The error about the first circle of references, at the reference that closes it.
fn circle(catalogue: &Catalogue, drafts: &[AudienceDraft]) -> Option<(usize, Diagnostic)> {
    let ids = cycle(catalogue)?;
    let draft = &drafts[catalogue.number(ids[0])? as usize];
    let next = ids.get(1)?;
    let span = reference_span(draft, next).unwrap_or_else(|| draft.id_span.clone());
    let path = ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" -> ");
    let error =
        Diagnostic::error("reference-cycle", span, format!("audiences refer to each other in a circle: {path}"));
    Some((draft.file, error.help("write out one of the rules instead of referring to it")))
}

/// The error about the first chain of references that is too long, at its first reference.
fn long_chain(catalogue: &Catalogue, drafts: &[AudienceDraft]) -> Option<(usize, Diagnostic)> {
    let ids = endless(catalogue)?;
    let (first, next, last) = (ids.first()?, ids.get(1)?, ids.last()?);
    let draft = &drafts[catalogue.number(first)? as usize];
    let span = reference_span(draft, next).unwrap_or_else(|| draft.id_span.clone());
    let message = format!("`{first}` rests on `{last}` through more than {MAX_CHAIN} references");
    let error = Diagnostic::error("reference-chain", span, message);
    Some((draft.file, error.help("write out one of the rules in between instead of referring to it")))
}

/// Where a rule first says `in audience ID`.
fn reference_span(draft: &AudienceDraft, id: &AudienceId) -> Option<Range<usize>> {
    let RuleDraft { parsed, place, .. } = draft.rule.as_ref()?;
    let mut span = None;
    visit(parsed, &mut |expr, spans| {
        if matches!(expr, Expr::InAudience(each) if each == id) && span.is_none() {
            span = Some(place.map(&spans.name));
        }
    });
    span
}
