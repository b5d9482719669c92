//! A text with definitions, and in which form it has them: a file, an upload, or one item of the catalogue alone.

use super::fields::Fields;
use crate::audiences::versions::Kind;
use crate::schema::AudienceId;
use std::path::{Path, PathBuf};

/// A text with definitions.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What findings call it.
    pub name: &'a Path,
    /// The YAML.
    pub text: &'a str,
    /// What is in it.
    pub form: Form<'a>,
}

/// What is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// Maps of `audiences`, `campaigns`, `groups` and `pressure`, written by whoever runs the installation: its rules and
    /// campaigns may use audiences of every owner.
    File,
    /// The same, sent through the API: audiences of other owners are there only if they are shared.
    Upload,
    /// One definition, of that name, as the catalogue keeps it.
    Item(Kind, &'a AudienceId),
}

impl<'a> Source<'a> {
    /// A file.
    pub fn file((name, text): &'a (PathBuf, String)) -> Self {
        Source { name, text, form: Form::File }
    }
}

impl<'a> Form<'a> {
    /// Whether only what is shared may be used of other owners.
    pub(super) fn is_restricted(self) -> bool {
        self != Form::File
    }

    /// Whether a group or pressure must say whose it is.
    pub(super) fn needs_owner(self) -> bool {
        self == Form::Upload
    }

    /// The owner of the one item.
    pub(super) fn owner(self) -> Option<&'a str> {
        match self {
            Form::Item(_, id) => Some(id.owner()),
            _ => None,
        }
    }

    /// Owner and id of a definition: as it says. An item alone need not say them, and may say no others.
    pub(super) fn names(self, fields: &mut Fields, example: &str) -> (Option<String>, Option<String>) {
        let Form::Item(_, own) = self else {
            let id = fields.name("id", example);
            return (fields.name("owner", "acme"), id);
        };
        for (key, name) in [("id", own.id()), ("owner", own.owner())] {
            let expected = format!("`{name}` here, or left out");
            fields.parsed(key, &expected, |text| (text == name).then_some(()));
        }
        (Some(own.owner().to_owned()), Some(own.id().to_owned()))
    }
}
