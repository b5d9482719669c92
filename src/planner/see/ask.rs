//! What a question names: a rule, an audience or a definition -> a rule over a catalogue, as far as the asker may name what is in
//! it. What belongs to another owner and is not shared is spoken of exactly as what does not exist.

use super::remark::{Remark, fault};
use super::{Ground, Wrong};
use crate::access::Who;
use crate::audiences::definitions::{Defines, check_over};
use crate::audiences::diagnostic::nearest;
use crate::audiences::parse::Parsed;
use crate::audiences::rule::leaves;
use crate::audiences::typecheck::{Scope, typecheck};
use crate::audiences::{Audience, AudienceKind, Campaign, Catalogue, Diagnostic, Expr, lint, order, parse};
use crate::planner::reply::Fault;
use crate::schema::AudienceId;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use utoipa::ToSchema;

/// A set of people, by one of three names.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = NamedSet)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// A rule as planners write it.
    #[schema(example = "age >= 18 and region = Lombardia")]
    pub rule: Option<String>,
    /// A published audience: `owner/id`, or `id` of the asker's own.
    #[schema(example = "acme/vip")]
    pub audience: Option<String>,
    /// The definition of an audience or a campaign, published or not: an object, or a text in YAML.
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Box<RawValue>>,
    /// Whose audiences a rule means by names without an owner; default: the asker's.
    pub owner: Option<String>,
}

/// What a question is about.
#[derive(Debug)]
pub struct Meant<'v> {
    /// The people.
    pub rule: Expr,
    /// What its references mean.
    pub catalogue: Cow<'v, Catalogue>,
    /// The audience or campaign, if it has a name.
    pub id: Option<AudienceId>,
    /// Whether it rests on another owner's audience.
    pub foreign: bool,
    /// What is legal and probably not meant.
    pub remarks: Vec<Remark>,
}

/// Whether somebody may name an audience in rules and questions.
pub fn may_name(who: &Who, audience: &Audience) -> bool {
    who.sees(audience.id.owner()) || who.owner.as_deref().is_some_and(|own| audience.share.permits(own))
}

/// A catalogue as far as somebody may know it.
pub fn known_to<'c>(who: &Who, catalogue: &'c Catalogue) -> Cow<'c, Catalogue> {
    if who.owner.is_none() {
        return Cow::Borrowed(catalogue);
    }
    Cow::Owned(Catalogue {
        audiences: catalogue.audiences.iter().filter(|audience| may_name(who, audience)).cloned().collect(),
        campaigns: catalogue.campaigns.iter().filter(|campaign| who.sees(campaign.id.owner())).cloned().collect(),
        groups: catalogue.groups.iter().filter(|group| who.sees(group.id.owner())).cloned().collect(),
        pressure: catalogue.pressure.iter().filter(|pressure| who.sees(&pressure.owner)).cloned().collect(),
    })
}

/// Whether a rule rests, directly or through others, on an audience of another owner than who asks.
pub fn is_foreign(who: &Who, catalogue: &Catalogue, rule: &Expr) -> bool {
    let (mut pending, mut met) = (vec![rule], BTreeSet::new());
    while let Some(rule) = pending.pop() {
        for id in leaves(rule).audiences {
            if !who.sees(id.owner()) {
                return true;
            }
            if met.insert(id)
                && let Some(number) = catalogue.number(id)
            {
                pending.extend(catalogue.audiences[number as usize].rule.as_ref().map(|rule| &rule.0));
            }
        }
    }
    false
}

/// Whom a campaign may speak to by its audiences: in any of its includes, in none of its excludes.
pub fn rule_of(campaign: &Campaign) -> Expr {
    let any = |ids: Vec<Expr>, none: Expr| match ids.len() {
        0 => none,
        1 => ids.into_iter().next().unwrap_or(none),
        _ => Expr::Or(ids),
    };
    let include = any(campaign.include.iter().cloned().map(Expr::InAudience).collect(), Expr::Everyone);
    let excludes: Vec<Expr> = campaign.exclude.iter().map(|it| Expr::InAudience(it.audience.clone())).collect();
    if excludes.is_empty() {
        return include;
    }
    Expr::And(vec![include, Expr::Not(Box::new(any(excludes, Expr::Everyone)))])
}

