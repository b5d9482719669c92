//! The keys of an object of a tree, read one level at a time so that however deep the tree is, no stack is used up on it; and what
//! is said of values that are missing or of another form.

use super::read::Reader;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The keys of an object that were not asked for yet.
pub(super) struct Fields<'r> {
    /// Where the object is.
    pub(super) at: String,
    keys: BTreeMap<String, &'r RawValue>,
}

/// A value and where it is.
pub(super) type Placed<'r> = (&'r RawValue, String);

impl<'r> Fields<'r> {
    /// The value of a key; `null` is as good as none.
    pub(super) fn find(&mut self, key: &str) -> Option<Placed<'r>> {
        let found = self.keys.remove(key).filter(|raw| raw.get() != "null");
        found.map(|raw| (raw, format!("{}/{key}", self.at)))
    }
}

/// A number, to its last digit: `serde_json` rounds otherwise than the language does.
pub(super) fn exactly(raw: &RawValue) -> Option<f64> {
    let text = raw.get();
    let begins = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    text.parse().ok().filter(|number: &f64| begins && number.is_finite())
}

impl Reader<'_> {
    /// An object's keys.
    pub(super) fn fields<'r>(&mut self, raw: &'r RawValue, at: &str, like: &str) -> Option<Fields<'r>> {
        match serde_json::from_str(raw.get()) {
            Ok(keys) => Some(Fields { at: at.to_owned(), keys }),
            Err(_) => self.wrong("wrong-shape", at, "an object is expected here", format!("such as {like}")),
        }
    }

    /// The value of a key that must be there: otherwise `missing` is said.
    pub(super) fn field<'r>(
        &mut self,
        fields: &mut Fields<'r>,
        key: &str,
        missing: (&str, &str),
    ) -> Option<Placed<'r>> {
        let found = fields.find(key);
        if found.is_none() {
            let at = format!("{}/{key}", fields.at);
            return self.wrong("missing-value", &at, missing.0, missing.1);
        }
        found
    }

    /// Everything that is there must have been asked for.
    pub(super) fn done(&mut self, fields: Fields<'_>) {
        if let Some(key) = fields.keys.keys().next() {
            let at = format!("{}/{}", fields.at, key.replace('~', "~0").replace('/', "~1"));
            self.wrong::<()>("unknown-key", &at, format!("`{key}` means nothing here"), "leave it out");
        }
    }

    /// Which of several forms an object has: its key `key`.
    pub(super) fn form(&mut self, fields: &mut Fields<'_>, key: &str, known: &[&str]) -> Option<String> {
        let help = format!("one of {}", known.join(", "));
        let (raw, at) = self.field(fields, key, (&format!("`{key}` is not said"), &help))?;
        let said = self.text((raw, at.clone()))?;
        if known.contains(&said.as_str()) {
            return Some(said);
        }
        self.wrong("unknown-form", &at, format!("`{said}` is not known here"), help)
    }

    /// The elements of a list.
    pub(super) fn list<'r>(&mut self, (raw, at): &Placed<'r>) -> Option<Vec<&'r RawValue>> {
        match serde_json::from_str(raw.get()) {
            Ok(items) => Some(items),
            Err(_) => self.wrong("wrong-shape", at, "a list is expected here", "such as [1, 2]"),
        }
    }

    /// A text.
    pub(super) fn text(&mut self, (raw, at): Placed<'_>) -> Option<String> {
        match serde_json::from_str(raw.get()) {
            Ok(text) => Some(text),
            Err(_) => self.wrong("wrong-shape", &at, "a text is expected here", "such as \"x\""),
        }
    }

    /// A name of something.
    pub(super) fn name(&mut self, fields: &mut Fields<'_>, key: &str, what: &str) -> Option<String> {
        let (detail, help) = (format!("{what} is not chosen yet"), format!("choose {what}"));
        let (raw, at) = self.field(fields, key, (&detail, &help))?;
        let name = self.text((raw, at.clone()))?;
        if name.is_empty() {
            return self.wrong("missing-value", &at, detail, help);
        }
        Some(name)
    }

    /// A number.
    pub(super) fn number(&mut self, (raw, at): Placed<'_>) -> Option<f64> {
        match exactly(raw) {
            Some(number) => Some(number),
            None => self.wrong("wrong-shape", &at, "a number is expected here", "such as 3"),
        }
    }

    /// A whole number of things, `least` or more.
    pub(super) fn whole(&mut self, fields: &mut Fields<'_>, key: &str, least: u32) -> Option<u32> {
        let (raw, at) = self.field(fields, key, ("how many is not said yet", "give a number"))?;
        let number = self.number((raw, at.clone()))?;
        if number.fract() == 0.0 && (f64::from(least)..=1e9).contains(&number) {
            return Some(number as u32);
        }
        self.wrong("bad-count", &at, format!("a whole number from {least} to 1000000000 is expected here"), "")
    }
}
