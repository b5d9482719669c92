//! A tree against the declarations: do the names exist, and may these tests be asked of these kinds?

use super::Diagnostic;
use super::parse::{NodeSpans, Parsed, TestSpans};
use super::rule::{Compare, Count, EventTest, Expr, Literal, Test};
use crate::schema::{AudienceId, Declarations, EventDecl, PropKind, TraitKind};
use std::collections::BTreeSet;

/// What a rule may speak of.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Traits and events.
    pub declarations: &'a Declarations,
    /// The audiences that exist; `None` = references are not checked.
    pub audiences: Option<&'a BTreeSet<AudienceId>>,
}

/// Everything in a tree that does not fit the declarations.
pub fn typecheck(parsed: &Parsed, scope: Scope) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(parsed, &mut |expr, spans| check(expr, spans, scope, &mut found));
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}

/// Calls `visitor` with every node of a tree and its spans, children before their parent.
pub fn visit<'a>(parsed: &'a Parsed, visitor: &mut impl FnMut(&'a Expr, &'a NodeSpans)) {
    visit_node(&parsed.expr, &mut parsed.spans.iter(), visitor);
}

fn visit_node<'a>(
    expr: &'a Expr,
    spans: &mut std::slice::Iter<'a, NodeSpans>,
    visitor: &mut impl FnMut(&'a Expr, &'a NodeSpans),
) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) | Expr::AtLeast(_, parts) => {
            parts.iter().for_each(|part| visit_node(part, spans, visitor));
        }
        Expr::Not(inner) => visit_node(inner, spans, visitor),
        _ => {}
    }
    if let Some(spans) = spans.next() {
        visitor(expr, spans);
    }
}

fn check(expr: &Expr, spans: &NodeSpans, scope: Scope, found: &mut Vec<Diagnostic>) {
    match expr {
        Expr::Trait(test) => {
            let Some((_, decl)) = scope.declarations.find_trait(&test.name) else {
                found.push(unknown_trait(&test.name, spans, scope.declarations));
                return;
            };
            check_test(&test.name, Kind::of_trait(decl.kind), &test.test, &spans.tests[0], found);
        }
        Expr::Event(test) => {
            let Some((_, decl)) = scope.declarations.find_event(&test.name) else {
                found.push(unknown_event(&test.name, spans, scope.declarations));
                return;
            };
            check_event(test, decl, spans, scope.declarations, found);
        }
        Expr::InAudience(id) if scope.audiences.is_some_and(|known| !known.contains(id)) => {
            found.push(unknown_audience(id, spans.name.clone(), scope.audiences.into_iter().flatten()));
        }
        _ => {}
    }
}

fn unknown_trait(name: &str, spans: &NodeSpans, declarations: &Declarations) -> Diagnostic {
    let error = Diagnostic::error("unknown-trait", spans.name.clone(), format!("there is no trait `{name}`"));
    if declarations.find_event(name).is_some() {
        return error.help(format!("`{name}` is an event: write `did {name}`"));
    }
    if let Some(event) = declarations.events.iter().find(|event| event.find_property(name).is_some()) {
        let event = &event.name;
        let help = format!("`{name}` is a property of the event `{event}`: write `did {event} where {name} ...`");
        return error.help(help).help("behind `where`, `and` goes on with the properties; for `or` use `in (...)`");
    }
    let known = declarations.traits.iter().map(|decl| decl.name.as_str());
    let error = error.nearest(name, known);
    if error.help.is_empty() {
        error.help(listing("declared traits", declarations.traits.iter().map(|t| &t.name)))
    } else {
        error
    }
}

fn unknown_event(name: &str, spans: &NodeSpans, declarations: &Declarations) -> Diagnostic {
    let error = Diagnostic::error("unknown-event", spans.name.clone(), format!("there is no event `{name}`"));
    if declarations.find_trait(name).is_some() {
        return error.help(format!("`{name}` is a trait: it is tested without `did`"));
    }
    let error = error.nearest(name, declarations.events.iter().map(|decl| decl.name.as_str()));
    if error.help.is_empty() {
        error.help(listing("declared events", declarations.events.iter().map(|e| &e.name)))
    } else {
        error
    }
}

