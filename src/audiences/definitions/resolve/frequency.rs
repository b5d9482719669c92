//! How often a person is spoken to, against the whole: whose pressure it is, and what no number of impressions can reach.

use super::Found;
use crate::audiences::Diagnostic;
use crate::audiences::catalogue::{Cap, Pressure};
use crate::audiences::definitions::Drafts;
use crate::audiences::frequency::IMPRESSION;
use crate::schema::{Declarations, Span};
use std::collections::BTreeSet;
use std::ops::Range;

/// The pressure of each owner. What names no owner is for those that nothing else names.
pub(super) fn pressure(drafts: &Drafts, found: &mut Found) -> Vec<Pressure> {
    let named: BTreeSet<&str> = drafts.pressure.iter().flat_map(|draft| &draft.owners).map(String::as_str).collect();
    let speaking: BTreeSet<&str> = drafts.campaigns.iter().map(|draft| draft.campaign.id.owner()).collect();
    let mut all: Vec<Pressure> = Vec::new();
    for draft in &drafts.pressure {
        let owners: Vec<&str> = match draft.owners.as_slice() {
            [] => speaking.difference(&named).copied().collect(),
            owners => owners.iter().map(String::as_str).collect(),
        };
        for owner in owners {
            if all.iter().any(|other| other.owner == owner && other.per == draft.per) {
                let message = format!("the pressure of `{owner}` per {} is said twice", draft.per);
                let error = Diagnostic::error("repeated-pressure", draft.span.clone(), message);
                found.push((draft.file, error.help("remove one of them")));
                continue;
            }
            if !speaking.contains(owner) {
                let message = format!("`{owner}` has no campaigns");
                found.push((draft.file, Diagnostic::warning("unused-pressure", draft.span.clone(), message)));
            }
            all.push(Pressure { owner: owner.to_owned(), messages: draft.messages, per: draft.per });
        }
    }
    all.sort_by(|a, b| (&a.owner, a.per).cmp(&(&b.owner, b.per)));
    all
}

/// Warns of lengths of time that exposures are not kept for, and of gaps that outlast the flight.
pub(super) fn check(drafts: &Drafts, declarations: &Declarations, found: &mut Found) {
    let kept = declarations.find_event(IMPRESSION).and_then(|(_, decl)| decl.retention_days);
    let kept = kept.map(|days| Span(i64::from(days) * 86_400));
    let beyond = |per: Span| kept.filter(|kept| per > *kept);
    let mut warn = |file: usize, span: &Range<usize>, per: Span| {
        let Some(kept) = beyond(per) else { return };
        let message = format!("{per} is longer than impressions are kept: {kept}");
        let warning = Diagnostic::warning("beyond-retention", span.clone(), message);
        found.push((file, warning.help("shorten it, or raise `retention_days` of `impression` if the law permits")));
    };
    for draft in &drafts.campaigns {
        let campaign = &draft.campaign;
        let longest = campaign.caps.iter().filter_map(|cap: &Cap| cap.per).max();
        longest.into_iter().for_each(|per| warn(draft.file, &draft.caps_span, per));
        campaign.min_gap.into_iter().for_each(|gap| warn(draft.file, &draft.min_gap_span, gap));
    }
    drafts.pressure.iter().for_each(|draft| warn(draft.file, &draft.span, draft.per));
    drafts.groups.iter().for_each(|draft| warn(draft.file, &draft.span, draft.per));
    for draft in &drafts.campaigns {
        let whole = draft.campaign.flight.and_then(|flight| Some(Span(flight.to?.0 - flight.from?.0)));
        if let (Some(gap), Some(whole)) = (draft.campaign.min_gap, whole)
            && gap >= whole
        {
            let message = format!("`min_gap: {gap}` is as long as the flight: at most one message");
            let warning = Diagnostic::warning("gap-beyond-flight", draft.min_gap_span.clone(), message);
            found.push((draft.file, warning.help("say `caps: [{ impressions: 1, per: flight }]` if that is meant")));
        }
    }
}
