//! A line -> a record: every word is checked against the vocabulary, every identifier is hashed and forgotten.

use super::line::{Line, Plain, When};
use super::values;
use super::vocabulary::Vocabulary;
use crate::access::{Role, Who};
use crate::collect::{self, IdClass};
use crate::config::EXPOSURES;
use crate::live::{Incoming, Objection};
use crate::log::{Identifier, Record, Said, Stay, Value};
use crate::schema::{ProfileKey, Scope, Timestamp};
use smallvec::SmallVec;
use std::borrow::Cow;

/// A longer id of an event is a mistake.
const MAX_ID_BYTES: usize = 512;
/// Times are kept as 32-bit seconds.
const LATEST: i64 = u32::MAX as i64 - 1;

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::planner) enum Taken {
    /// A record for the log.
    Event(Incoming),
    /// An objection, which goes another way.
    Objection(Objection),
}

/// The fields that lines of a type have.
const TYPES: [(&str, &[&str]); 8] = [
    ("event", &["name", "props"]),
    ("trait", &["traits"]),
    ("membership", &["audience", "ttl_minutes", "remove"]),
    ("link", &[]),
    ("consent", &["granted"]),
    ("objection", &["scope"]),
    ("exposure", &["campaign", "kind", "channel", "device", "creative"]),
    ("signal", &["campaign", "kind"]),
];

const SIGNALS: [&str; 2] = ["dislike", "complaint"];

/// Checks a line that was received `now`; `who` sends it.
///
/// # Errors
/// What is wrong with it, in a sentence that holds no identifier.
pub(in crate::planner) fn check(
    line: &Line<'_>,
    vocabulary: &Vocabulary,
    who: &Who,
    now: Timestamp,
) -> Result<Taken, String> {
    let id = line.id.as_deref().filter(|id| !id.is_empty());
    let id = id.ok_or("`id` is missing: without it a repeated line would count twice")?;
    if id.len() > MAX_ID_BYTES {
        return Err(format!("`id` has {} bytes, and {MAX_ID_BYTES} are the most", id.len()));
    }
    let kind = kind_of(line)?;
    if kind != "objection" && who.role == Some(Role::Privacy) {
        return Err(format!(
            "a privacy key sends objections alone, and this is of type {kind}: use a key of role ingest"
        ));
    }
    let time = time_of(line, vocabulary, now)?;
    let keys = keys_of(line, vocabulary)?;
    if kind == "objection" {
        let keys: Vec<ProfileKey> = keys.iter().map(|identifier| identifier.key).collect();
        return Ok(Taken::Objection(Objection { keys, scope: scope_of(line)?, time: Timestamp(time) }));
    }
    if keys.iter().any(|identifier| vocabulary.is_deleted(identifier.key)) {
        return Err("somebody whom it names was deleted: nothing is taken in about them".to_owned());
    }
    let said = match kind {
        "event" => event(line, vocabulary)?,
        "trait" => traits(line, vocabulary)?,
        "membership" => membership(line, vocabulary, who)?,
        "link" if keys.len() < 2 => return Err("a link needs two different identifiers or more".to_owned()),
        "link" => Said::Link,
        "consent" => {
            Said::Consent(line.granted.ok_or("`granted` is missing: true for a consent, false for a refusal")?)
        }
        "exposure" => exposure(line, vocabulary, who)?,
        _ => signal(line, vocabulary, who)?,
    };
    let id = vocabulary.keys.event_id(id.as_bytes());
    let record = Record { id, time, received: now.0, keys, said };
    let mut encoded = Vec::with_capacity(128);
    record.encode(&mut encoded).map_err(|error| error.message().to_owned())?;
    Ok(Taken::Event(Incoming { id, encoded }))
}

