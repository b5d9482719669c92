//! The names of a generation as they leave a door, encoded once: JSON fragments and protobuf pieces, and which of them a
//! caller may be told at all. Suppress audiences that it was not granted, and other owners', are simply not here.

use super::entries::Entries;
use crate::access::Caller;
use crate::audiences::{Audience, AudienceKind, Catalogue};
use crate::decide::deals::Deals;
use crate::decide::{Answering, Decision, Verdict};
use crate::schema::Segment;
use crate::wire::v1;
use prost::Message;
use std::collections::HashMap;
use std::sync::LazyLock;

/// An audience as it leaves a door.
#[derive(Debug)]
pub struct AudienceLabel {
    /// Its position in the dictionary: dense, so that gaps say nothing of audiences that are not shown.
    pub number: u32,
    /// `"owner/id"`, or what this caller is told instead.
    pub json: Box<str>,
    /// `audiences` of a lookup's answer with this one name.
    pub proto: Box<[u8]>,
    /// The position of its label in [`Labels::segments`].
    pub segment: Option<u32>,
}

/// A segment as it leaves a door.
#[derive(Debug)]
pub struct SegmentLabel {
    /// `{"taxonomy":4,"id":"560"}`
    pub json: Box<str>,
    /// `segments` of a lookup's answer with this one label.
    pub proto: Box<[u8]>,
    /// Whether several audiences are activated under it.
    pub shared: bool,
}

/// A campaign as it leaves a door.
#[derive(Debug)]
pub struct CampaignLabel {
    /// `owner/id`
    pub id: Box<str>,
    /// `{"id":"owner/id"`
    pub json: Box<str>,
    /// A `CampaignVerdict` with this one id.
    pub proto: Box<[u8]>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// This campaign.
    One(u32),
    /// More than one that the caller may see.
    Several,
}

/// How an answer ends: the generation, its age, whether that is too old.
#[derive(Debug)]
pub struct Stamp {
    /// `"generation":42,"as_of":"...","stale":false}`
    pub json: Box<str>,
    /// A `LookupResponse` with these fields alone.
    pub lookup: Box<[u8]>,
    /// A `LookupBatchResponse` with these fields alone.
    pub batch: Box<[u8]>,
    /// A `DecideResponse` with these fields alone.
    pub decide: Box<[u8]>,
}

/// Everything a caller may be told of a generation.
#[derive(Debug)]
pub struct Labels {
    audiences: Vec<Option<AudienceLabel>>,
    campaigns: Vec<Option<CampaignLabel>>,
    names: HashMap<Box<str>, Named>,
    /// The labels that audiences are activated under, each once.
    pub segments: Vec<SegmentLabel>,
    /// Its campaigns by deal of its exchange.
    pub deals: Deals,
    /// What its bid requests are enriched with.
    pub entries: Entries,
    /// A `LookupBatchResponse` with the dictionary alone.
    pub dictionary: Box<[u8]>,
    stamps: [Stamp; 2],
}