/// The error for a reference to an audience that does not exist.
pub(super) fn unknown_audience<'a>(
    id: &AudienceId,
    span: std::ops::Range<usize>,
    known: impl Iterator<Item = &'a AudienceId> + Clone,
) -> Diagnostic {
    let error = Diagnostic::error("unknown-audience", span, format!("there is no audience `{id}`"));
    if let Some(other) = known.clone().find(|other| other.id() == id.id()) {
        return error.help(format!("there is `{other}`: write the owner too"));
    }
    error.nearest(id.as_str(), known.map(AudienceId::as_str))
}

/// The first few names there are.
fn listing<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&String> = names.collect();
    let shown = names.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => format!("{what}: none; sources declare them in the configuration"),
        n if n > 12 => format!("{what}: {shown} and {} more", n - 12),
        _ => format!("{what}: {shown}"),
    }
}

fn check_event(
    test: &EventTest,
    decl: &EventDecl,
    spans: &NodeSpans,
    declarations: &Declarations,
    found: &mut Vec<Diagnostic>,
) {
    for ((property, test), spans) in test.filter.iter().zip(&spans.tests) {
        match decl.find_property(property) {
            Some((_, prop)) => check_test(property, Kind::of_property(prop.kind), test, spans, found),
            None => found.push(unknown_property(property, spans.name.clone(), decl, declarations)),
        }
    }
    match &test.count {
        Count::Aggregate(_, property, ..) => match decl.find_property(property) {
            Some((_, prop)) if prop.kind != PropKind::Number => {
                let message =
                    format!("`{property}` is {}; only numbers are summed up", Kind::of_property(prop.kind).article());
                let help = format!("to count its values: `with at least 2 different {property}`");
                found.push(Diagnostic::error("wrong-kind", spans.property.clone(), message).help(help));
            }
            Some(_) => {}
            None => found.push(unknown_property(property, spans.property.clone(), decl, declarations)),
        },
        Count::Distinct(_, property) if decl.find_property(property).is_none() => {
            found.push(unknown_property(property, spans.property.clone(), decl, declarations));
        }
        _ => {}
    }
}

fn unknown_property(
    name: &str,
    span: std::ops::Range<usize>,
    decl: &EventDecl,
    declarations: &Declarations,
) -> Diagnostic {
    let event = &decl.name;
    let error = Diagnostic::error("unknown-property", span, format!("the event `{event}` has no property `{name}`"));
    if declarations.find_trait(name).is_some() {
        let help = format!(
            "`{name}` is a trait: end the `where` before it, with parentheses: `(did {event} where ...) and {name} ...`"
        );
        return error.help(help);
    }
    let error = error.nearest(name, decl.properties.iter().map(|prop| prop.name.as_str()));
    if error.help.is_empty() {
        error.help(listing("its properties", decl.properties.iter().map(|p| &p.name)))
    } else {
        error
    }
}

/// What a value can be: traits and properties alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flag,
    Category,
    Tags,
    Number,
    Date,
}

impl Kind {
    fn of_trait(kind: TraitKind) -> Kind {
        match kind {
            TraitKind::Flag => Kind::Flag,
            TraitKind::Category => Kind::Category,
            TraitKind::Tags => Kind::Tags,
            TraitKind::Number => Kind::Number,
            TraitKind::Date => Kind::Date,
        }
    }

    fn of_property(kind: PropKind) -> Kind {
        match kind {
            PropKind::Flag => Kind::Flag,
            PropKind::Category => Kind::Category,
            PropKind::Number => Kind::Number,
        }
    }

