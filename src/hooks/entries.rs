//! The segments that a caller's bid requests are enriched with, as entries of `user.data`, encoded once a generation.
//!
//! An audience goes out under the label that it is activated under; without a label, or where this caller has a name of
//! its own for it, under its name, as a proprietary segment (no taxonomy). The protobuf form of OpenRTB has no field for
//! a taxonomy: there every audience goes out under its name. Only audiences of kind `target` are here.

use crate::access::Caller;
use crate::audiences::catalogue::Audience;
use crate::audiences::{AudienceKind, Catalogue};
use crate::config::Provider;
use crate::wire::codec::embed;
use crate::wire::openrtb::Data;
use crate::wire::v2::bid_request as message;
use prost::Message;
use std::collections::BTreeSet;

/// The field of `BidRequest` that holds the user.
const USER: u32 = 6;
/// The field of `User` that holds the entries.
const DATA: u32 = 8;

/// Everything that a caller's requests may be enriched with.
#[derive(Debug, Default)]
pub struct Entries {
    /// The provider's id: an entry of a request that has it is ours.
    provider: Box<str>,
    /// The most segments in one answer.
    max: usize,
    /// One a taxonomy, in order; proprietary segments come last.
    groups: Vec<Group>,
    /// Every segment, by group, then by id.
    segments: Vec<Fragment>,
    /// By audience, how it goes out; `None` = not at all.
    audiences: Vec<Option<Shown>>,
    /// The beginning of a message `Data`: who provides it.
    proto: Box<[u8]>,
}

#[derive(Debug)]
struct Group {
    taxonomy: Option<u32>,
    /// `{"id":"vaglio","name":"vaglio","segment":[`
    begin: Box<str>,
    /// `],"ext":{"segtax":4}}`
    end: Box<str>,
}

#[derive(Debug)]
struct Fragment {
    group: usize,
    /// `560`
    id: Box<str>,
    /// `{"id":"560"}`
    json: Box<str>,
}

#[derive(Debug)]
struct Shown {
    /// Its position in [`Entries::segments`].
    segment: u32,
    /// A message `Data` with this one segment, under its name.
    proto: Box<[u8]>,
}

/// A segment's place in the order: labels of a taxonomy first.
type Key = (bool, Option<u32>, String);

impl Entries {
    /// Encodes what a caller may be told; `activated`: by audience, whether anybody may be told of it.
    pub fn new(catalogue: &Catalogue, caller: &Caller, activated: &[bool]) -> Self {
        let provider = &caller.settings.provider;
        let shown: Vec<Option<(Key, &str)>> =
            catalogue.audiences.iter().zip(activated).map(|(it, told)| show(it, caller).filter(|_| *told)).collect();
        let keys: BTreeSet<&Key> = shown.iter().flatten().map(|(key, _)| key).collect();
        let keys: Vec<&Key> = keys.into_iter().collect();
        let mut groups: Vec<Group> = Vec::new();
        let fragment = |key: &&Key| {
            if groups.last().is_none_or(|group| group.taxonomy != key.1) {
                groups.push(Group::new(key.1, provider));
            }
            let json = format!("{{\"id\":{}}}", quoted(&key.2)).into();
            Fragment { group: groups.len() - 1, id: key.2.as_str().into(), json }
        };
        let segments = keys.iter().map(fragment).collect();
        let audience = |(key, name): &(Key, &str)| {
            let segment = message::Segment { id: Some((*name).to_owned()), ..Default::default() };
            let proto = message::Data { segment: vec![segment], ..Default::default() };
            Shown { segment: keys.partition_point(|other| *other < key) as u32, proto: proto.encode_to_vec().into() }
        };
        let data =
            message::Data { id: Some(provider.id.clone()), name: Some(provider.name.clone()), ..Default::default() };
        Entries {
            provider: provider.id.as_str().into(),
            max: caller.settings.max_segments,
            audiences: shown.iter().map(|shown| shown.as_ref().map(audience)).collect(),
            groups,
            segments,
            proto: data.encode_to_vec().into(),
        }
    }

    fn shown<'s>(&'s self, audiences: &'s [u32]) -> impl Iterator<Item = &'s Shown> {
        audiences.iter().filter_map(|&audience| self.audiences.get(audience as usize)?.as_ref())
    }

