//! Reading a bid request the slow, obvious way: serde_json says what is JSON, and every path is looked up from the top.
//! The oracle of `vaglio::wire::openrtb::json`, and a candidate of `benches/openrtb.rs`.

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use vaglio::wire::json::{Flag, Sections, Text};
use vaglio::wire::openrtb::json::{MAX_DATA, MAX_DEALS, MAX_DEPTH, MAX_IDS, MAX_IMPS, UNREADABLE, What};
use vaglio::wire::openrtb::{BidRequest, Data, Deal, Imp, Signals};

/// Where new entries go: these bytes are replaced, and that is written around them.
pub type Spot = (std::ops::Range<usize>, &'static str, &'static str);

/// Validates a whole body and reads what is needed of it.
pub fn read(body: &[u8], what: What) -> Option<(BidRequest<'_>, Option<Spot>)> {
    let text = &paired(std::str::from_utf8(body).ok()?);
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let top = text.trim_matches([' ', '\t', '\n', '\r']);
    if depth(text) > MAX_DEPTH as usize || !top.starts_with('{') {
        return None;
    }
    let user = last(top, "user").unwrap_or("null");
    let request = BidRequest {
        id: id(last(top, "id")),
        tmax_ms: last(top, "tmax").map(whole).unwrap_or_default(),
        test: last(top, "test").and_then(flag).unwrap_or_default(),
        eids: eids(user).into(),
        user_id: id(last(user, "id")),
        buyeruid: id(last(user, "buyeruid")),
        ifa: id(last(top, "device").and_then(|device| last(device, "ifa"))),
        privacy: privacy(top),
        imps: if what == What::Decide { imps(top).into() } else { Default::default() },
        data: if what == What::Enrich { data(user).into() } else { Default::default() },
    };
    let many = request.eids.len() > MAX_IDS
        || request.imps.len() > MAX_IMPS
        || request.imps.iter().any(|imp| imp.deals.len() > MAX_DEALS)
        || request.data.len() > MAX_DATA;
    let spot = if what == What::Enrich { place(text, top) } else { None };
    (!many).then_some((request, spot))
}

/// Halves of a surrogate pair without the other half become the replacement character, which is as long.
fn paired(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let unit = |bytes: &[u8], at: usize| {
        let digits = std::str::from_utf8(bytes.get(at..at + 6)?.strip_prefix(b"\\u")?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut at = 0;
    while at < bytes.len() {
        at += match (unit(&bytes, at), unit(&bytes, at + 6)) {
            _ if bytes[at] != b'\\' => 1,
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                bytes[at + 2..at + 6].copy_from_slice(b"fffd");
                6
            }
            _ => 2,
        };
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(Vec::new()))
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(member) = map.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}

/// The values of every member of that name; none if it is no object.
fn every<'a>(json: &'a str, key: &str) -> Vec<&'a str> {
    let members = serde_json::from_str::<Members<'a>>(json).map(|members| members.0).unwrap_or_default();
    members.into_iter().filter(|(name, _)| name == key).map(|(_, value)| value.get()).collect()
}

fn last<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    every(json, key).pop()
}

/// The values of every path.
fn all<'a>(json: &'a str, path: &[&str]) -> Vec<&'a str> {
    path.iter().fold(vec![json], |found, key| found.into_iter().flat_map(|json| every(json, key)).collect())
}

fn elements(json: Option<&str>) -> Vec<&str> {
    let elements = json.and_then(|json| serde_json::from_str::<Vec<&RawValue>>(json).ok()).unwrap_or_default();
    elements.into_iter().map(RawValue::get).collect()
}

fn id<'t>(json: Option<&str>) -> Text<'t> {
    let json = json.unwrap_or_default();
    Text(Cow::Owned(match json.bytes().next() {
        Some(b'"') => serde_json::from_str(json).unwrap_or_default(),
        Some(b'-' | b'0'..=b'9') => json.to_owned(),
        _ => String::new(),
    }))
}

fn whole(json: &str) -> u64 {
    id(Some(json)).trim().parse::<f64>().unwrap_or_default().clamp(0.0, u32::MAX.into()) as u64
}

fn flag(json: &str) -> Option<bool> {
    serde_json::from_str::<Flag>(json).map_or(Some(true), |flag| flag.0)
}

fn objects(json: Option<&str>) -> impl Iterator<Item = &str> {
    elements(json).into_iter().filter(|json| json.starts_with('{'))
}

fn eids<'t>(user: &str) -> Vec<(Text<'t>, Text<'t>)> {
    let places = [last(user, "eids"), last(user, "ext").and_then(|ext| last(ext, "eids"))];
    let eids = places.into_iter().flat_map(objects);
    let pairs =
        eids.flat_map(|eid| objects(last(eid, "uids")).map(move |uid| (id(last(eid, "source")), id(last(uid, "id")))));
    pairs.filter(|(source, uid)| !source.is_empty() && !uid.is_empty()).collect()
}

