//! How many: of everybody, by identifier type, of those seen lately, by traits.

use super::ask::{Meant, Named};
use super::near::{Set, nearly_the_same};
use super::remark::{Remark, fault};
use super::{Ground, Over, Wrong};
use crate::audiences::diagnostic::nearest;
use crate::audiences::rule::{Compare, Date, Literal, Test, TraitTest};
use crate::audiences::{Catalogue, Expr};
use crate::evaluate::Plan;
use crate::evaluate::survey::Value;
use crate::planner::protect::{Teller, Told};
use crate::schema::{AudienceId, TraitKind, Use};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Instant;
use utoipa::ToSchema;
use zerocopy::IntoBytes;

/// Traits that one answer is broken down by at most.
const MOST_TRAITS: usize = 8;
/// Values of a trait that are told one by one.
const MOST_VALUES: usize = 50;
/// The same where counts are protected.
const MOST_PROTECTED: usize = 20;

/// How many are they?
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ReachQuestion)]
#[serde(deny_unknown_fields, default)]
pub struct Question {
    /// A rule as planners write it.
    #[schema(example = "age >= 18 and region = Lombardia")]
    pub rule: Option<String>,
    /// A published audience: `owner/id`, or `id` of the asker's own.
    pub audience: Option<String>,
    /// The definition of an audience or a campaign, published or not: an object, or a text in YAML.
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Box<RawValue>>,
    /// Whose audiences a rule means by names without an owner; default: the asker's.
    pub owner: Option<String>,
    /// How many of them were seen in the bidstream within so many days.
    #[schema(minimum = 1, maximum = 400)]
    pub seen_days: Option<u32>,
    /// Traits that they are counted by.
    #[schema(max_items = 8)]
    pub by: Vec<String>,
}

/// How many they are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReachAnswer)]
pub struct Answer {
    /// The audience or campaign, if it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<AudienceId>,
    /// How many.
    #[serde(flatten)]
    pub told: Told,
    /// Of all profiles.
    pub share: Option<f64>,
    /// How many have an identifier of a type.
    pub by_id_type: Vec<OfType>,
    /// How many were seen in the bidstream lately; `null` when that is not known, or was not asked.
    pub seen: Option<Seen>,
    /// How many by the values of traits.
    pub breakdown: Vec<Breakdown>,
    /// What is legal and probably not meant.
    pub lint: Vec<Remark>,
    /// Over what they were counted.
    #[serde(flatten)]
    pub over: Over,
}

/// How many have an identifier of a type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReachOfType)]
pub struct OfType {
    /// The type.
    pub id_type: String,
    /// How many.
    #[serde(flatten)]
    pub told: Told,
}

/// How many were seen lately.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReachSeen)]
pub struct Seen {
    /// Within so many days.
    pub days: u32,
    /// How many.
    #[serde(flatten)]
    pub told: Told,
}

/// How many by the values of a trait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReachBreakdown)]
pub struct Breakdown {
    /// The trait.
    #[serde(rename = "trait")]
    pub name: String,
    /// By value, or by ranges of values; what is unknown comes last. Whoever has several tags is counted with each.
    pub parts: Vec<Part>,
    /// How many values are not told.
    pub left_out: usize,
}

/// How many have a value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReachPart)]
pub struct Part {
    /// The value, or from where to where.
    pub value: String,
    /// How many.
    #[serde(flatten)]
    pub told: Told,
    /// Of those who are counted.
    pub share: Option<f64>,
}

