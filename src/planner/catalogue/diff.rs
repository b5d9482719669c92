//! What differs between two texts: line by line, and field by field.

use crate::audiences::definitions::canonical::fields;
use serde::Serialize;
use utoipa::ToSchema;

/// The most pairs of lines that are compared; beyond them everything between what is alike at both ends is one change.
const MOST_PAIRS: usize = 4_000_000;

/// A line of either text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Line {
    /// Where it stands.
    pub of: Side,
    /// Without its end.
    pub text: String,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    /// In both.
    Both,
    /// Only in the earlier.
    Before,
    /// Only in the later.
    After,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Field {
    /// Its name.
    pub field: String,
    /// What it was; absent = it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is; absent = it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The fields of two definitions that differ, in the order of the earlier.
pub(super) fn by_field(before: &str, after: &str) -> Vec<Field> {
    let (before, mut after) = (fields(before), fields(after));
    let mut differing = Vec::new();
    for (field, old) in before {
        let new = after.iter().position(|(other, _)| *other == field).map(|at| after.remove(at).1);
        if new.as_ref() != Some(&old) {
            differing.push(Field { field, before: Some(old), after: new });
        }
    }
    differing.extend(after.into_iter().map(|(field, new)| Field { field, before: None, after: Some(new) }));
    differing
}

/// Every line of both texts, in order: the longest run of lines that both have stands in both.
pub(super) fn by_line(before: &str, after: &str) -> Vec<Line> {
    let (mut old, mut new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let line = |of: Side| move |text: &&str| Line { of, text: (*text).to_owned() };
    let alike = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let mut lines: Vec<Line> = old.drain(..alike).as_slice().iter().map(line(Side::Both)).collect();
    new.drain(..alike);
    let at_end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let end = old.split_off(old.len() - at_end);
    new.truncate(new.len() - at_end);
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        lines.extend(old.iter().map(line(Side::Before)).chain(new.iter().map(line(Side::After))));
    } else {
        lines.extend(between(&old, &new));
    }
    lines.extend(end.iter().map(line(Side::Both)));
    lines
}

fn between(old: &[&str], new: &[&str]) -> Vec<Line> {
    // For each pair of ends, how many lines both have from there on.
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            common[a * width + b] = if old[a] == new[b] {
                common[(a + 1) * width + b + 1] + 1
            } else {
                common[(a + 1) * width + b].max(common[a * width + b + 1])
            };
        }
    }
    let (mut a, mut b, mut lines) = (0, 0, Vec::new());
    while a < old.len() || b < new.len() {
        let (of, text) = if a < old.len() && b < new.len() && old[a] == new[b] {
            (Side::Both, old[a])
        } else if b == new.len() || (a < old.len() && common[(a + 1) * width + b] >= common[a * width + b + 1]) {
            (Side::Before, old[a])
        } else {
            (Side::After, new[b])
        };
        a += usize::from(of != Side::After);
        b += usize::from(of != Side::Before);
        lines.push(Line { of, text: text.to_owned() });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious twin: the longest common part by trying everything.
    fn longest(a: &[&str], b: &[&str]) -> usize {
        match (a.split_first(), b.split_first()) {
            (Some((x, a2)), Some((y, b2))) if x == y => 1 + longest(a2, b2),
            (Some((_, a2)), Some((_, b2))) => longest(a2, b).max(longest(a, b2)),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn a_diff_holds_both_texts_and_shares_the_most(a in "([abc]\n){0,7}", b in "([abc]\n){0,7}") {
            let lines = by_line(&a, &b);
            let of = |side: Side| -> String {
                lines.iter().filter(|it| it.of == side || it.of == Side::Both).map(|it| format!("{}\n", it.text)).collect()
            };
            prop_assert_eq!(of(Side::Before), a.clone());
            prop_assert_eq!(of(Side::After), b.clone());
            let shared = lines.iter().filter(|it| it.of == Side::Both).count();
            prop_assert_eq!(shared, longest(&a.lines().collect::<Vec<_>>(), &b.lines().collect::<Vec<_>>()));
        }
    }

    #[test]
    fn fields_differ_by_name() {
        let found = by_field("id: a\nkind: target\nrule: vip\n", "id: a\nrule: age > 5\ntags: [x]\n");
        let told: Vec<_> =
            found.iter().map(|it| (it.field.as_str(), it.before.as_deref(), it.after.as_deref())).collect();
        assert_eq!(
            told,
            [("kind", Some("target"), None), ("rule", Some("vip"), Some("age > 5")), ("tags", None, Some("[x]"))]
        );
    }
}
