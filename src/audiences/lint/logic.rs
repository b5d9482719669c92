//! Conditions that can never hold together, and conditions of which one always holds.

use crate::audiences::Diagnostic;
use crate::audiences::parse::Parsed;
use crate::audiences::rule::{Compare, Count, EventTest, Expr, Literal, Pick, Test, When};
use crate::audiences::typecheck::visit;
use std::collections::{BTreeMap, BTreeSet};

/// Finds contradictions in every `and`, tautologies in every `or`, and single conditions that cannot hold.
pub(super) fn lint(parsed: &Parsed, found: &mut Vec<Diagnostic>) {
    visit(parsed, &mut |expr, spans| {
        let whole = || spans.whole.clone();
        match expr {
            Expr::And(parts) => {
                if let Some(why) = contradiction(parts) {
                    let warning =
                        Diagnostic::warning("contradiction", whole(), format!("this holds for nobody: {why}"));
                    found.push(warning.help("if one of them is enough, link them with `or`"));
                }
            }
            Expr::Or(parts) => {
                if let Some(why) = tautology(parts) {
                    let warning = Diagnostic::warning("tautology", whole(), format!("this holds for everybody: {why}"));
                    found.push(warning.help("write `everyone`, or link them with `and`"));
                }
            }
            Expr::Not(inner) if **inner == Expr::Everyone => {
                found.push(Diagnostic::warning("contradiction", whole(), "`not everyone` is nobody"));
            }
            Expr::Event(test) => found.extend(
                impossible_event(test)
                    .map(|why| Diagnostic::warning("contradiction", whole(), format!("this holds for nobody: {why}"))),
            ),
            _ => {}
        }
    });
}

fn impossible_event(test: &EventTest) -> Option<String> {
    if test.pick != Pick::All && range(&test.count).is_some_and(|(least, _)| least > 1) {
        let pick = if test.pick == Pick::First { "first" } else { "last" };
        return Some(format!("`{pick} did` looks at one event, which is at most once"));
    }
    clash(test.filter.iter().map(|(property, test)| (property.as_str(), test)))
}

fn contradiction(parts: &[Expr]) -> Option<String> {
    let parts = flat(parts, |expr| if let Expr::And(inner) = expr { Some(inner) } else { None });
    if let Some(pair) = opposites(&parts) {
        return Some(format!("`{}` and `{}` are opposites", pair.0, pair.1));
    }
    let traits =
        parts.iter().filter_map(|part| if let Expr::Trait(t) = part { Some((t.name.as_str(), &t.test)) } else { None });
    clash(traits).or_else(|| clash_of_counts(&parts))
}

fn tautology(parts: &[Expr]) -> Option<String> {
    let parts = flat(parts, |expr| if let Expr::Or(inner) = expr { Some(inner) } else { None });
    if parts.iter().any(|part| **part == Expr::Everyone) {
        return Some("`everyone` is one of the alternatives".to_owned());
    }
    opposites(&parts).map(|(a, b)| format!("`{a}` and `{b}` are opposites"))
}

/// The parts, with parts of the same sort taken apart.
fn flat<'a>(parts: &'a [Expr], inner: impl Fn(&'a Expr) -> Option<&'a Vec<Expr>> + Copy) -> Vec<&'a Expr> {
    parts.iter().flat_map(|part| inner(part).map_or_else(|| vec![part], |parts| flat(parts, inner))).collect()
}

fn opposites(parts: &[&Expr]) -> Option<(String, String)> {
    let mut seen = BTreeSet::new();
    for part in parts {
        let negated = negation(part).to_string();
        let part = part.to_string();
        if seen.contains(&negated) {
            return Some((negated, part));
        }
        seen.insert(part);
    }
    None
}

/// The opposite, in its simplest form.
fn negation(expr: &Expr) -> Expr {
    let counted = |test: &EventTest, count| Expr::Event(EventTest { count, ..test.clone() });
    match expr {
        Expr::Not(inner) => (**inner).clone(),
        Expr::Event(test) => match test.count {
            Count::Never => counted(test, Count::AtLeast(1)),
            Count::AtLeast(1) => counted(test, Count::Never),
            Count::AtLeast(n) => counted(test, Count::AtMost(n - 1)),
            Count::AtMost(n) => counted(test, Count::AtLeast(n.saturating_add(1))),
            _ => Expr::Not(Box::new(expr.clone())),
        },
        _ => Expr::Not(Box::new(expr.clone())),
    }
}

/// The numbers of events that a count admits.
fn range(count: &Count) -> Option<(u32, u32)> {
    Some(match *count {
        Count::Never => (0, 0),
        Count::AtLeast(n) | Count::Days(n) | Count::Distinct(n, _) => (n, u32::MAX),
        Count::AtMost(n) => (0, n),
        Count::Exactly(n) => (n, n),
        Count::Between(low, high) => (low, high),
        Count::Aggregate(..) => return None,
    })
}

