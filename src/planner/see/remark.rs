//! What is said of a rule or a definition, at its place: errors as faults, everything as remarks.

use crate::audiences::definitions::Finding;
use crate::audiences::{Diagnostic, Severity};
use crate::planner::reply::Fault;
use serde::Serialize;
use std::ops::Range;
use utoipa::ToSchema;

/// An error or a warning at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Remark {
    /// `error` or `warning`.
    pub severity: String,
    /// A stable name for tools.
    pub code: String,
    /// What is wrong, or probably not meant.
    pub message: String,
    /// What to do, a line each.
    pub help: Vec<String>,
    /// Where: a line of the text, from 1.
    pub line: usize,
    /// Where: a character of the line, from 1.
    pub column: usize,
    /// How many characters it is about, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// Where: a part of the rule's tree as a JSON pointer, where there is a tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Remark {
    /// What was found in a text.
    pub(super) fn of(text: &str, found: &Diagnostic) -> Remark {
        let start = text.floor_char_boundary(found.span.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Remark {
            severity: severity(found.severity),
            code: found.code.to_owned(),
            message: found.message.clone(),
            help: found.help.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            length: characters(text, &found.span),
            field: None,
        }
    }

    /// What was found in definitions.
    pub(super) fn of_definition(found: &Finding) -> Remark {
        Remark {
            severity: severity(found.severity),
            code: found.code.to_owned(),
            message: found.message.clone(),
            help: found.help.clone(),
            line: found.line,
            column: found.column,
            length: Some(found.length).filter(|length| *length > 0),
            field: None,
        }
    }

    /// Whether nothing can be asked until it is mended.
    pub(super) fn is_error(&self) -> bool {
        self.severity == "error"
    }

    /// As part of a refusal of the field that has the text.
    pub(super) fn fault(self, field: &str) -> Fault {
        Fault {
            code: Some(self.code),
            detail: self.message,
            help: (!self.help.is_empty()).then(|| self.help.join("\n")),
            field: Some(field.to_owned()),
            file: None,
            line: Some(self.line),
            column: Some(self.column),
            length: self.length,
        }
    }
}

/// How many characters a part of a text has; nothing of a place between two.
fn characters(text: &str, span: &Range<usize>) -> Option<usize> {
    let (start, end) = (text.floor_char_boundary(span.start), text.ceil_char_boundary(span.end));
    text.get(start..end).map(|part| part.chars().count()).filter(|length| *length > 0)
}

fn severity(severity: Severity) -> String {
    match severity {
        Severity::Error => "error".to_owned(),
        Severity::Warning => "warning".to_owned(),
    }
}

/// A fault of a field.
pub(super) fn fault(code: &str, field: impl Into<String>, detail: impl Into<String>, help: impl Into<String>) -> Fault {
    let help = help.into();
    Fault {
        code: Some(code.to_owned()),
        detail: detail.into(),
        help: (!help.is_empty()).then_some(help),
        field: Some(field.into()),
        ..Fault::default()
    }
}