    /// Whether an entry of a request is ours, of this taxonomy.
    fn is_ours(&self, data: &Data<'_>, taxonomy: Option<u32>) -> bool {
        *data.id == *self.provider && data.taxonomy == taxonomy
    }

    /// Fills `out` with the entries for these audiences, with commas between, in JSON: none where the request (`present`
    /// are its own entries) has ours of that taxonomy already. `chosen` is a buffer.
    pub fn json(&self, audiences: &[u32], present: &[Data<'_>], chosen: &mut Vec<u32>, out: &mut Vec<u8>) {
        out.clear();
        self.choose(audiences, chosen);
        // Fragments come by group: the request's entries are looked through once for each.
        let (mut looked_for, mut there) = (None, false);
        let absent = |fragment: &&Fragment| {
            if looked_for != Some(fragment.group) {
                let taxonomy = self.groups[fragment.group].taxonomy;
                there = present.iter().any(|data| self.is_ours(data, taxonomy));
                looked_for = Some(fragment.group);
            }
            !there
        };
        let fragments = chosen.iter().map(|&segment| &self.segments[segment as usize]);
        let mut open: Option<usize> = None;
        for fragment in fragments.filter(absent).take(self.max) {
            if open == Some(fragment.group) {
                out.push(b',');
            } else {
                if let Some(before) = open {
                    out.extend_from_slice(self.groups[before].end.as_bytes());
                    out.push(b',');
                }
                out.extend_from_slice(self.groups[fragment.group].begin.as_bytes());
                open = Some(fragment.group);
            }
            out.extend_from_slice(fragment.json.as_bytes());
        }
        if let Some(last) = open {
            out.extend_from_slice(self.groups[last].end.as_bytes());
        }
    }

    /// The ids of the segments for these audiences, without their taxonomies; none where the request has an entry of ours.
    /// `chosen` is a buffer.
    pub fn ids<'s>(
        &'s self,
        audiences: &'s [u32],
        present: &[Data<'_>],
        chosen: &'s mut Vec<u32>,
    ) -> impl Iterator<Item = &'s str> {
        self.choose(audiences, chosen);
        let max = if present.iter().any(|data| self.is_ours(data, None)) { 0 } else { self.max };
        chosen.iter().map(|&segment| &*self.segments[segment as usize].id).take(max)
    }

    /// The segments for these audiences, each once, in order.
    fn choose(&self, audiences: &[u32], chosen: &mut Vec<u32>) {
        chosen.clear();
        chosen.extend(self.shown(audiences).map(|shown| shown.segment));
        chosen.sort_unstable();
        chosen.dedup();
    }

    /// Appends to `out`, an encoded `BidRequest`, a user with the entry for these audiences: decoders merge it into the
    /// request's own. Nothing where the request has an entry of ours. `data` and `user` are buffers.
    pub fn proto(&self, audiences: &[u32], present: &[Data<'_>], [data, user]: [&mut Vec<u8>; 2], out: &mut Vec<u8>) {
        if present.iter().any(|data| self.is_ours(data, None)) {
            return;
        }
        data.clear();
        self.shown(audiences).take(self.max).for_each(|shown| data.extend_from_slice(&shown.proto));
        if data.is_empty() {
            return;
        }
        data.extend_from_slice(&self.proto);
        user.clear();
        embed(DATA, data, user);
        embed(USER, user, out);
    }
}

impl Group {
    fn new(taxonomy: Option<u32>, provider: &Provider) -> Self {
        let (id, name) = (quoted(&provider.id), quoted(&provider.name));
        let ext = taxonomy.map_or_else(String::new, |taxonomy| format!(",\"ext\":{{\"segtax\":{taxonomy}}}"));
        Group {
            taxonomy,
            begin: format!("{{\"id\":{id},\"name\":{name},\"segment\":[").into(),
            end: format!("]{ext}}}").into(),
        }
    }
}

/// Under what an audience goes out to a caller, and its name there.
fn show<'a>(audience: &'a Audience, caller: &'a Caller) -> Option<(Key, &'a str)> {
    if audience.kind == AudienceKind::Suppress {
        return None;
    }
    let name = caller.audience_name(&audience.id, false)?;
    let own = caller.settings.external_ids.contains_key(audience.id.as_str());
    let key = match audience.segment.as_ref().filter(|_| !own) {
        Some(segment) => (segment.taxonomy.is_none(), segment.taxonomy, segment.id.clone()),
        None => (true, None, name.to_owned()),
    };
    Some((key, name))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
