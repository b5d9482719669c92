//! Reading a users file, with bounds, and with every wrong line told.

use crate::error::{Error, Problem, Result};
use crate::wire::json;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The longest line of a users file, bytes.
const LONGEST_LINE: u64 = 64 << 10;
/// The most people a users file may have.
const MOST_PEOPLE: usize = 20_000_000;
/// How many wrong lines are shown; all are counted.
const SHOWN: usize = 20;

/// An identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eid {
    /// Its source.
    pub source: String,
    /// Itself.
    pub uid: String,
}

/// A line of a users file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Identifiers with their sources, in the file's order.
    pub eids: Vec<Eid>,
    /// The mobile advertising id; empty = none.
    pub ifa: String,
    /// What they permit.
    pub privacy: Option<Privacy>,
}

/// Privacy signals; absent is not the same as false.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privacy {
    /// Whether GDPR applies.
    pub gdpr: Option<bool>,
    /// The TCF string; empty = none, as with the other texts.
    pub tcf: String,
    /// The GPP string.
    pub gpp: String,
    /// The GPP sections that apply.
    pub gpp_sid: Vec<i32>,
    /// The US privacy string.
    pub us_privacy: String,
    /// Global Privacy Control.
    pub gpc: Option<bool>,
    /// Children's privacy applies.
    pub coppa: Option<bool>,
    /// Limited ad tracking.
    pub lmt: Option<bool>,
    /// ISO 3166.
    pub country: String,
}

impl Person {
    /// How many identifiers they have.
    pub fn ids(&self) -> usize {
        self.eids.len() + usize::from(!self.ifa.is_empty())
    }

    fn of(question: json::Question<'_>) -> Person {
        let eids = question.eids.unwrap_or_default().into_iter();
        let eids = eids.map(|eid| Eid { source: eid.source.0.into_owned(), uid: eid.uid.0.into_owned() });
        Person {
            eids: eids.filter(|eid| !eid.uid.is_empty()).collect(),
            ifa: question.ifa.0.into_owned(),
            privacy: question.privacy.map(Privacy::of),
        }
    }
}

impl Privacy {
    fn of(privacy: json::Privacy<'_>) -> Privacy {
        Privacy {
            gdpr: privacy.gdpr.0,
            tcf: privacy.tcf.0.into_owned(),
            gpp: privacy.gpp.0.into_owned(),
            gpp_sid: privacy.gpp_sid.0.map(|ids| ids.to_vec()).unwrap_or_default(),
            us_privacy: privacy.us_privacy.0.into_owned(),
            gpc: privacy.gpc.0,
            coppa: privacy.coppa.0,
            lmt: privacy.lmt.0,
            country: privacy.country.0.into_owned(),
        }
    }
}

/// Reads a users file: one person a line that is not blank, in the file's order.
///
/// # Errors
/// No such file, too many or too long lines, and every line that is no lookup (the first 20 are shown).
pub fn read(path: &Path) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    lines(path, |line| {
        let question: json::Question<'_> = serde_json::from_slice(line)?;
        people.push(Person::of(question));
        Ok(())
    })?;
    if people.is_empty() {
        return Err(Error::input(format!(
            "{}: nobody is in it; a line is a body of POST /v1/lookup, as `vaglio synth` writes to lookups.ndjson",
            path.display()
        )));
    }
    Ok(people)
}

/// Reads a file of JSON lines; blank ones are passed over.
///
/// # Errors
/// As [`read`].
pub fn lines(path: &Path, mut take: impl FnMut(&[u8]) -> serde_json::Result<()>) -> Result<()> {
    let failed = |error| Error::io(format!("read {}", path.display()), error);
    let mut file = BufReader::with_capacity(1 << 18, std::fs::File::open(path).map_err(failed)?);
    let (mut line, mut number, mut taken) = (Vec::new(), 0, 0);
    let (mut problems, mut wrong) = (Vec::new(), 0usize);
    loop {
        line.clear();
        number += 1;
        if (&mut file).take(LONGEST_LINE + 1).read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        if line.len() as u64 > LONGEST_LINE {
            return Err(Error::input(format!("{}:{number}: longer than 64 KiB: no line of JSON", path.display())));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        taken += 1;
        if taken > MOST_PEOPLE {
            return Err(Error::input(format!("{}: more than {MOST_PEOPLE} lines; take a sample", path.display())));
        }
        if let Err(error) = take(&line) {
            wrong += 1;
            if problems.len() < SHOWN {
                // serde_json's sentence may quote a value, which here is somebody's identifier.
                let said = if error.is_data() { "not of the form of a lookup" } else { "no JSON" };
                problems.push(Problem::new(said).in_file(path).at(number, error.column().max(1)));
            }
        }
    }
    match wrong {
        0 => Ok(()),
        _ => Err(Error::input(format!("{wrong} lines cannot be read (the first {} are shown):", problems.len()))
            .with_problems(problems)),
    }
}