impl Labels {
    /// Without a generation there is nothing to tell.
    pub fn none() -> &'static Labels {
        static NONE: LazyLock<Labels> = LazyLock::new(|| Labels {
            audiences: Vec::new(),
            campaigns: Vec::new(),
            names: HashMap::new(),
            segments: Vec::new(),
            deals: Deals::default(),
            entries: Entries::default(),
            dictionary: Box::default(),
            stamps: [Stamp::new(0, "", false), Stamp::new(0, "", true)],
        });
        &NONE
    }

    /// Encodes what a caller may be told, of the audiences that are [`activated`].
    pub fn new(answering: &Answering, caller: &Caller, activated: &[bool]) -> Self {
        let catalogue = answering.snapshot.catalogue();
        let manifest = answering.snapshot.manifest();
        let mut segments = Segments::default();
        let mut entries = Vec::new();
        let audiences = catalogue.audiences.iter().zip(activated).map(|(audience, activated)| {
            if !activated {
                return None;
            }
            let suppress = audience.kind == AudienceKind::Suppress;
            let name = caller.audience_name(&audience.id, suppress)?.to_owned();
            let number = entries.len() as u32;
            let segment = audience.segment.as_ref().filter(|_| !suppress);
            entries.push(v1::DictionaryEntry { audience: name.clone(), segment: segment.map(to_proto) });
            Some(AudienceLabel {
                number,
                json: quoted(&name),
                proto: v1::LookupResponse { audiences: vec![name], ..Default::default() }.encode_to_vec().into(),
                segment: segment.map(|segment| segments.number(segment)),
            })
        });
        let audiences = audiences.collect();
        let stamp = |stale| Stamp::new(manifest.generation.0, &manifest.as_of.to_string(), stale);
        Labels {
            audiences,
            campaigns: campaign_labels(catalogue, caller),
            names: campaign_names(catalogue, caller),
            segments: segments.labels,
            deals: Deals::new(catalogue, caller.settings.exchange.as_deref(), |owner| caller.sees(owner)),
            entries: Entries::new(catalogue, caller, activated),
            dictionary: v1::LookupBatchResponse { dictionary: entries, ..Default::default() }.encode_to_vec().into(),
            stamps: [stamp(false), stamp(true)],
        }
    }

    /// The audience's label, if the door may say it.
    pub fn audience(&self, number: u32) -> Option<&AudienceLabel> {
        self.audiences.get(number as usize)?.as_ref()
    }

    /// The campaign's label, if the door may say it.
    pub fn campaign(&self, number: u32) -> Option<&CampaignLabel> {
        self.campaigns.get(number as usize)?.as_ref()
    }

    /// The campaigns that the door may speak of.
    pub fn campaigns(&self) -> impl Iterator<Item = (u32, &CampaignLabel)> {
        let numbered = |(at, label): (usize, &'_ Option<CampaignLabel>)| (at as u32, label.is_some());
        let shown = self.campaigns.iter().enumerate().map(numbered).filter(|(_, shown)| *shown);
        shown.filter_map(|(number, _)| Some((number, self.campaign(number)?)))
    }

    /// For every campaign, whether the door may speak of it.
    pub fn tells_of_campaigns(&self) -> impl Iterator<Item = bool> {
        self.campaigns.iter().map(Option::is_some)
    }

    /// What a name that a caller used stands for: `owner/id`, `id`, `system:line_item` or `line_item`.
    pub fn named(&self, name: &str) -> Option<Named> {
        self.names.get(name).copied()
    }

    /// The end of an answer.
    pub fn stamp(&self, stale: bool) -> &Stamp {
        &self.stamps[usize::from(stale)]
    }
}

/// Which audiences of a generation doors may speak of, whoever asks: those to target that have fewer members than their own
/// floor, or than `floor` where they have none, may not; they still include and exclude. Members are those of the manifest,
/// and what it does not count is nobody.
pub fn activated(answering: &Answering, floor: u64) -> Vec<bool> {
    let told = |(number, audience): (usize, &Audience)| {
        let summary = answering.snapshot.manifest().audiences.get(number).filter(|it| it.id == audience.id);
        let members = summary.map_or(0, |summary| summary.members);
        audience.kind == AudienceKind::Suppress || members >= audience.floor.unwrap_or(floor)
    };
    answering.snapshot.catalogue().audiences.iter().enumerate().map(told).collect()
}

impl Stamp {
    fn new(generation: u64, as_of: &str, stale: bool) -> Self {
        let as_of = as_of.to_owned();
        let lookup = v1::LookupResponse { generation, as_of: as_of.clone(), stale, ..Default::default() };
        let batch = v1::LookupBatchResponse { generation, as_of: as_of.clone(), stale, ..Default::default() };
        let json = format!("\"generation\":{generation},\"as_of\":{},\"stale\":{stale}}}", quoted(&as_of));
        let decide = v1::DecideResponse { generation, as_of, stale, ..Default::default() };
        Stamp {
            json: json.into(),
            lookup: lookup.encode_to_vec().into(),
            batch: batch.encode_to_vec().into(),
            decide: decide.encode_to_vec().into(),
        }
    }
}

#[derive(Default)]
struct Segments {
    numbers: HashMap<Segment, u32>,
    labels: Vec<SegmentLabel>,
}