/// Counts.
///
/// # Errors
/// What is wrong with the question, or nobody waits any more.
pub fn reach(ground: &Ground<'_>, question: Question) -> Result<Answer, Wrong> {
    let since = Instant::now();
    let Question { rule, audience, definition, owner, seen_days, by } = question;
    let columns = traits(ground, &by)?;
    let Meant { rule, catalogue, id, foreign, mut remarks } =
        ground.meant(&Named { rule, audience, definition, owner }, "")?;
    let teller = ground.teller(foreign, 1 + by.len())?;
    let seen = seen_days.and_then(|days| Some((days, (ground.seen)(days)?)));
    let id_types = ground.view.id_types()?;
    let mut masks: Vec<&[u64]> = id_types.iter().map(|(_, mask)| mask.as_slice()).collect();
    masks.extend(seen.iter().map(|(_, mask)| mask.as_slice()));
    let (told, mut within) = count(ground, &rule, &catalogue, &masks, &teller)?;
    let seen = seen.and_then(|(days, _)| Some(Seen { days, told: within.pop()? }));
    let names = id_types.iter().map(|(name, _)| name.clone());
    let by_id_type = names.zip(within).map(|(id_type, told)| OfType { id_type, told }).collect();
    let breakdown = by.iter().zip(columns).map(|(name, column)| {
        let parts = match column {
            None => (Vec::new(), 0),
            Some(column) if teller.is_guarded() => protected(ground, &rule, &catalogue, column, &teller)?,
            Some(column) => exact(ground, &rule, &catalogue, column)?,
        };
        let share = |part: Told| told.count.and_then(|whole| part.share(whole));
        let (parts, left_out) = parts;
        let parts = parts.into_iter().map(|(value, told)| Part { value, told, share: share(told) }).collect();
        Ok(Breakdown { name: name.clone(), parts, left_out })
    });
    let breakdown = breakdown.collect::<Result<Vec<_>, Wrong>>()?;
    if id.as_ref().is_none_or(|id| catalogue.number(id).is_some()) {
        let set = Set { rule: &rule, catalogue: &catalogue, id: id.as_ref(), foreign, size: told.count };
        remarks.extend(nearly_the_same(ground, &set)?);
    }
    let over = ground.over(since);
    let share = told.share(over.profiles);
    Ok(Answer { id, told, share, by_id_type, seen, breakdown, lint: remarks, over })
}

/// The places of some traits in the columns; `None` for one that is declared and that this generation has no column of.
fn traits(ground: &Ground<'_>, by: &[String]) -> Result<Vec<Option<usize>>, Wrong> {
    let declarations = &ground.loaded.declarations;
    let mut faults = Vec::new();
    if by.len() > MOST_TRAITS {
        let detail = format!("`by` names {} traits; at most {MOST_TRAITS} are counted at once", by.len());
        faults.push(fault("too-many", "/by", detail, "ask again for the others"));
    }
    for (at, name) in by.iter().enumerate() {
        let field = format!("/by/{at}");
        match declarations.find_trait(name) {
            None => {
                let near = nearest(name, declarations.traits.iter().map(|it| it.name.as_str()));
                let help = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
                faults.push(fault("unknown-trait", field, format!("there is no trait `{name}`"), help));
            }
            Some((_, decl)) if !decl.uses.contains(&Use::Insights) => {
                let detail = format!("`{name}` may not be used for insights");
                faults.push(fault("use-not-permitted", field, detail, "its `uses` are declared in the configuration"));
            }
            Some(_) => {}
        }
    }
    if !faults.is_empty() {
        return Err(Wrong::Asked(faults));
    }
    Ok(by.iter().map(|name| ground.view.columns().find_trait(name)).collect())
}

/// Of all, and within masks.
fn count(
    ground: &Ground<'_>,
    rule: &Expr,
    catalogue: &Catalogue,
    masks: &[&[u64]],
    teller: &Teller<'_>,
) -> Result<(Told, Vec<Told>), Wrong> {
    if !teller.is_guarded() {
        let counted = ground.plan(&[rule], catalogue).survey(masks, ground.watch).ok_or(Wrong::BrokenOff)?;
        let first = counted.first();
        let within = first.map(|counted| counted.within.iter().copied().map(Told::exactly).collect());
        return Ok((Told::exactly(first.map_or(0, |counted| counted.total)), within.unwrap_or_default()));
    }
    let set = ground.members(&[rule], catalogue)?.pop().unwrap_or_default();
    let within = masks.iter().map(|mask| teller.tell(&(&set & bitmap(mask))));
    Ok((teller.tell(&set), within.collect()))
}

/// A mask as a set.
pub(super) fn bitmap(mask: &[u64]) -> RoaringBitmap {
    RoaringBitmap::from_lsb0_bytes(0, mask.as_bytes())
}

type Parts = (Vec<(String, Told)>, usize);

