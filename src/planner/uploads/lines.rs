//! What a line asks for: its identifiers as they are written, and for how long. CSV with a header, JSON objects, and the shapes of
//! Xandr's and The Trade Desk's uploads.

use serde::Deserialize;

/// The most items of one line.
const MAX_ITEMS: usize = 2_000;

/// Something about one person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    /// Types, where they are said, and uids.
    pub ids: Vec<(Option<String>, String)>,
    /// Minutes: 0 = the longest, -1 = remove.
    pub ttl: Option<i64>,
    pub remove: bool,
    /// Which list is meant; empty where only one can be.
    pub segments: Vec<Segment>,
}

/// A list as somebody calls it, and for how long.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub name: String,
    pub ttl: Option<i64>,
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub column: Option<String>,
    pub id_type: Option<String>,
    pub reason: String,
}

impl Wrong {
    pub fn new(column: impl Into<Option<&'static str>>, reason: impl Into<String>) -> Self {
        Wrong { column: column.into().map(str::to_owned), id_type: None, reason: reason.into() }
    }
}

/// Text, or a number that stands for one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Loose {
    Text(String),
    Number(i64),
}

impl Loose {
    fn text(self) -> String {
        match self {
            Loose::Text(text) => text,
            Loose::Number(number) => number.to_string(),
        }
    }
}

/// An identifier with its type beside it, or alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Alone(Loose),
    Typed(Typed),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    id: Loose,
    /// Xandr's: what kind of device it is of.
    #[serde(default)]
    #[allow(dead_code, reason = "all of them are one type here")]
    domain: Option<Loose>,
    #[serde(default, rename = "type")]
    #[allow(dead_code, reason = "all of them are one type here")]
    kind: Option<Loose>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "whose external ids they are is said by `?type=`")]
    member_id: Option<Loose>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OfSegment {
    id: Option<Loose>,
    code: Option<String>,
    name: Option<String>,
    #[serde(alias = "ttl_in_minutes", alias = "ttl_minutes")]
    expiration: Option<i64>,
    timestamp: Option<Loose>,
    timestamp_utc: Option<String>,
    value: Option<Loose>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Shape {
    source: Option<String>,
    #[serde(rename = "type", alias = "id_type")]
    kind: Option<String>,
    uid: Option<Loose>,
    id: Option<Loose>,
    #[serde(alias = "expiration", alias = "ttl_in_minutes")]
    ttl_minutes: Option<i64>,
    remove: Option<bool>,
    #[serde(alias = "segment_code", alias = "list", alias = "audience")]
    segment: Option<Loose>,
    value: Option<Loose>,
    device_id: Option<Id>,
    ifa: Option<Id>,
    external_id: Option<Id>,
    eid: Option<Typed>,
    segments: Option<Vec<OfSegment>>,
    tdid: Option<String>,
    daid: Option<String>,
    uid2: Option<String>,
    euid: Option<String>,
    data: Option<Vec<OfSegment>>,
    items: Option<Vec<Shape>>,
}

/// What a line of JSON asks for.
pub(super) fn of_json(line: &[u8]) -> Result<Vec<Item>, Wrong> {
    // A list would be read as the fields in their order.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(Wrong::new(None, "the line is not a JSON object".to_owned()));
    }
    // What serde says of a value could quote an identifier, so only the place is told.
    let shape: Shape = serde_json::from_slice(line).map_err(|error| {
        Wrong::new(None, format!("the line is not JSON of a form that is known (character {})", error.column()))
    })?;
    match shape.items {
        None => Ok(vec![of_shape(shape)?]),
        Some(items) if items.len() > MAX_ITEMS => {
            Err(Wrong::new("items", format!("more than {MAX_ITEMS} items; write several lines")))
        }
        Some(items) if items.iter().any(|item| item.items.is_some()) => Err(Wrong::new("items", "items of items")),
        Some(items) => items.into_iter().map(of_shape).collect(),
    }
}