/// Counts of the same events in the same window that exclude each other; `never` excludes every window.
fn clash_of_counts(parts: &[&Expr]) -> Option<String> {
    let mut windows: BTreeMap<String, (u32, u32, String)> = BTreeMap::new();
    let mut never: BTreeMap<String, String> = BTreeMap::new();
    let mut some: BTreeMap<String, String> = BTreeMap::new();
    for part in parts {
        let Expr::Event(test) = part else { continue };
        let Some((low, high)) = range(&test.count) else { continue };
        let text = part.to_string();
        let key = EventTest { count: Count::AtLeast(1), ..test.clone() }.to_string();
        let events =
            EventTest { count: Count::AtLeast(1), when: When::Ever, pick: Pick::All, ..test.clone() }.to_string();
        if test.when == When::Ever && high == 0 {
            never.insert(events, text.clone());
        } else if low > 0 {
            some.insert(events, text.clone());
        }
        let both = windows.entry(key).or_insert((low, high, text.clone()));
        (both.0, both.1) = (both.0.max(low), both.1.min(high));
        if both.0 > both.1 {
            return Some(format!("`{}` and `{text}` exclude each other", both.2));
        }
    }
    let (events, text) = never.iter().find(|(events, _)| some.contains_key(*events))?;
    Some(format!("`{text}` and `{}` exclude each other", some[events]))
}

/// Tests of one value that exclude each other.
fn clash<'a>(tests: impl Iterator<Item = (&'a str, &'a Test)>) -> Option<String> {
    let mut domains: BTreeMap<&str, Domain> = BTreeMap::new();
    for (name, test) in tests {
        let domain = domains.entry(name).or_default();
        domain.admit(test);
        domain.texts.push(format!("`{name}{test}`"));
        if domain.is_empty() {
            return Some(format!("{} exclude each other", domain.texts.join(" and ")));
        }
    }
    None
}

/// The values that a row of tests admits.
#[derive(Default)]
struct Domain {
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
    flag: [bool; 2],
    only: Option<BTreeSet<String>>,
    texts: Vec<String>,
}

impl Domain {
    fn admit(&mut self, test: &Test) {
        match test {
            Test::IsTrue => self.flag[1] = true,
            Test::Compare(compare, Literal::Flag(flag)) => {
                let asked = (*compare == Compare::Eq) == *flag;
                self.flag[usize::from(asked)] = true;
            }
            Test::Compare(Compare::Eq, Literal::Text(text)) => self.restrict(|each| each == text, [text]),
            Test::Compare(Compare::Ne, Literal::Text(text)) => {
                if let Some(only) = &mut self.only {
                    only.remove(text);
                }
            }
            Test::In(values) => {
                let texts: Vec<&String> =
                    values.iter().filter_map(|v| if let Literal::Text(v) = v { Some(v) } else { None }).collect();
                if texts.len() == values.len() {
                    let set: BTreeSet<&String> = texts.iter().copied().collect();
                    self.restrict(|each| set.contains(each), texts.iter().copied());
                }
            }
            Test::Compare(compare, value) => self.compare(*compare, value),
            Test::Between(low, high) => {
                self.compare(Compare::Ge, low);
                self.compare(Compare::Le, high);
            }
            Test::Since(date) => self.compare(Compare::Ge, &Literal::Date(*date)),
            _ => {}
        }
    }

    fn restrict<'a>(&mut self, keep: impl Fn(&String) -> bool, all: impl IntoIterator<Item = &'a String>) {
        match &mut self.only {
            Some(only) => only.retain(|each| keep(each)),
            None => self.only = Some(all.into_iter().cloned().collect()),
        }
    }

    fn compare(&mut self, compare: Compare, value: &Literal) {
        let value = match value {
            Literal::Number(number) => *number,
            Literal::Date(date) => f64::from(date.0),
            _ => return,
        };
        let (low, high) = match compare {
            Compare::Eq => (Some((value, true)), Some((value, true))),
            Compare::Ne => (None, None),
            Compare::Lt => (None, Some((value, false))),
            Compare::Le => (None, Some((value, true))),
            Compare::Gt => (Some((value, false)), None),
            Compare::Ge => (Some((value, true)), None),
        };
        let tighter = |a: (f64, bool), b: (f64, bool), above: bool| {
            if a.0 == b.0 {
                (a.0, a.1 && b.1)
            } else if (a.0 > b.0) == above {
                a
            } else {
                b
            }
        };
        self.low = self.low.map_or(low, |old| Some(low.map_or(old, |new| tighter(old, new, true))));
        self.high = self.high.map_or(high, |old| Some(high.map_or(old, |new| tighter(old, new, false))));
    }

    fn is_empty(&self) -> bool {
        let range = match (self.low, self.high) {
            (Some((low, low_in)), Some((high, high_in))) => low > high || (low == high && !(low_in && high_in)),
            _ => false,
        };
        range || self.flag == [true, true] || self.only.as_ref().is_some_and(BTreeSet::is_empty)
    }
}
