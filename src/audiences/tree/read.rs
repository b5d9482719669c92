//! JSON -> a rule: groups and conditions. What cannot be a rule is refused at its place; what was built so far and is not finished
//! is told what is missing.

use super::fields::{Fields, Placed};
use crate::audiences::parse::{MAX_DEPTH, MAX_NODES, Parsed, parse};
use crate::audiences::print;
use crate::audiences::rule::{Count, EventTest, Expr, Pick, Test, TraitTest, When};
use crate::schema::AudienceId;
use serde_json::value::RawValue;

/// The longest tree, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// A rule as deep as the parser reads nests no deeper: a level of `at least N of` holds a group besides.
const MAX_LEVELS: usize = 2 * MAX_DEPTH + 2;
/// Mistakes that are told at once.
const MAX_MISFITS: usize = 50;

/// Something that is wrong with a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// A stable name for tools.
    pub code: &'static str,
    /// Where: a JSON pointer into the tree; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub detail: String,
    /// What to do; may be empty.
    pub help: String,
}

/// A tree that is a rule.
#[derive(Debug)]
pub struct Reading {
    /// The rule as text.
    pub text: String,
    /// What that text reads as.
    pub parsed: Parsed,
    /// Where each node of it is in the tree that was read: children before their parent, left to right.
    pub pointers: Vec<String>,
}

/// Reads a tree. References without an owner are resolved to `owner`'s. A group of one is that one.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(raw: &RawValue, owner: &str) -> Result<Reading, Vec<Misfit>> {
    let mut reader = Reader { owner, nodes: 0, pointers: Vec::new(), misfits: Vec::new() };
    if raw.get().len() > MAX_BYTES {
        let detail = format!("this tree has {} bytes; at most {MAX_BYTES} are read", raw.get().len());
        reader.wrong::<()>("too-long", "", detail, "split it into audiences");
        return Err(reader.misfits);
    }
    let expr = reader.node(raw, "", 0);
    let Some(expr) = expr.filter(|_| reader.misfits.is_empty()) else { return Err(reader.misfits) };
    let text = print(&expr);
    match parse(&text, owner) {
        Ok(parsed) if parsed.expr == expr => Ok(Reading { text, parsed, pointers: reader.pointers }),
        Ok(_) => {
            reader.wrong::<()>("cannot-be-said", "", "no text says the same as this tree", "write it as text");
            Err(reader.misfits)
        }
        Err(errors) => {
            for error in errors {
                reader.wrong::<()>(error.code, "", error.message, error.help.join("; "));
            }
            Err(reader.misfits)
        }
    }
}

pub(super) struct Reader<'o> {
    owner: &'o str,
    nodes: usize,
    pointers: Vec<String>,
    misfits: Vec<Misfit>,
}

const NODES: [&str; 9] = ["everyone", "all", "any", "not", "at_least", "audience", "sample", "trait", "event"];