fn of_shape(shape: Shape) -> Result<Item, Wrong> {
    let (mut ids, kind) = (Vec::new(), shape.source.or(shape.kind));
    let mut add = |kind: Option<&str>, id: Option<String>| {
        if let Some(id) = id {
            ids.push((kind.map(str::to_owned), id));
        }
    };
    let alone = |id: Id| match id {
        Id::Alone(id) => id.text(),
        Id::Typed(typed) => typed.id.text(),
    };
    add(kind.as_deref(), shape.uid.map(Loose::text));
    add(kind.as_deref(), shape.id.map(Loose::text));
    add(Some("ifa"), shape.device_id.map(alone));
    add(Some("ifa"), shape.ifa.map(alone));
    add(kind.as_deref(), shape.external_id.map(alone));
    if let Some(eid) = shape.eid {
        add(eid.source.as_deref(), Some(eid.id.text()));
    }
    add(Some("adserver.org"), shape.tdid);
    add(Some("ifa"), shape.daid);
    add(Some("uidapi.com"), shape.uid2);
    add(Some("euid.eu"), shape.euid);
    let mut segments = Vec::new();
    for segment in shape.segments.into_iter().flatten() {
        let name = segment.code.or(segment.id.map(Loose::text)).or(segment.name).unwrap_or_default();
        segments.push(Segment { name, ttl: segment.expiration });
    }
    for data in shape.data.into_iter().flatten() {
        if data.expiration == Some(0) {
            // There it may mean the end, elsewhere the longest: nobody shall be told the opposite of what was meant.
            return Err(Wrong::new("ttl_in_minutes", "0 is not clear here: write -1 to remove, or the minutes"));
        }
        segments.push(Segment { name: data.name.unwrap_or_default(), ttl: data.expiration });
    }
    if let Some(segment) = shape.segment {
        segments.push(Segment { name: segment.text(), ttl: shape.ttl_minutes });
    }
    Ok(Item { ids, ttl: shape.ttl_minutes, remove: shape.remove.unwrap_or(false), segments })
}

/// Where the columns of a CSV file are.
#[derive(Debug, Default)]
pub(super) struct Header {
    uid: Option<usize>,
    source: Option<usize>,
    ttl: Option<usize>,
    remove: Option<usize>,
    segment: Option<usize>,
    /// Columns that are called as a type of identifiers.
    typed: Vec<(usize, String)>,
    columns: usize,
}

impl Header {
    /// Reads it; `is_type` says which names are types of identifiers.
    ///
    /// # Errors
    /// A column nobody knows, or none with identifiers.
    pub fn read(line: &[u8], is_type: impl Fn(&str) -> bool) -> Result<Header, String> {
        let names = fields(line).ok_or("the header is not CSV")?;
        let mut header = Header { columns: names.len(), ..Header::default() };
        for (at, name) in names.iter().enumerate() {
            let name = name.trim().trim_start_matches('\u{feff}');
            let place = match name.to_ascii_lowercase().as_str() {
                "uid" | "id" | "user_id" => &mut header.uid,
                "source" | "type" | "id_type" => &mut header.source,
                "ttl_minutes" | "expiration" | "ttl_in_minutes" => &mut header.ttl,
                "remove" | "delete" => &mut header.remove,
                "segment" | "segment_code" | "list" | "audience" => &mut header.segment,
                "value" => continue,
                _ if is_type(name) => {
                    header.typed.push((at, name.to_owned()));
                    continue;
                }
                _ => return Err(format!("column {} of the header is none that is known", at + 1)),
            };
            if place.replace(at).is_some() {
                return Err(format!("column {} says what another does", at + 1));
            }
        }
        if header.uid.is_none() && header.typed.is_empty() {
            Err("no column has identifiers".to_owned())
        } else {
            Ok(header)
        }
    }

    /// What a line asks for.
    pub fn item(&self, line: &[u8]) -> Result<Item, Wrong> {
        let fields = fields(line).ok_or_else(|| Wrong::new(None, "the line is not CSV in UTF-8"))?;
        if fields.len() != self.columns {
            return Err(Wrong::new(None, format!("{} columns, and the header has {}", fields.len(), self.columns)));
        }
        let get = |at: Option<usize>| at.map(|at| fields[at].trim()).filter(|text| !text.is_empty());
        let mut ids = Vec::new();
        ids.extend(get(self.uid).map(|uid| (get(self.source).map(str::to_owned), uid.to_owned())));
        for (at, kind) in &self.typed {
            ids.extend(get(Some(*at)).map(|uid| (Some(kind.clone()), uid.to_owned())));
        }
        let ttl = get(self.ttl).map(str::parse).transpose();
        let ttl = ttl.map_err(|_| Wrong::new("ttl_minutes", "not a whole number of minutes"))?;
        let remove = match get(self.remove).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false" | "0" | "no") => false,
            Some("true" | "1" | "yes") => true,
            Some(_) => return Err(Wrong::new("remove", "neither true nor false")),
        };
        let segments = get(self.segment).map(|name| Segment { name: name.to_owned(), ttl }).into_iter().collect();
        Ok(Item { ids, ttl, remove, segments })
    }
}