impl<'a> Ground<'a> {
    /// What a set is. `at` is the JSON pointer of where it is named.
    ///
    /// # Errors
    /// None or several names, everything that is wrong with a rule or definition, an audience that does not exist.
    pub fn meant(&self, named: &Named, at: &str) -> Result<Meant<'a>, Wrong> {
        match (&named.rule, &named.audience, &named.definition) {
            (Some(rule), None, None) => self.rule(rule, named.owner.as_deref(), at),
            (None, Some(id), None) => self.audience(id, named.owner.as_deref(), at),
            (None, None, Some(definition)) => self.definition(definition, at),
            (None, None, None) => Err(Wrong::Asked(vec![fault(
                "missing-key",
                at,
                "one of `rule`, `audience` and `definition` is expected",
                "such as {\"rule\":\"age >= 18\"}",
            )])),
            _ => {
                let detail = "only one of `rule`, `audience` and `definition` can be asked about at once";
                Err(Wrong::Asked(vec![fault("too-many-keys", at, detail, "leave the others out")]))
            }
        }
    }

    /// Whose a name without an owner is.
    pub(super) fn owner(&self, asked: Option<&str>) -> String {
        let audiences = &self.view.catalogue().audiences;
        let first = audiences.first().map(|audience| audience.id.owner());
        let only = first.filter(|owner| audiences.iter().all(|audience| audience.id.owner() == *owner));
        asked.or(self.who.owner.as_deref()).or(only).unwrap_or_default().to_owned()
    }

    fn rule(&self, text: &str, owner: Option<&str>, at: &str) -> Result<Meant<'a>, Wrong> {
        let catalogue = self.view.catalogue();
        let (rule, remarks) = self.read_rule(text, owner);
        let (errors, remarks): (Vec<Remark>, Vec<Remark>) = remarks.into_iter().partition(Remark::is_error);
        match rule {
            Some(rule) if errors.is_empty() => {
                let foreign = is_foreign(self.who, catalogue, &rule);
                Ok(Meant { rule, catalogue: Cow::Borrowed(catalogue), id: None, foreign, remarks })
            }
            _ => Err(Wrong::Asked(errors.into_iter().map(|error| error.fault(&format!("{at}/rule"))).collect())),
        }
    }

    /// A rule as far as it can be read, and everything that is to be said of it.
    pub fn read_rule(&self, text: &str, owner: Option<&str>) -> (Option<Expr>, Vec<Remark>) {
        let (parsed, found, _) = self.look(text, &self.owner(owner));
        (parsed.map(|parsed| parsed.expr), found.iter().map(|found| Remark::of(text, found)).collect())
    }

    /// A rule as far as it can be read, everything that is to be said of it in the order of the text, and whether the whole of it
    /// could be read.
    pub fn look(&self, text: &str, owner: &str) -> (Option<Parsed>, Vec<Diagnostic>, bool) {
        let (parsed, mut found) = parse::parse_what_can_be(text, owner);
        let whole = found.is_empty();
        if let Some(parsed) = &parsed {
            found.extend(self.misnamed(parsed));
            if found.is_empty() {
                found.extend(lint::lint(parsed, AudienceKind::Target, &self.loaded.declarations));
            }
        }
        found.sort_by_key(|diagnostic| diagnostic.span.start);
        (parsed, found, whole)
    }

    /// What is to be said of a rule that was read, in the order of its text.
    pub fn remarks(&self, parsed: &Parsed) -> Vec<Diagnostic> {
        let found = self.misnamed(parsed);
        if found.is_empty() { lint::lint(parsed, AudienceKind::Target, &self.loaded.declarations) } else { found }
    }

    /// What does not fit the vocabulary.
    fn misnamed(&self, parsed: &Parsed) -> Vec<Diagnostic> {
        let known: BTreeSet<AudienceId> = {
            let audiences = self.view.catalogue().audiences.iter();
            audiences.filter(|audience| may_name(self.who, audience)).map(|audience| audience.id.clone()).collect()
        };
        typecheck(parsed, Scope { declarations: &self.loaded.declarations, audiences: Some(&known) })
    }

    fn audience(&self, name: &str, owner: Option<&str>, at: &str) -> Result<Meant<'a>, Wrong> {
        let catalogue = self.view.catalogue();
        let id = AudienceId::resolve(name, &self.owner(owner));
        let number = catalogue.number(&id).filter(|at| may_name(self.who, &catalogue.audiences[*at as usize]));
        if number.is_none() {
            return Err(self.absent("audience", &id, at));
        }
        let rule = Expr::InAudience(id.clone());
        let foreign = is_foreign(self.who, catalogue, &rule);
        Ok(Meant { rule, catalogue: Cow::Borrowed(catalogue), id: Some(id), foreign, remarks: Vec::new() })
    }

    /// A name that nothing has that the asker may see.
    pub fn absent(&self, what: &str, id: &AudienceId, at: &str) -> Wrong {
        let catalogue = known_to(self.who, self.view.catalogue());
        let known: Vec<&str> = match what {
            "campaign" => catalogue.campaigns.iter().map(|campaign| campaign.id.as_str()).collect(),
            _ => catalogue.audiences.iter().map(|audience| audience.id.as_str()).collect(),
        };
        let same = known.iter().find(|known| known.split_once('/').is_some_and(|(_, name)| name == id.id())).copied();
        let near = same.or_else(|| nearest(id.as_str(), known.iter().copied()));
        let help = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        let place = if at.is_empty() { String::new() } else { format!(" (at {at})") };
        Wrong::Absent(format!("there is no {what} `{id}` in the generation in service{place}"), help)
    }

    fn definition(&self, definition: &RawValue, at: &str) -> Result<Meant<'a>, Wrong> {
        let field = format!("{at}/definition");
        let (catalogue, changed, remarks) = self.defined(definition, &field)?;
        let one = |detail: &str| {
            let help = "ask /api/v1/preview about several at once";
            Wrong::Asked(vec![fault("wrong-shape", field.clone(), detail, help)])
        };
        let (rule, id) = match (changed.audiences.as_slice(), changed.campaigns.as_slice()) {
            ([id], []) => (Expr::InAudience(id.clone()), id.clone()),
            ([], [id]) => {
                let number = catalogue.campaign(id).ok_or_else(|| one("a campaign is expected"))?;
                (rule_of(&catalogue.campaigns[number as usize]), id.clone())
            }
            _ => return Err(one("the definition of one audience or one campaign is expected")),
        };
        let foreign = is_foreign(self.who, &catalogue, &rule);
        Ok(Meant { rule, catalogue: Cow::Owned(catalogue), id: Some(id), foreign, remarks })
    }

    /// The generation's catalogue with the changes that definitions make, what they change, and what is to be said of them.
    ///
    /// # Errors
    /// Everything that is wrong with them; ids of another owner.
    pub fn defined(&self, definitions: &RawValue, field: &str) -> Result<(Catalogue, Defines, Vec<Remark>), Wrong> {
        let text = Text::of(definitions, field)?;
        let (checked, changed, mut remarks) = self.check(&text);
        let mut faults: Vec<Fault> =
            remarks.iter().filter(|it| it.is_error()).map(|error| error.clone().fault(field)).collect();
        remarks.retain(|remark| !remark.is_error());
        if let (Some(after), true) = (checked, faults.is_empty()) {
            let all = changed.audiences.iter().chain(&changed.campaigns);
            let strange: Vec<&AudienceId> = all.filter(|id| !self.who.sees(id.owner())).collect();
            if strange.is_empty() {
                let merged = merge(self.view.catalogue(), &after, &changed);
                if order::cycle(&merged).is_none() {
                    return Ok((merged, changed, remarks));
                }
                faults.push(fault("reference-cycle", field, "audiences refer to each other in a circle", ""));
            }
            faults.extend(strange.into_iter().map(|id| {
                let detail = format!("`{id}` is not the asker's: the key is for another owner");
                fault("not-yours", field, detail, "define it under your own owner")
            }));
        }
        Err(Wrong::Asked(faults))
    }

    /// What a text makes of the catalogue as far as the asker may know it, and what is to be said of it.
    pub fn check(&self, text: &Text) -> (Option<Catalogue>, Defines, Vec<Remark>) {
        let known = known_to(self.who, self.view.catalogue());
        let file = (Path::new("definition"), text.whole.as_str());
        let (checked, defines) = check_over(file, &known, &self.loaded.declarations, self.view.zone());
        let remarks = checked.findings.iter().map(|finding| text.place(Remark::of_definition(finding))).collect();
        (checked.catalogue, defines, remarks)
    }
}

