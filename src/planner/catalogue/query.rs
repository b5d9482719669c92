//! The parameters of a path: known names, once each, within bounds; what is wrong is said of its field.

use crate::planner::reply::{Fault, Refused};
use std::borrow::Cow;

/// What stands behind the `?`.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads it; only `known` names may stand there.
    pub(super) fn read(raw: Option<&'a str>, known: &[&str]) -> Result<Self, Refused> {
        let pairs: Vec<_> = form_urlencoded::parse(raw.unwrap_or("").as_bytes()).collect();
        for (at, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_ref()) {
                let listed = known.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
                return Err(wrong(name, "there is no such parameter".to_owned(), &format!("there are: {listed}")));
            }
            if pairs[..at].iter().any(|(other, _)| other == name) {
                return Err(wrong(name, "it stands there twice".to_owned(), "write it once"));
            }
        }
        Ok(Query(pairs))
    }

    /// A parameter as it stands.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// A number within bounds.
    pub(super) fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Refused> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        let expected = || wrong(name, format!("expected a number from {least} to {most}"), "");
        number.map(Some).ok_or_else(expected)
    }

    /// `true` or `false`; false when it is not there.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(wrong(name, "expected `true` or `false`".to_owned(), "")),
        }
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Refused> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| Some(*choice));
        found.ok_or_else(|| {
            let listed = choices.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            wrong(name, format!("expected one of {listed}"), "")
        })
    }
}

/// A parameter that is wrong.
pub(super) fn wrong(name: &str, detail: String, help: &str) -> Refused {
    let help = (!help.is_empty()).then(|| help.to_owned());
    let fault = Fault { detail: detail.clone(), help, field: Some(name.to_owned()), ..Fault::default() };
    Refused::invalid(format!("`{name}`: {detail}"), "").with_errors(vec![fault])
}