impl Reader<'_> {
    /// Says what is wrong.
    pub(super) fn wrong<T>(
        &mut self,
        code: &'static str,
        at: &str,
        detail: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        if self.misfits.len() < MAX_MISFITS {
            let (at, detail, help) = (at.to_owned(), detail.into(), help.into());
            self.misfits.push(Misfit { code, at, detail, help });
        }
        None
    }

    fn node(&mut self, raw: &RawValue, at: &str, level: usize) -> Option<Expr> {
        self.nodes += 1;
        if level > MAX_LEVELS {
            let detail = format!("this tree is nested more than {MAX_LEVELS} deep");
            return self.wrong("too-deep", at, detail, "name its parts as audiences");
        }
        if self.nodes > MAX_NODES {
            let told = self.nodes > MAX_NODES + 1;
            let detail = format!("this tree has more than {MAX_NODES} conditions");
            return if told { None } else { self.wrong("too-many-conditions", at, detail, "split it into audiences") };
        }
        let mut fields = self.fields(raw, at, "{\"is\":\"everyone\"}")?;
        let form = self.form(&mut fields, "is", &NODES)?;
        let expr = match form.as_str() {
            "everyone" => Some(Expr::Everyone),
            "all" | "any" => {
                let parts = self.group(&mut fields, level);
                self.done(fields);
                return self.together(parts?, form == "all", at);
            }
            "at_least" => self.at_least(&mut fields, level),
            "not" => {
                let missing = ("what must not hold is not said yet", "add a condition, or remove the `not`");
                let of = self.field(&mut fields, "of", missing);
                of.and_then(|(raw, at)| self.node(raw, &at, level + 1)).map(|inner| Expr::Not(Box::new(inner)))
            }
            "audience" => {
                let id = self.name(&mut fields, "id", "an audience");
                id.map(|id| Expr::InAudience(AudienceId::resolve(&id, self.owner)))
            }
            "sample" => self.sample(&mut fields),
            "trait" => {
                let name = self.name(&mut fields, "name", "a trait");
                let test = self.test(&mut fields, false);
                name.zip(test).map(|(name, test)| Expr::Trait(TraitTest { name, test }))
            }
            _ => self.event(&mut fields).map(Expr::Event),
        };
        self.done(fields);
        self.pointers.push(at.to_owned());
        expr
    }

    /// The conditions of a group; nothing if one of them is wrong.
    fn group(&mut self, fields: &mut Fields<'_>, level: usize) -> Option<Vec<Expr>> {
        let empty = ("this group has no condition yet", "add a condition, or remove the group");
        let placed = self.field(fields, "of", empty)?;
        let items = self.list(&placed)?;
        if items.is_empty() {
            return self.wrong("empty-group", &placed.1, empty.0, empty.1);
        }
        let read = items.into_iter().enumerate();
        let read: Vec<Option<Expr>> =
            read.map(|(at, raw)| self.node(raw, &format!("{}/{at}", placed.1), level + 1)).collect();
        read.into_iter().collect()
    }

    /// A group of one is that one: nothing of the rule is where the group is.
    fn together(&mut self, mut parts: Vec<Expr>, all: bool, at: &str) -> Option<Expr> {
        if parts.len() == 1 {
            return parts.pop();
        }
        self.pointers.push(at.to_owned());
        Some(if all { Expr::And(parts) } else { Expr::Or(parts) })
    }

    fn at_least(&mut self, fields: &mut Fields<'_>, level: usize) -> Option<Expr> {
        let n = self.whole(fields, "n", 1);
        let parts = self.group(fields, level);
        let (n, parts) = n.zip(parts)?;
        if n as usize > parts.len() {
            let detail = format!("at least {n} of {} conditions never hold", parts.len());
            return self.wrong("bad-count", &format!("{}/n", fields.at), detail, format!("use 1 to {}", parts.len()));
        }
        Some(Expr::AtLeast(n, parts))
    }

    fn sample(&mut self, fields: &mut Fields<'_>) -> Option<Expr> {
        let percent = self.field(fields, "percent", ("the share is not said yet", "give a percentage such as 10"));
        let share = percent.and_then(|(raw, at)| {
            let share = self.number((raw, at.clone()))? * 10_000.0;
            let millionths = share.round();
            if !(1.0..=1_000_000.0).contains(&millionths) || (share - millionths).abs() > 1e-6 {
                let detail = "a share lies between 0.0001 and 100, with at most four decimals";
                return self.wrong("bad-share", &at, detail, "");
            }
            Some(millionths as u32)
        });
        let missing = ("the sample has no name yet", "give it one: another name draws other people");
        let name = self.field(fields, "name", missing).and_then(|placed| self.text(placed));
        share.zip(name).map(|(share, name)| Expr::Sample(share, name))
    }

    fn event(&mut self, fields: &mut Fields<'_>) -> Option<EventTest> {
        let name = self.name(fields, "name", "an event");
        let filter = match fields.find("where") {
            None => Some(Vec::new()),
            Some(placed) => self.filter(&placed),
        };
        let pick = match fields.find("pick") {
            None => Some(Pick::All),
            Some(placed) => self.pick(placed),
        };
        let count = match fields.find("count") {
            None => Some(Count::AtLeast(1)),
            Some(placed) => self.count(placed),
        };
        let when = match fields.find("when") {
            None => Some(When::Ever),
            Some(placed) => self.when(placed),
        };
        let ((name, filter), ((pick, count), when)) = name.zip(filter).zip(pick.zip(count).zip(when))?;
        if count == Count::Never && pick != Pick::All {
            let detail = "of events that never happened none is the first or the last";
            return self.wrong("never-counted", &format!("{}/pick", fields.at), detail, "use `all`");
        }
        Some(EventTest { name, filter, pick, count, when })
    }

    fn filter(&mut self, placed: &Placed<'_>) -> Option<Vec<(String, Test)>> {
        let items = self.list(placed)?;
        let read = items.into_iter().enumerate().map(|(at, raw)| {
            let mut fields = self.fields(raw, &format!("{}/{at}", placed.1), "{\"name\":\"x\",\"test\":{}}")?;
            let name = self.name(&mut fields, "name", "a property");
            let test = self.test(&mut fields, true);
            self.done(fields);
            name.zip(test)
        });
        let read: Vec<Option<(String, Test)>> = read.collect();
        read.into_iter().collect()
    }

    fn pick(&mut self, placed: Placed<'_>) -> Option<Pick> {
        let at = placed.1.clone();
        match self.text(placed)?.as_str() {
            "all" => Some(Pick::All),
            "first" => Some(Pick::First),
            "last" => Some(Pick::Last),
            other => self.wrong("unknown-form", &at, format!("`{other}` is not known here"), "one of all, first, last"),
        }
    }
}
