//! What is wrong with a rule or with definitions, or probably not meant; and which audiences are nearly the same already.

use super::ask::Text;
use super::near::{Set, nearly_the_same};
use super::remark::{Remark, fault};
use super::{Ground, Wrong};
use crate::audiences::Expr;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Definitions whose members are compared with those of what is published: of an upload, the first.
const MOST_COMPARED: usize = 20;

/// A text to be looked at.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = LintQuestion)]
#[serde(deny_unknown_fields, default)]
pub struct Question {
    /// A rule as planners write it.
    #[schema(example = "age >= 18 and region = Lombardia")]
    pub rule: Option<String>,
    /// Definitions: an object (one definition, or `audiences` and `campaigns`), or a text in YAML.
    #[schema(value_type = Option<Object>)]
    pub definitions: Option<Box<RawValue>>,
    /// Whose audiences a rule means by names without an owner; default: the asker's.
    pub owner: Option<String>,
}

/// What is to be said of a text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LintAnswer)]
pub struct Answer {
    /// How many errors: with one of them nothing can be counted or published.
    errors: usize,
    /// How many warnings.
    warnings: usize,
    /// All of them, in the order of the text.
    remarks: Vec<Remark>,
}

/// Says it.
///
/// # Errors
/// No text, a damaged section, or nobody waits any more.
pub fn lint(ground: &Ground<'_>, question: &Question) -> Result<Answer, Wrong> {
    let remarks = match (&question.rule, &question.definitions) {
        (Some(rule), None) => of_rule(ground, rule, question.owner.as_deref())?,
        (None, Some(definitions)) => of_definitions(ground, definitions)?,
        _ => {
            let detail = "one of `rule` and `definitions` is expected";
            return Err(Wrong::Asked(vec![fault("missing-key", "", detail, "")]));
        }
    };
    let errors = remarks.iter().filter(|remark| remark.is_error()).count();
    Ok(Answer { errors, warnings: remarks.len() - errors, remarks })
}

fn of_rule(ground: &Ground<'_>, text: &str, owner: Option<&str>) -> Result<Vec<Remark>, Wrong> {
    let (rule, mut remarks) = ground.read_rule(text, owner);
    if let Some(rule) = rule.filter(|_| !remarks.iter().any(Remark::is_error)) {
        let catalogue = ground.view.catalogue();
        let foreign = super::ask::is_foreign(ground.who, catalogue, &rule);
        remarks.extend(nearly_the_same(ground, &Set { rule: &rule, catalogue, id: None, foreign, size: None })?);
    }
    Ok(remarks)
}

fn of_definitions(ground: &Ground<'_>, definitions: &RawValue) -> Result<Vec<Remark>, Wrong> {
    let mut remarks = ground.check(&Text::of(definitions, "/definitions")?).2;
    // Whoever may not define it is told so when they publish: here nothing is compared.
    let Ok((catalogue, changed, _)) = ground.defined(definitions, "/definitions") else { return Ok(remarks) };
    for id in changed.audiences.iter().take(MOST_COMPARED) {
        let rule = Expr::InAudience(id.clone());
        let foreign = super::ask::is_foreign(ground.who, &catalogue, &rule);
        let set = Set { rule: &rule, catalogue: &catalogue, id: Some(id), foreign, size: None };
        remarks.extend(nearly_the_same(ground, &set)?);
    }
    Ok(remarks)
}
