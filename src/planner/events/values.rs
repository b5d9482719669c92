//! Values of traits and properties: of the declared kind, and of a closed set where one is declared. A value that is wrong is
//! not repeated.

use super::line::Plain;
use crate::audiences::diagnostic::nearest;
use crate::collect;
use crate::log::Value;
use crate::schema::{PropDecl, PropKind, TraitDecl, TraitKind, names};
use std::borrow::Cow;

/// A longer category or tag is a mistake.
const MAX_TEXT_BYTES: usize = 512;
/// More values are not listed in an answer.
const LISTED: usize = 10;

/// A trait's value.
///
/// # Errors
/// What it should have been.
pub(super) fn of_trait<'a>(decl: &TraitDecl, value: &'a Plain<'_>) -> Result<Value<'a>, String> {
    match (decl.kind, value) {
        (TraitKind::Flag, Plain::Flag(flag)) => Ok(Value::Flag(*flag)),
        (TraitKind::Number, Plain::Number(value)) => number(*value),
        (TraitKind::Category, Plain::Text(text)) => category(&decl.values, text),
        (TraitKind::Date, Plain::Text(text)) => {
            collect::date(None, text.trim()).map(Value::Date).ok_or_else(|| expected("a day such as \"2026-11-01\""))
        }
        (TraitKind::Tags, Plain::List(tags)) => {
            let tags: Result<Vec<_>, String> = tags.iter().map(|tag| permitted(&decl.values, tag)).collect();
            let tags = tags?;
            if tags.is_empty() {
                Err("no tag; null where none is known any more".to_owned())
            } else {
                Ok(Value::Tags(tags))
            }
        }
        (TraitKind::Tags, Plain::Text(tag)) => Ok(Value::Tags(vec![permitted(&decl.values, tag)?])),
        (TraitKind::Flag, _) => Err(expected("true or false")),
        (TraitKind::Number, _) => Err(expected("a number")),
        (TraitKind::Category, _) => Err(expected("a text")),
        (TraitKind::Date, _) => Err(expected("a day such as \"2026-11-01\"")),
        (TraitKind::Tags, _) => Err(expected("a list of texts")),
    }
}

/// A property's value.
///
/// # Errors
/// What it should have been.
pub(super) fn property<'a>(decl: &PropDecl, value: &'a Plain<'_>) -> Result<Value<'a>, String> {
    match (decl.kind, value) {
        (PropKind::Flag, Plain::Flag(flag)) => Ok(Value::Flag(*flag)),
        (PropKind::Number, Plain::Number(value)) => number(*value),
        (PropKind::Category, Plain::Text(text)) => category(&decl.values, text),
        (PropKind::Flag, _) => Err(expected("true or false")),
        (PropKind::Number, _) => Err(expected("a number")),
        (PropKind::Category, _) => Err(expected("a text")),
    }
}

fn expected(what: &str) -> String {
    format!("expected {what}")
}

/// Minus zero is zero, as in sources.
fn number<'a>(value: f64) -> Result<Value<'a>, String> {
    let number = if value == 0.0 { 0.0 } else { value };
    if number.is_finite() { Ok(Value::Number(number)) } else { Err(expected("a finite number")) }
}

fn category<'a>(closed: &[String], text: &'a str) -> Result<Value<'a>, String> {
    permitted(closed, text).map(Value::Text)
}

fn permitted<'a>(closed: &[String], text: &'a str) -> Result<Cow<'a, str>, String> {
    let text = text.trim();
    check_text(text)?;
    if closed.is_empty() || closed.binary_search_by(|known| known.as_str().cmp(text)).is_ok() {
        return Ok(Cow::Borrowed(text));
    }
    let values = || closed.iter().map(String::as_str);
    let listed: Vec<&str> = values().take(LISTED).collect();
    let more = if closed.len() > LISTED { ", ..." } else { "" };
    Err(match nearest(text, values()) {
        Some(near) => format!("not one of the values it may have; did you mean `{near}`?"),
        None => format!("not one of the values it may have: {}{more}", listed.join(", ")),
    })
}

/// Whether a text can be a value at all.
///
/// # Errors
/// Why not.
pub(super) fn check_text(text: &str) -> Result<(), String> {
    match text.len() {
        0 => Err("empty; null where it is not known".to_owned()),
        1..=MAX_TEXT_BYTES => Ok(()),
        bytes => Err(format!("{bytes} bytes, and {MAX_TEXT_BYTES} are the most")),
    }
}

/// Says that a name is not known, and which was meant. What cannot be a name is not repeated.
pub(super) fn unknown<'a>(what: &str, written: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let there = if names::is_name(written) { format!("no {what} `{written}`") } else { format!("no such {what}") };
    match nearest(written, known.clone()) {
        Some(near) => format!("{there}; did you mean `{near}`?"),
        None => format!("{there}; it has: {}", known.collect::<Vec<_>>().join(", ")),
    }
}