/// The type, once it is known and the line has no field of another.
fn kind_of(line: &Line<'_>) -> Result<&'static str, String> {
    let names = || TYPES.iter().map(|(name, _)| *name);
    let written = line.kind.as_deref().unwrap_or_default();
    let Some((kind, fields)) = TYPES.iter().find(|(name, _)| *name == written) else {
        return Err(one_of("type", written, names()));
    };
    let stray = line.present().into_iter().find(|(name, present)| *present && !fields.contains(name));
    match stray {
        Some((name, _)) => Err(format!("`{name}` means nothing for type {kind}")),
        None => Ok(kind),
    }
}

/// Says which words there are.
fn one_of<'a>(field: &str, written: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let all = || known.clone().collect::<Vec<_>>().join(", ");
    match (written, crate::audiences::diagnostic::nearest(written, known.clone())) {
        ("", _) => format!("`{field}` is missing: one of {}", all()),
        (_, Some(near)) => format!("`{field}` is none that there is; did you mean `{near}`?"),
        _ => format!("`{field}` is none that there is: one of {}", all()),
    }
}

fn time_of(line: &Line<'_>, vocabulary: &Vocabulary, now: Timestamp) -> Result<i64, String> {
    let time = match &line.time {
        Some(When::Written(text)) if !text.is_empty() => collect::instant(text),
        Some(When::Seconds(seconds)) => Some(*seconds),
        _ => return Err("`time` is missing: when it happened, such as 2026-11-01T10:00:00Z".to_owned()),
    };
    let time = time.ok_or("`time` is not a time: write RFC 3339 such as 2026-11-01T10:00:00Z")?;
    let ahead = time.saturating_sub(now.0);
    if ahead > vocabulary.max_future_seconds {
        let most = vocabulary.max_future_seconds;
        return Err(format!(
            "`time` is {ahead} seconds in the future (ingest.max_future_seconds: {most}); look at the sender's clock"
        ));
    }
    if (0..=LATEST).contains(&time) { Ok(time) } else { Err("`time` is not between 1970 and 2106".to_owned()) }
}

fn keys_of<'a>(line: &Line<'_>, vocabulary: &'a Vocabulary) -> Result<SmallVec<[Identifier<'a>; 2]>, String> {
    let eids = line.eids.as_deref().unwrap_or_default();
    if eids.len() > vocabulary.max_ids {
        return Err(format!("{} identifiers, and {} are the most (server.max_ids)", eids.len(), vocabulary.max_ids));
    }
    let mut keys: SmallVec<[Identifier<'a>; 2]> = SmallVec::new();
    let (mut scratch, mut unset) = (String::new(), false);
    for eid in eids {
        let (id_type, class) = vocabulary.id_type(&eid.source)?;
        if class == IdClass::Ifa && collect::is_unset_ifa(&eid.uid) {
            // The device gave none; another identifier may serve.
            unset = true;
            continue;
        }
        let uid = collect::canonical_as(class, &eid.uid, &mut scratch);
        let uid = uid.map_err(|why| format!("an identifier of type `{id_type}` is none: {why}"))?;
        let key = vocabulary.keys.key(id_type, uid);
        if keys.iter().all(|known| known.key != key) {
            keys.push(Identifier { key, id_type: Cow::Borrowed(id_type) });
        }
    }
    match (keys.is_empty(), unset) {
        (false, _) => Ok(keys),
        (true, true) => Err("the only identifier is an `ifa` of zeroes, which is nobody's".to_owned()),
        (true, false) => Err("`eids` is missing: [{\"source\": ..., \"uid\": ...}]".to_owned()),
    }
}

fn scope_of(line: &Line<'_>) -> Result<Scope, String> {
    match line.scope.as_deref() {
        Some("marketing") => Ok(Scope::Marketing),
        Some("profiling") => Ok(Scope::Profiling),
        Some("all") => Ok(Scope::All),
        other => Err(one_of("scope", other.unwrap_or_default(), ["marketing", "profiling", "all"].into_iter())),
    }
}

fn event<'a>(line: &'a Line<'_>, vocabulary: &'a Vocabulary) -> Result<Said<'a>, String> {
    let name = line.name.as_deref().filter(|name| !name.is_empty()).ok_or("`name` is missing: the event's name")?;
    for (names, kind) in [(&EXPOSURES[..], "exposure"), (&SIGNALS[..], "signal")] {
        if names.contains(&name) {
            return Err(format!("`{name}` comes as type {kind}, with `kind` and `campaign`"));
        }
    }
    let decl = vocabulary.event(name)?;
    let props = line.props.as_ref().map(|props| &*props.0).unwrap_or_default();
    let mut properties = Vec::with_capacity(props.len());
    for (prop, value) in props {
        let Some((_, known)) = decl.find_property(prop) else {
            let names = decl.properties.iter().map(|prop| prop.name.as_str());
            return Err(format!("`props` of {name}: {}", values::unknown("property", prop, names)));
        };
        if *value != Plain::Null {
            let value = values::property(known, value).map_err(|why| format!("`props.{}`: {why}", known.name))?;
            properties.push((Cow::Borrowed(known.name.as_str()), value));
        }
    }
    Ok(Said::Event { name: Cow::Borrowed(&decl.name), properties })
}