impl Segments {
    fn number(&mut self, segment: &Segment) -> u32 {
        if let Some(&number) = self.numbers.get(segment) {
            self.labels[number as usize].shared = true;
            return number;
        }
        let number = self.labels.len() as u32;
        self.numbers.insert(segment.clone(), number);
        let taxonomy = segment.taxonomy.map_or_else(String::new, |taxonomy| format!("\"taxonomy\":{taxonomy},"));
        let answer = v1::LookupResponse { segments: vec![to_proto(segment)], ..Default::default() };
        self.labels.push(SegmentLabel {
            json: format!("{{{taxonomy}\"id\":{}}}", quoted(&segment.id)).into(),
            proto: answer.encode_to_vec().into(),
            shared: false,
        });
        number
    }
}

fn to_proto(segment: &Segment) -> v1::Segment {
    v1::Segment { taxonomy: segment.taxonomy, id: segment.id.clone() }
}

fn quoted(text: &str) -> Box<str> {
    serde_json::Value::from(text).to_string().into()
}

fn campaign_labels(catalogue: &Catalogue, caller: &Caller) -> Vec<Option<CampaignLabel>> {
    let label = |id: &str| CampaignLabel {
        id: id.into(),
        json: format!("{{\"id\":{}", quoted(id)).into(),
        proto: v1::CampaignVerdict { id: id.to_owned(), ..Default::default() }.encode_to_vec().into(),
    };
    let shown = |id: &crate::schema::AudienceId| caller.sees(id.owner()).then(|| label(id.as_str()));
    catalogue.campaigns.iter().map(|campaign| shown(&campaign.id)).collect()
}

/// Whole names always win; then ids; then references, with and without their system.
fn campaign_names(catalogue: &Catalogue, caller: &Caller) -> HashMap<Box<str>, Named> {
    let visible = || {
        let numbered = catalogue.campaigns.iter().enumerate();
        numbered.filter(|(_, campaign)| caller.sees(campaign.id.owner()))
    };
    let full = visible().map(|(number, campaign)| (campaign.id.as_str().to_owned(), number));
    let ids = visible().map(|(number, campaign)| (campaign.id.id().to_owned(), number));
    let refs = visible().flat_map(|(number, campaign)| {
        let both = |it: &crate::audiences::catalogue::Reference| {
            [(format!("{}:{}", it.system, it.line_item), number), (it.line_item.clone(), number)]
        };
        campaign.refs.iter().flat_map(both).collect::<Vec<_>>()
    });
    let mut names = HashMap::new();
    for kind in [full.collect::<Vec<_>>(), ids.collect(), refs.collect()] {
        let mut of_this_kind: HashMap<Box<str>, Named> = HashMap::new();
        for (name, number) in kind {
            let one = Named::One(number as u32);
            let named = of_this_kind.entry(name.into()).or_insert(one);
            if *named != one {
                *named = Named::Several;
            }
        }
        for (name, named) in of_this_kind {
            names.entry(name).or_insert(named);
        }
    }
    names
}

/// How each decision reads after the campaign's id, in the order of their numbers.
pub static DECISIONS: LazyLock<Vec<DecisionLabel>> =
    LazyLock::new(|| Decision::ALL.into_iter().map(DecisionLabel::new).collect());

/// A verdict and its reason as they leave a door.
#[derive(Debug)]
pub struct DecisionLabel {
    /// `,"verdict":"suppress","reason":"excluded"`
    pub json: Box<str>,
    /// A `CampaignVerdict` with these two alone.
    pub proto: Box<[u8]>,
}

impl DecisionLabel {
    fn new(decision: Decision) -> Self {
        let (verdict, number) = match decision.verdict() {
            Verdict::Target => ("target", v1::Verdict::Target),
            Verdict::Suppress => ("suppress", v1::Verdict::Suppress),
            Verdict::Unknown => ("unknown", v1::Verdict::Unknown),
        };
        let reason = match decision.reason() {
            "" => "null".into(),
            reason => quoted(reason),
        };
        let proto =
            v1::CampaignVerdict { verdict: number.into(), reason: decision.reason().to_owned(), ..Default::default() };
        DecisionLabel {
            json: format!(",\"verdict\":\"{verdict}\",\"reason\":{reason}").into(),
            proto: proto.encode_to_vec().into(),
        }
    }
}