fn privacy(top: &str) -> Signals<'static> {
    let flags = |paths: &[&[&str]]| {
        let said = paths.iter().flat_map(|path| all(top, path)).filter_map(flag);
        said.reduce(|a, b| a || b)
    };
    let text = |paths: [&[&str]; 2]| {
        let said = paths.map(|path| string(&all(top, path)));
        said.into_iter().find(|said| !said.is_empty()).unwrap_or_default()
    };
    let sections = |path: &[&str]| {
        let said = all(top, path).into_iter().filter_map(|json| {
            // serde_json refuses a list with half a surrogate pair as a whole.
            let whole = Some(json).filter(|json| !json.contains("\\ufffd"));
            let sections = whole.and_then(|json| serde_json::from_str::<Sections>(json).ok());
            sections.map_or(Some(vec![Sections::UNREADABLE].into()), |sections| sections.0)
        });
        said.reduce(|mut a, b| {
            a.extend(b);
            if a.len() > Sections::MAX {
                a.truncate(Sections::MAX - 1);
                a.push(Sections::UNREADABLE);
            }
            a
        })
    };
    let country =
        |room: &str| id(last(top, room).and_then(|room| last(room, "geo")).and_then(|geo| last(geo, "country")));
    Signals {
        gdpr: flags(&[&["regs", "gdpr"], &["regs", "ext", "gdpr"]]),
        tcf: text([&["user", "consent"], &["user", "ext", "consent"]]),
        gpp: text([&["regs", "gpp"], &["regs", "ext", "gpp"]]),
        gpp_sid: Sections(
            sections(&["regs", "gpp_sid"])
                .filter(|ids| !ids.is_empty())
                .or_else(|| sections(&["regs", "ext", "gpp_sid"])),
        ),
        us_privacy: text([&["regs", "us_privacy"], &["regs", "ext", "us_privacy"]]),
        gpc: flags(&[&["regs", "gpc"], &["regs", "ext", "gpc"]]),
        coppa: flags(&[&["regs", "coppa"], &["regs", "ext", "coppa"]]),
        lmt: flags(&[&["device", "lmt"], &["device", "dnt"]]),
        country: Some(country("device")).filter(|device| !device.is_empty()).unwrap_or_else(|| country("user")),
    }
}

/// A privacy string from all places that say it.
fn string(places: &[&str]) -> Text<'static> {
    let mut said = places.iter().map(|json| match json.as_bytes()[0] {
        b'"' | b'-' | b'0'..=b'9' | b'n' => id(Some(json)),
        _ => Text(Cow::Borrowed(UNREADABLE)),
    });
    let first = said.next().unwrap_or_default();
    if said.all(|other| other == first) { first } else { Text(Cow::Borrowed(UNREADABLE)) }
}

fn imps<'t>(top: &str) -> Vec<Imp<'t>> {
    let deal = |deal: &str| Deal {
        id: id(last(deal, "id")),
        guaranteed: last(deal, "guar").and_then(flag).unwrap_or_default(),
    };
    let imp = |imp: &str| Imp {
        id: id(last(imp, "id")),
        deals: objects(last(imp, "pmp").and_then(|pmp| last(pmp, "deals")))
            .map(deal)
            .filter(|deal| !deal.id.is_empty())
            .collect(),
    };
    objects(last(top, "imp")).map(imp).collect()
}

fn data<'t>(user: &str) -> Vec<Data<'t>> {
    let data = |data: &str| Data {
        id: id(last(data, "id")),
        name: id(last(data, "name")),
        taxonomy: id(last(data, "ext").and_then(|ext| last(ext, "segtax"))).trim().parse().ok(),
    };
    objects(last(user, "data")).map(data).collect()
}

fn place(text: &str, top: &str) -> Option<Spot> {
    let at = |json: &str| json.as_ptr() as usize - text.as_ptr() as usize;
    let end = |json: &str| at(json) + json.len();
    let insert = |at, before, after| Some((at..at, before, after));
    let last_member = |json: &str| {
        let members: Members<'_> = serde_json::from_str(json).ok()?;
        members.0.last().map(|(_, value)| end(value.get()))
    };
    let Some(user) = last(top, "user") else {
        return match last_member(top) {
            Some(end) => insert(end, ",\"user\":{\"data\":[", "]}"),
            None => insert(at(top) + 1, "\"user\":{\"data\":[", "]}"),
        };
    };
    if user == "null" {
        return Some((at(user)..end(user), "{\"data\":[", "]}"));
    }
    if !user.starts_with('{') {
        return None;
    }
    match (last(user, "data"), last_member(user)) {
        (Some("null"), _) => {
            let null = last(user, "data").unwrap_or_default();
            Some((at(null)..end(null), "[", "]"))
        }
        (Some(data), _) if data.starts_with('[') => match elements(Some(data)).last() {
            Some(last) => insert(end(last), ",", ""),
            None => insert(at(data) + 1, "", ""),
        },
        (Some(_), _) => None,
        (None, Some(end)) => insert(end, ",\"data\":[", "]"),
        (None, None) => insert(at(user) + 1, "\"data\":[", "]"),
    }
}