fn exact(ground: &Ground<'_>, rule: &Expr, catalogue: &Catalogue, column: usize) -> Result<Parts, Wrong> {
    let plan = ground.plan(&[rule], catalogue);
    let parts = plan.breakdown(0, column, ground.watch).ok_or(Wrong::BrokenOff)?;
    let (parts, left_out) = most(parts, MOST_VALUES);
    Ok((parts.into_iter().map(|(value, count)| (value.to_string(), Told::exactly(count))).collect(), left_out))
}

/// The parts are everybody's, not those of the set: which values it has at all is a count too.
fn protected(
    ground: &Ground<'_>,
    rule: &Expr,
    catalogue: &Catalogue,
    column: usize,
    teller: &Teller<'_>,
) -> Result<Parts, Wrong> {
    let (name, _) = &ground.view.columns().traits()[column];
    let kind = ground.loaded.declarations.find_trait(name).map(|(_, decl)| decl.kind);
    let all = ground.plan(&[&Expr::Everyone], catalogue);
    let parts = all.breakdown(0, column, ground.watch).ok_or(Wrong::BrokenOff)?;
    let (parts, left_out) = most(parts, MOST_PROTECTED);
    let rules: Vec<Expr> =
        parts.iter().map(|(value, _)| Expr::And(vec![rule.clone(), having(name, kind, value)])).collect();
    let sets = ground.members(&rules.iter().collect::<Vec<_>>(), catalogue)?;
    let told = parts.iter().zip(sets).map(|((value, _), set)| (value.to_string(), teller.tell(&set)));
    Ok((told.collect(), left_out))
}

/// The largest parts, in their order; how many others there are.
fn most(mut parts: Vec<(Value, u64)>, most: usize) -> (Vec<(Value, u64)>, usize) {
    let by_size = parts.iter().all(|(value, _)| matches!(value, Value::Text(_) | Value::Unknown));
    if by_size {
        parts.sort_by_key(|(value, count)| (*value == Value::Unknown, std::cmp::Reverse(*count)));
    }
    let left_out = parts.len().saturating_sub(most);
    if left_out > 0 {
        let unknown = parts.pop_if(|(value, _)| *value == Value::Unknown);
        parts.truncate(most - usize::from(unknown.is_some()));
        parts.extend(unknown);
    }
    (parts, left_out)
}

/// The rule that holds for whoever has a value.
pub(super) fn having(name: &str, kind: Option<TraitKind>, value: &Value) -> Expr {
    let test = |test: Test| Expr::Trait(TraitTest { name: name.to_owned(), test });
    let compare = |how: Compare, literal: Literal| test(Test::Compare(how, literal));
    let both = |from: Option<Literal>, below: Option<Literal>| {
        let from = from.map(|from| compare(Compare::Ge, from));
        let mut tests: Vec<Expr> = from.into_iter().chain(below.map(|below| compare(Compare::Lt, below))).collect();
        match tests.len() {
            0 => test(Test::IsKnown),
            1 => tests.remove(0),
            _ => Expr::And(tests),
        }
    };
    match value {
        Value::Unknown => Expr::Not(Box::new(test(Test::IsKnown))),
        Value::Flag(value) => compare(Compare::Eq, Literal::Flag(*value)),
        Value::Text(text) if kind == Some(TraitKind::Tags) => test(Test::HasAny(vec![text.clone()])),
        Value::Text(text) => compare(Compare::Eq, Literal::Text(text.clone())),
        Value::Numbers(from, below) => both(from.map(Literal::Number), below.map(Literal::Number)),
        Value::Days(from, before) => {
            both(from.map(|day| Literal::Date(Date(day))), before.map(|day| Literal::Date(Date(day))))
        }
    }
}

impl Ground<'_> {
    /// Rules bound to the generation, at its minute.
    pub(super) fn plan(&self, rules: &[&Expr], catalogue: &Catalogue) -> Plan<'_> {
        Plan::of_rules(rules, catalogue, self.view.columns(), self.view.as_of(), self.view.zone())
    }

    /// By rule, whom it holds for.
    ///
    /// # Errors
    /// Nobody waits any more.
    pub(super) fn members(&self, rules: &[&Expr], catalogue: &Catalogue) -> Result<Vec<RoaringBitmap>, Wrong> {
        self.plan(rules, catalogue).members(self.watch).ok_or(Wrong::BrokenOff)
    }
}
