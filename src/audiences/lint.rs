//! What is legal and probably not meant. (Overlap beyond 95 % needs the audiences' sizes, which no definition holds: it
//! is asked of a snapshot.)

mod logic;

use super::diagnostic::nearest;
use super::parse::{NodeSpans, Parsed, TestSpans};
use super::rule::{Compare, Count, EventTest, Expr, Literal, Test, When};
use super::typecheck::visit;
use super::{AudienceKind, Diagnostic};
use crate::schema::{Declarations, Span};

/// Warnings about a rule that passed the type check.
pub fn lint(parsed: &Parsed, kind: AudienceKind, declarations: &Declarations) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(parsed, &mut |expr, spans| match expr {
        Expr::Trait(test) => lint_trait(&test.name, &test.test, spans, declarations, &mut found),
        Expr::Event(test) => lint_event(test, spans, declarations, &mut found),
        _ => {}
    });
    logic::lint(parsed, &mut found);
    exclusion_only(parsed, kind, &mut found);
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}

fn lint_trait(name: &str, test: &Test, spans: &NodeSpans, declarations: &Declarations, found: &mut Vec<Diagnostic>) {
    let Some((_, decl)) = declarations.find_trait(name) else { return };
    if decl.sensitive {
        let message = format!("`{name}` is declared sensitive");
        let help = "make sure that its legal basis covers this audience";
        found.push(Diagnostic::warning("sensitive-trait", spans.name.clone(), message).help(help));
    }
    lint_values(name, &decl.values, test, &spans.tests[0], found);
    if let Test::Compare(Compare::Ne, value) = test {
        let message = format!("`!=` is false where `{name}` is unknown");
        let help = format!("to include the unknown ones write `not {name} = {value}`");
        found.push(Diagnostic::warning("not-equal-unknown", spans.tests[0].test.clone(), message).help(help));
    }
}

/// Values that do not occur among the declared ones.
fn lint_values(name: &str, known: &[String], test: &Test, spans: &TestSpans, found: &mut Vec<Diagnostic>) {
    if known.is_empty() {
        return;
    }
    let written: Vec<&str> = match test {
        Test::Compare(_, Literal::Text(value)) => vec![value],
        Test::In(values) => {
            values.iter().filter_map(|v| if let Literal::Text(v) = v { Some(v.as_str()) } else { None }).collect()
        }
        Test::HasAny(values) | Test::HasAll(values) => values.iter().map(String::as_str).collect(),
        _ => return,
    };
    for (value, span) in written.into_iter().zip(&spans.values) {
        if known.binary_search_by(|each| each.as_str().cmp(value)).is_ok() {
            continue;
        }
        let message = format!("`{value}` is not one of the declared values of `{name}`");
        let help = match nearest(value, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("declared: {}", known.iter().take(12).map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", "))
            }
        };
        found.push(Diagnostic::warning("unknown-value", span.clone(), message).help(help));
    }
}

fn lint_event(test: &EventTest, spans: &NodeSpans, declarations: &Declarations, found: &mut Vec<Diagnostic>) {
    let Some((_, decl)) = declarations.find_event(&test.name) else { return };
    for ((property, test), spans) in test.filter.iter().zip(&spans.tests) {
        let Some((_, prop)) = decl.find_property(property) else { continue };
        lint_values(property, &prop.values, test, spans, found);
        if matches!(test, Test::Compare(Compare::Ne, _)) {
            let message = format!("`!=` passes no event whose `{property}` is unknown");
            let warning = Diagnostic::warning("not-equal-unknown", spans.test.clone(), message);
            found.push(warning.help("list the wanted values with `in (...)` if you can"));
        }
    }
    let name = &test.name;
    if let Count::AtMost(_) | Count::Between(0, _) = test.count {
        let message = format!("this includes everybody who never did `{name}`");
        let help = match test.count {
            Count::AtMost(1) | Count::Between(_, 1) => "to leave them out write `once`".to_owned(),
            Count::AtMost(n) | Count::Between(_, n) => format!("to leave them out write `between 1 and {n} times`"),
            _ => String::new(),
        };
        found.push(Diagnostic::warning("includes-never", spans.count.clone(), message).help(help));
    }
    if let (Some(days), Some(window)) = (decl.retention_days, reach(&test.when))
        && window.0 > i64::from(days) * 86_400
    {
        let message = format!("`{name}` is kept for {days} days: this window of {window} is longer");
        let help = "shorten the window, or raise `retention_days` of the source if the law permits";
        found.push(Diagnostic::warning("beyond-retention", spans.when.clone(), message).help(help));
    }
}

/// How far back a window must see.
fn reach(when: &When) -> Option<Span> {
    match when {
        When::Within(span) | When::BeforeAgo(span) | When::BetweenAgo(_, span) => Some(*span),
        _ => None,
    }
}

/// A rule that holds for people of whom nothing is known, without saying `everyone`.
fn exclusion_only(parsed: &Parsed, kind: AudienceKind, found: &mut Vec<Diagnostic>) {
    let mut everyone = false;
    visit(parsed, &mut |expr, _| everyone |= matches!(expr, Expr::Everyone));
    // About a lone `at most` it was said already that it includes everybody who never did.
    let said = matches!(&parsed.expr, Expr::Event(test) if test.count != Count::Never);
    if everyone || said || !holds_for_nobody_known(&parsed.expr) {
        return;
    }
    let whole = parsed.spans.last().map(|spans| spans.whole.clone()).unwrap_or_default();
    let doing = if kind == AudienceKind::Target { "speaks to" } else { "leaves alone" };
    let message = format!("this rule only excludes: it {doing} everybody of whom nothing is known");
    let help = "say whom it is for (`age is known and ...`), or `everyone and ...` if that is meant";
    found.push(Diagnostic::warning("exclusion-only", whole, message).help(help));
}

/// The rule's answer for an empty profile.
fn holds_for_nobody_known(expr: &Expr) -> bool {
    match expr {
        Expr::Everyone => true,
        Expr::And(parts) => parts.iter().all(holds_for_nobody_known),
        Expr::Or(parts) => parts.iter().any(holds_for_nobody_known),
        Expr::Not(inner) => !holds_for_nobody_known(inner),
        Expr::AtLeast(n, parts) => parts.iter().filter(|part| holds_for_nobody_known(part)).count() >= *n as usize,
        // A sample is taken of everybody on purpose.
        Expr::Sample(..) | Expr::InAudience(_) | Expr::Trait(_) => false,
        Expr::Event(test) => matches!(test.count, Count::Never | Count::AtMost(_) | Count::Between(0, _)),
    }
}
