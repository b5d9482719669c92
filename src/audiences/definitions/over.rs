//! Definitions checked over a catalogue that is there already: what they change is theirs, the rest is the catalogue's.

use super::audience::AudienceDraft;
use super::campaign::CampaignDraft;
use super::group::GroupDraft;
use super::pressure::PressureDraft;
use super::source::{Form, Source};
use super::{Checked, Drafts, Finding, locate, read_source, resolve};
use crate::audiences::{Catalogue, Severity};
use crate::schema::{AudienceId, Declarations};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::path::Path;

/// The number of the text among what is checked; everything that was there before has the next.
const TEXT: usize = 0;
const BEFORE: usize = 1;

/// What a text defines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defines {
    /// Audiences.
    pub audiences: Vec<AudienceId>,
    /// Campaigns.
    pub campaigns: Vec<AudienceId>,
}

/// Checks an upload as part of a catalogue, which it may name, and whose ids it may define anew. Only what the text says is
/// found fault with, and only it is counted. The catalogue that comes back is the one that was there with the text's changes.
pub fn check_over(
    (name, text): (&Path, &str),
    before: &Catalogue,
    declarations: &Declarations,
    zone: &TimeZone,
) -> (Checked, Defines) {
    let (mut drafts, mut of_text) = (Drafts::default(), Vec::new());
    let source = Source { name, text, form: Form::Upload };
    read_source(TEXT, &source, zone, &mut drafts, &mut of_text);
    let mut found: Vec<_> = of_text.into_iter().map(|diagnostic| (TEXT, diagnostic)).collect();
    let defines = Defines {
        audiences: drafts.audiences.iter().map(|draft| draft.audience.id.clone()).collect(),
        campaigns: drafts.campaigns.iter().map(|draft| draft.campaign.id.clone()).collect(),
    };
    let read = (drafts.audiences.len(), drafts.campaigns.len());
    add(before, &mut drafts);
    let catalogue = resolve::resolve(drafts, declarations, &[true, false], &mut found);
    found.retain(|(file, _)| *file == TEXT);
    let findings: Vec<Finding> = locate(&[source], found);
    let wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
    (Checked { catalogue: (!wrong).then_some(catalogue), findings, read }, defines)
}

/// Puts what the text does not define beside what it does.
fn add(before: &Catalogue, drafts: &mut Drafts) {
    let audiences: BTreeSet<_> = drafts.audiences.iter().map(|draft| draft.audience.id.clone()).collect();
    let others = before.audiences.iter().filter(|audience| !audiences.contains(&audience.id));
    drafts.audiences.extend(others.map(|audience| AudienceDraft {
        file: BEFORE,
        id_span: 0..0,
        audience: audience.clone(),
        rule: None,
        name_span: 0..0,
        segment_span: 0..0,
    }));
    let campaigns: BTreeSet<_> = drafts.campaigns.iter().map(|draft| draft.campaign.id.clone()).collect();
    let others = before.campaigns.iter().filter(|campaign| !campaigns.contains(&campaign.id));
    drafts.campaigns.extend(others.map(|campaign| CampaignDraft {
        file: BEFORE,
        id_span: 0..0,
        include_spans: vec![0..0; campaign.include.len()],
        exclude_spans: vec![0..0; campaign.exclude.len()],
        campaign: campaign.clone(),
        group_span: 0..0,
        caps_span: 0..0,
        min_gap_span: 0..0,
    }));
    let is_new = |owner: &str, name: &str| {
        !drafts.groups.iter().any(|draft| draft.name == name && draft.owner.as_deref().is_none_or(|own| own == owner))
    };
    let others = before.groups.iter().filter(|group| is_new(group.id.owner(), group.id.id()));
    let others: Vec<GroupDraft> = others
        .map(|group| GroupDraft {
            file: BEFORE,
            span: 0..0,
            name: group.id.id().to_owned(),
            owner: Some(group.id.owner().to_owned()),
            at_most: group.at_most,
            per: group.per,
        })
        .collect();
    drafts.groups.extend(others);
    if drafts.pressure.is_empty() {
        drafts.pressure.extend(before.pressure.iter().map(|pressure| PressureDraft {
            file: BEFORE,
            span: 0..0,
            owners: vec![pressure.owner.clone()],
            messages: pressure.messages,
            per: pressure.per,
        }));
    }
}