    fn article(self) -> &'static str {
        match self {
            Kind::Flag => "a flag",
            Kind::Category => "a category",
            Kind::Tags => "a set of tags",
            Kind::Number => "a number",
            Kind::Date => "a date",
        }
    }

    /// The tests it admits, by example.
    fn tests(self, name: &str) -> String {
        match self {
            Kind::Flag => format!("ask `{name}`, `not {name}`, `{name} = false` or `{name} is known`"),
            Kind::Category => {
                format!(
                    "ask `{name} = text`, `!=`, `in (...)`, `contains`, `starts with`, `matches any of` or `is known`"
                )
            }
            Kind::Tags => {
                format!(
                    "ask `{name} has text`, `has any (...)`, `has all (...)`, `contains`, `starts with`, `matches any of` or `is known`"
                )
            }
            Kind::Number => {
                format!("ask `{name} = 5`, `!=`, `<`, `<=`, `>`, `>=`, `between 1 and 5`, `in (1, 2)` or `is known`")
            }
            Kind::Date => {
                format!(
                    "ask `{name} = 2026-11-30`, `<`, `<=`, `>`, `>=`, `between`, `within 30 days`, `before 1 day ago`, `since 2026-11-30` or `is known`"
                )
            }
        }
    }

    fn admits(self, test: &Test) -> bool {
        match test {
            Test::IsKnown => true,
            Test::IsTrue => self == Kind::Flag,
            Test::Compare(Compare::Eq | Compare::Ne, _) => self != Kind::Tags,
            Test::Compare(..) | Test::Between(..) => matches!(self, Kind::Number | Kind::Date),
            Test::In(_) => matches!(self, Kind::Number | Kind::Category),
            Test::HasAny(_) | Test::HasAll(_) => self == Kind::Tags,
            Test::Contains(_) | Test::StartsWith(_) | Test::MatchesAny(_) => {
                matches!(self, Kind::Category | Kind::Tags)
            }
            Test::Within(_) | Test::BeforeAgo(_) | Test::Since(_) => self == Kind::Date,
        }
    }
}

fn check_test(name: &str, kind: Kind, test: &Test, spans: &TestSpans, found: &mut Vec<Diagnostic>) {
    if !kind.admits(test) {
        let asked = if *test == Test::IsTrue { "a bare name".to_owned() } else { format!("`{}`", shorten(test)) };
        let message = format!("`{name}` is {}: {asked} cannot be asked of it", kind.article());
        found.push(Diagnostic::error("wrong-test", spans.test.clone(), message).help(kind.tests(name)));
        return;
    }
    let values: Vec<&Literal> = match test {
        Test::Compare(_, value) => vec![value],
        Test::Between(low, high) => vec![low, high],
        Test::In(values) => values.iter().collect(),
        _ => return,
    };
    let before = found.len();
    for (value, span) in values.iter().zip(&spans.values) {
        found.extend(check_value(name, kind, value, span.clone()));
    }
    if let (Test::Between(low, high), true) = (test, found.len() == before) {
        let empty = match (low, high) {
            (Literal::Number(low), Literal::Number(high)) => low > high,
            (Literal::Date(low), Literal::Date(high)) => low > high,
            _ => false,
        };
        if empty {
            let message = format!("nothing lies between {low} and {high}");
            found.push(
                Diagnostic::error("empty-range", spans.test.clone(), message).help("write the smaller one first"),
            );
        }
    }
}

/// The test's keyword and the beginning of its values.
fn shorten(test: &Test) -> String {
    let text = test.to_string();
    let text = text.trim();
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

fn check_value(name: &str, kind: Kind, value: &Literal, span: std::ops::Range<usize>) -> Option<Diagnostic> {
    let fits = match value {
        Literal::Flag(_) => kind == Kind::Flag,
        Literal::Number(_) => kind == Kind::Number,
        Literal::Text(_) => kind == Kind::Category,
        Literal::Date(_) => kind == Kind::Date,
    };
    if fits {
        return None;
    }
    let written = match value {
        Literal::Text(text) => format!("the text `{text}`"),
        Literal::Number(number) => format!("the number {number}"),
        Literal::Date(date) => format!("the date {date}"),
        Literal::Flag(flag) => format!("`{flag}`"),
    };
    let message = format!("`{name}` is {}; it cannot be compared with {written}", kind.article());
    let error = Diagnostic::error("wrong-value", span, message);
    Some(match (kind, value) {
        (Kind::Category, Literal::Flag(_) | Literal::Number(_) | Literal::Date(_)) => {
            error.help(format!("put it in quotes if it is one of the values of `{name}`: \"{value}\""))
        }
        (Kind::Number, Literal::Text(text)) if text.parse::<f64>().is_ok() => {
            error.help(format!("write {text} without quotes"))
        }
        (Kind::Number, _) => error.help("write a number such as 25 or -1.5"),
        (Kind::Date, _) => error.help("write a date such as 2026-11-30"),
        _ => error.help("write true or false"),
    })
}
