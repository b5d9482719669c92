//! NDJSON: one JSON object a line. Only the configured paths are kept; everything else is skipped while parsing.

use super::record::{Fields, Value};
use super::rejects::Reason;
use super::rows::{RowMaker, Stopped};
use super::values::FastMap;
use super::window::Window;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{Read, Result};

/// The configured columns as a tree of object keys.
#[derive(Default)]
pub(super) struct Paths {
    below: FastMap<Paths>,
    /// The column whose value stands here.
    column: Option<usize>,
}

impl Paths {
    /// `a.b` is `b` inside of `a`, or a key that is written `a.b`.
    pub(super) fn new(columns: &[String]) -> Self {
        let mut root = Paths::default();
        for (at, column) in columns.iter().enumerate() {
            let mut node = &mut root;
            for key in column.split('.') {
                node = node.below.entry(key.into()).or_default();
            }
            node.column = Some(at);
            root.below.entry(column.as_str().into()).or_default().column = Some(at);
        }
        root
    }
}

/// Reads all lines into rows.
pub(super) fn read<R: Read>(
    input: R,
    columns: &[String],
    max_row_bytes: usize,
    rows: &mut RowMaker<'_>,
) -> Result<std::result::Result<(), Stopped>> {
    let paths = Paths::new(columns);
    let mut window = Window::new(input);
    window.skip_mark()?;
    let mut row = RawRow { values: vec![Value::Absent; columns.len()], ..RawRow::default() };
    for line in 1.. {
        let Some(length) = line_length(&mut window, max_row_bytes)? else {
            rows.reject(Reason::TooLong, line);
            window.skip_line()?;
            continue;
        };
        if length == 0 {
            return Ok(Ok(()));
        }
        match std::str::from_utf8(&window.bytes()[..length]).map(str::trim) {
            Err(_) => rows.reject(Reason::NotUtf8, line),
            Ok("") => {}
            Ok(text) if !row.parse(text, &paths) => rows.reject(Reason::NotAnObject, line),
            Ok(_) => {
                for (seen, value) in rows.tally.seen.iter_mut().zip(&row.values) {
                    *seen |= *value != Value::Absent;
                }
                let fields = Fields { text: &row.text, values: &row.values, items: &row.items, line };
                if let Err(stopped) = rows.row(&fields) {
                    return Ok(Err(stopped));
                }
            }
        }
        window.advance(length);
    }
    Ok(Ok(()))
}

/// The bytes of the next line, its line feed included; 0 at the end, `None` when it is longer than allowed.
fn line_length<R: Read>(window: &mut Window<R>, max_row_bytes: usize) -> Result<Option<usize>> {
    let mut searched = 0;
    loop {
        if let Some(at) = memchr::memchr(b'\n', &window.bytes()[searched..]) {
            let length = searched + at + 1;
            return Ok(Some(length).filter(|length| *length <= max_row_bytes + 1));
        }
        searched = window.bytes().len();
        if searched > max_row_bytes {
            return Ok(None);
        }
        if !window.fill()? {
            return Ok(Some(searched));
        }
    }
}

/// The values of one object.
#[derive(Default)]
struct RawRow {
    values: Vec<Value>,
    items: Vec<Value>,
    text: String,
}

impl RawRow {
    /// Whether `json` is one object.
    fn parse(&mut self, json: &str, paths: &Paths) -> bool {
        self.values.fill(Value::Absent);
        self.items.clear();
        self.text.clear();
        let mut parser = serde_json::Deserializer::from_str(json);
        parser.deserialize_map(ObjectVisitor { paths, row: self }).is_ok() && parser.end().is_ok()
    }

    fn push_text(&mut self, text: &str) -> Value {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Value::Text { start, end: self.text.len() as u32 }
    }
}

/// Walks an object along the paths.
struct ObjectVisitor<'a> {
    paths: &'a Paths,
    row: &'a mut RawRow,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(found) = map.next_key_seed(KeySeed(self.paths))? {
            match found {
                None => map.next_value::<IgnoredAny>().map(|_| ())?,
                Some(paths) => {
                    let value = map.next_value_seed(ValueSeed { paths, row: self.row })?;
                    if let Some(column) = paths.column {
                        self.row.values[column] = value;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Finds a key among the paths.
struct KeySeed<'a>(&'a Paths);

impl<'de, 'a> DeserializeSeed<'de> for KeySeed<'a> {
    type Value = Option<&'a Paths>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for KeySeed<'a> {
    type Value = Option<&'a Paths>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> std::result::Result<Self::Value, E> {
        Ok(self.0.below.get(key))
    }
}

/// Reads one value; objects are walked on.
struct ValueSeed<'a> {
    paths: &'a Paths,
    row: &'a mut RawRow,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, whole: i64) -> std::result::Result<Value, E> {
        Ok(Value::Whole(whole))
    }

    fn visit_u64<E>(self, whole: u64) -> std::result::Result<Value, E> {
        // Beyond i64 the digits are kept: it may be an identifier.
        Ok(i64::try_from(whole).map_or_else(|_| self.row.push_text(&whole.to_string()), Value::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Value, E> {
        Ok(self.row.push_text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Value, A::Error> {
        let nothing_below = Paths::default();
        let start = self.row.items.len() as u32;
        while let Some(value) = seq.next_element_seed(ValueSeed { paths: &nothing_below, row: self.row })? {
            // A list in a list has no meaning here, and would mix its items into ours.
            let value = if let Value::List { start, .. } = value {
                self.row.items.truncate(start as usize);
                Value::Other
            } else {
                value
            };
            self.row.items.push(value);
        }
        Ok(Value::List { start, end: self.row.items.len() as u32 })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Value, A::Error> {
        ObjectVisitor { paths: self.paths, row: self.row }.visit_map(map)?;
        Ok(Value::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Option<Vec<String>> {
        let columns = ["id", "a.b", "tags", "x"].map(str::to_owned);
        let mut row = RawRow { values: vec![Value::Absent; columns.len()], ..RawRow::default() };
        row.parse(json, &Paths::new(&columns)).then(|| {
            let show = |value: &Value| match value {
                Value::Text { start, end } => row.text[*start as usize..*end as usize].to_owned(),
                Value::List { start, end } => format!("{} items", end - start),
                other => format!("{other:?}"),
            };
            row.values.iter().map(show).collect()
        })
    }

    #[test]
    fn paths_pick_values_and_skip_the_rest() {
        let json = r#"{"other":{"id":9},"id":"a\u00e9","a":{"b":7,"c":[1]},"tags":["x","y",["z"],null],"x":18446744073709551615}"#;
        assert_eq!(parse(json).unwrap(), ["aé", "Whole(7)", "4 items", "18446744073709551615"]);
        assert_eq!(
            parse(r#"{"a.b":true,"x":1.5,"id":null}"#).unwrap(),
            ["Absent", "Flag(true)", "Absent", "Number(1.5)"]
        );
        assert_eq!(parse(r#"{"a":3,"x":{"y":1}}"#).unwrap(), ["Absent", "Absent", "Absent", "Other"]);
    }

    #[test]
    fn only_whole_objects_are_rows() {
        let deep = format!("{}{}", r#"{"x":"#, "[".repeat(500));
        for json in ["[1]", "7", "null", r#"{"id":1"#, r#"{"id":1} x"#, r#"{"id":1e999}"#, "{id:1}", deep.as_str()] {
            assert_eq!(parse(json), None, "{json}");
        }
    }
}