/// The whole catalogue with what is changed in the part of it that the asker knows.
fn merge(whole: &Catalogue, part: &Catalogue, changed: &Defines) -> Catalogue {
    let mut merged = whole.clone();
    for id in &changed.audiences {
        let Some(number) = part.number(id) else { continue };
        let audience = part.audiences[number as usize].clone();
        match merged.audiences.binary_search_by(|other| other.id.cmp(id)) {
            Ok(at) => merged.audiences[at] = audience,
            Err(at) => merged.audiences.insert(at, audience),
        }
    }
    for id in &changed.campaigns {
        let Some(number) = part.campaign(id) else { continue };
        let campaign = part.campaigns[number as usize].clone();
        match merged.campaigns.binary_search_by(|other| other.id.cmp(id)) {
            Ok(at) => merged.campaigns[at] = campaign,
            Err(at) => merged.campaigns.insert(at, campaign),
        }
    }
    for group in &part.groups {
        match merged.groups.binary_search_by(|other| other.id.cmp(&group.id)) {
            Ok(at) => merged.groups[at] = group.clone(),
            Err(at) => merged.groups.insert(at, group.clone()),
        }
    }
    merged
}

/// Definitions as a definition file has them, and how its places are those of what was sent.
#[derive(Debug)]
pub struct Text {
    whole: String,
    /// Lines above, and characters to the left, of what was sent.
    moved: (usize, usize),
}

