//! A rule as text and as a tree: whichever is given, the other is answered, with what is wrong and what is probably not meant.

use super::remark::{Remark, fault};
use super::{Ground, Wrong};
use crate::audiences::parse::Parsed;
use crate::audiences::tree::{Tree, place, read};
use crate::audiences::{Diagnostic, print};
use crate::planner::reply::Fault;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A rule, as a text or as a tree.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = RuleQuestion)]
#[serde(deny_unknown_fields, default)]
pub struct Question {
    /// As planners write it.
    #[schema(example = "age >= 18 and region = Lombardia")]
    pub rule: Option<String>,
    /// As tools draw it.
    #[schema(value_type = Option<Tree>)]
    pub tree: Option<Box<RawValue>>,
    /// Whose audiences it means by names without an owner; default: the asker's.
    pub owner: Option<String>,
}

/// A rule, as a text and as a tree.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleAnswer)]
pub struct Answer {
    /// On one line, as it is printed; `null` where nothing could be read. A text's comments are not in it.
    pub rule: Option<String>,
    /// The tree; `null` where nothing could be read.
    pub tree: Option<Tree>,
    /// What is wrong: `line`, `column` and `length` are of the text that was sent, or of `rule` where a tree was; `field` is of the
    /// tree that was sent, or of `tree` where a text was.
    pub errors: Vec<Fault>,
    /// What is legal and probably not meant, at its place.
    pub warnings: Vec<Remark>,
}

/// Reads and prints.
///
/// # Errors
/// Neither a text nor a tree, or both.
pub fn rule(ground: &Ground<'_>, question: &Question) -> Result<Answer, Wrong> {
    let owner = ground.owner(question.owner.as_deref());
    match (&question.rule, &question.tree) {
        (Some(text), None) => {
            let (parsed, found, whole) = ground.look(text, &owner);
            match parsed.filter(|_| whole) {
                Some(parsed) => {
                    let pointers = place::pointers(&parsed.expr);
                    Ok(answer(text, &parsed, &pointers, &found))
                }
                None => {
                    let errors = found.iter().map(|found| Remark::of(text, found).fault("/rule")).collect();
                    Ok(Answer { rule: None, tree: None, errors, warnings: Vec::new() })
                }
            }
        }
        (None, Some(tree)) => match read(tree, &owner) {
            Ok(reading) => {
                let found = ground.remarks(&reading.parsed);
                Ok(answer(&reading.text, &reading.parsed, &reading.pointers, &found))
            }
            Err(misfits) => {
                let faults = misfits.into_iter();
                let errors = faults.map(|it| fault(it.code, format!("/tree{}", it.at), it.detail, it.help)).collect();
                Ok(Answer { rule: None, tree: None, errors, warnings: Vec::new() })
            }
        },
        _ => {
            let detail = "one of `rule` and `tree` is expected";
            Err(Wrong::Asked(vec![fault("missing-key", "", detail, "such as {\"rule\":\"age >= 18\"}")]))
        }
    }
}

fn answer(text: &str, parsed: &Parsed, pointers: &[String], found: &[Diagnostic]) -> Answer {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for found in found {
        let place = place::of_span(parsed, pointers, &found.span).unwrap_or_default();
        let (remark, field) = (Remark::of(text, found), format!("/tree{place}"));
        if remark.is_error() {
            errors.push(remark.fault(&field));
        } else {
            warnings.push(Remark { field: Some(field), ..remark });
        }
    }
    Answer { rule: Some(print(&parsed.expr)), tree: Some(Tree::of(&parsed.expr)), errors, warnings }
}