fn traits<'a>(line: &'a Line<'_>, vocabulary: &'a Vocabulary) -> Result<Said<'a>, String> {
    let said = line.traits.as_ref().map(|traits| &*traits.0).unwrap_or_default();
    if said.is_empty() {
        return Err("`traits` is missing: {\"name\": value}, or null for what is not known any more".to_owned());
    }
    let mut traits = Vec::with_capacity(said.len());
    for (name, value) in said {
        let decl = vocabulary.trait_of(name)?;
        let value = match value {
            Plain::Null => None,
            value => Some(values::of_trait(decl, value).map_err(|why| format!("`traits.{}`: {why}", decl.name))?),
        };
        traits.push((Cow::Borrowed(decl.name.as_str()), value));
    }
    Ok(Said::Traits(traits))
}

fn membership<'a>(line: &'a Line<'_>, vocabulary: &Vocabulary, who: &Who) -> Result<Said<'a>, String> {
    let list = line.audience.as_deref().ok_or("`audience` is missing: the list, `owner/id`")?;
    vocabulary.list(list, who)?;
    let stay = match (line.remove.unwrap_or(false), line.ttl_minutes) {
        (true, Some(_)) => return Err("either `ttl_minutes` or `remove: true`".to_owned()),
        (true, None) => Stay::Ends,
        (false, None) => Stay::ByDefault,
        (false, Some(minutes)) => match u32::try_from(minutes) {
            Ok(minutes @ 1..) => Stay::Minutes(minutes),
            _ => return Err("`ttl_minutes` is out of range; `remove: true` ends a membership".to_owned()),
        },
    };
    Ok(Said::Membership { list: Cow::Borrowed(list), stay })
}

fn exposure<'a>(line: &'a Line<'_>, vocabulary: &'a Vocabulary, who: &Who) -> Result<Said<'a>, String> {
    let written = line.sort.as_deref().unwrap_or_default();
    let name = EXPOSURES.into_iter().find(|name| *name == written);
    let name = name.ok_or_else(|| one_of("kind", written, EXPOSURES.into_iter()))?;
    let campaign = line.campaign.as_deref().ok_or("`campaign` is missing: whose exposure it is")?;
    let mut properties = vec![text("campaign", vocabulary.campaign(campaign, who)?)];
    for (name, value) in [("channel", &line.channel), ("creative", &line.creative), ("device", &line.device)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            values::check_text(value).map_err(|why| format!("`{name}`: {why}"))?;
            properties.push(text(name, value));
        }
    }
    Ok(Said::Event { name: Cow::Borrowed(name), properties })
}

fn signal<'a>(line: &'a Line<'_>, vocabulary: &'a Vocabulary, who: &Who) -> Result<Said<'a>, String> {
    let written = line.sort.as_deref().unwrap_or_default();
    let name = SIGNALS.into_iter().find(|name| *name == written);
    let name = name.ok_or_else(|| one_of("kind", written, SIGNALS.into_iter()))?;
    let campaign = line.campaign.as_deref().map(|campaign| vocabulary.campaign(campaign, who)).transpose()?;
    let properties = campaign.into_iter().map(|campaign| text("campaign", campaign)).collect();
    Ok(Said::Event { name: Cow::Borrowed(name), properties })
}

fn text<'a>(name: &'static str, value: &'a str) -> (Cow<'a, str>, Value<'a>) {
    (Cow::Borrowed(name), Value::Text(Cow::Borrowed(value)))
}