/// The keys of a definition file.
const OF_FILE: [&str; 4] = ["audiences", "campaigns", "groups", "pressure"];
/// Keys that only a campaign has.
const OF_CAMPAIGN: [&str; 8] = ["status", "flight", "deals", "include", "exclude", "caps", "refs", "no_profile"];

impl Text {
    /// Reads a definition, or several: an object, or a text in YAML.
    ///
    /// # Errors
    /// Something else.
    pub fn of(definitions: &RawValue, field: &str) -> Result<Text, Wrong> {
        let raw = definitions.get();
        let text = match serde_json::from_str::<serde_json::Value>(raw) {
            Ok(serde_json::Value::String(text)) => text,
            Ok(serde_json::Value::Object(_)) => raw.to_owned(),
            _ => {
                let detail = "a definition is an object, or a text in YAML";
                return Err(Wrong::Asked(vec![fault("wrong-shape", field, detail, "")]));
            }
        };
        Ok(Text::yaml(text))
    }

    /// Of a text in YAML.
    pub fn yaml(text: String) -> Text {
        let keys: Vec<String> = match serde_saphyr::from_str::<serde_json::Value>(&text) {
            Ok(serde_json::Value::Object(map)) => map.into_iter().map(|(key, _)| key).collect(),
            _ => Vec::new(),
        };
        let has = |any: &[&str]| keys.iter().any(|key| any.contains(&key.as_str()));
        if keys.is_empty() || has(&OF_FILE) {
            return Text { whole: text, moved: (0, 0) };
        }
        let kind = if has(&OF_CAMPAIGN) { "campaigns" } else { "audiences" };
        let lines: Vec<String> =
            text.lines().enumerate().map(|(at, line)| format!("{}{line}", if at == 0 { "- " } else { "  " })).collect();
        Text { whole: format!("{kind}:\n{}\n", lines.join("\n")), moved: (1, 2) }
    }

    fn place(&self, mut remark: Remark) -> Remark {
        remark.line = remark.line.saturating_sub(self.moved.0).max(1);
        remark.column = remark.column.saturating_sub(self.moved.1).max(1);
        remark
    }
}