/// The fields of a line of CSV; quoted ones do not go on in the next.
fn fields(line: &[u8]) -> Option<Vec<String>> {
    let (mut out, mut ends) = (vec![0; line.len() + 2], vec![0; line.len() + 2]);
    let mut reader = csv_core::Reader::new();
    let (_, read, written, some) = reader.read_record(line, &mut out, &mut ends);
    if read != line.len() {
        return None;
    }
    // The end of the input ends the record.
    let (_, _, _, last) = reader.read_record(&[], &mut out[written..], &mut ends[some..]);
    let mut start = 0;
    let texts = ends[..some + last].iter().map(|end| {
        let text = std::str::from_utf8(out.get(start..*end)?).ok().map(str::to_owned);
        start = *end;
        text
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(item: &Item) -> Vec<(&str, &str)> {
        item.ids.iter().map(|(kind, id)| (kind.as_deref().unwrap_or("-"), id.as_str())).collect()
    }

    #[test]
    fn the_shapes_of_others_are_read() {
        let one = |line: &str| of_json(line.as_bytes()).unwrap().remove(0);
        assert_eq!(ids(&one(r#"{"uid":12345,"segments":[{"id":7,"expiration":-1,"value":3}]}"#)), [("-", "12345")]);
        let xandr = one(
            r#"{"device_id":{"id":"AB-1","domain":"idfa"},"segments":[{"code":"vip","expiration":0,"timestamp":1,"value":2}]}"#,
        );
        assert_eq!(
            (ids(&xandr), &*xandr.segments),
            (vec![("ifa", "AB-1")], &[Segment { name: "vip".into(), ttl: Some(0) }][..])
        );
        assert_eq!(
            ids(&one(r#"{"eid":{"source":"pubcid.org","id":"c1"},"segments":[{"code":"vip"}]}"#)),
            [("pubcid.org", "c1")]
        );
        assert_eq!(ids(&one(r#"{"ifa":{"id":"x","type":"idfa"}}"#)), [("ifa", "x")]);
        let desk = of_json(br#"{"items":[{"tdid":"t","data":[{"name":"vip","timestamp_utc":"2026-11-01T00:00:00Z","ttl_in_minutes":60}]},{"uid2":"u","data":[{"name":"vip"}]}]}"#).unwrap();
        assert_eq!((ids(&desk[0]), ids(&desk[1])), (vec![("adserver.org", "t")], vec![("uidapi.com", "u")]));
        assert_eq!(desk[0].segments, [Segment { name: "vip".into(), ttl: Some(60) }]);
        assert!(
            of_json(br#"{"daid":"d","data":[{"name":"vip","ttl_in_minutes":0}]}"#).is_err(),
            "the end, or the longest?"
        );
        for wrong in [&b"{"[..], b"[]", br#"{"uid":"a","colour":"red"}"#, br#"{"items":[{"items":[]}]}"#] {
            let reason = of_json(wrong).unwrap_err().reason;
            assert!(!reason.contains("red") && !reason.contains('"'), "{reason}");
        }
    }

    #[test]
    fn columns_are_found_by_the_header() {
        let header = |line: &str| Header::read(line.as_bytes(), |name| name == "email");
        let plain = header("source,uid,expiration,remove,value").unwrap();
        let item = plain.item(br#"crm,"a,""b""",-1,,9"#).unwrap();
        assert_eq!((ids(&item), item.ttl, item.remove), (vec![("crm", "a,\"b\"")], Some(-1), false));
        assert!(
            plain.item(b"crm,a,soon,,").is_err()
                && plain.item(b"crm,a").is_err()
                && plain.item(b"crm,a,,maybe,").is_err()
        );
        let typed = header("email,segment").unwrap();
        assert_eq!(ids(&typed.item(b"ann@example.com,vip").unwrap()), [("email", "ann@example.com")]);
        assert!(header("uid,id").is_err() && header("colour").is_err() && header("source").is_err());
    }
}
