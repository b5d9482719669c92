//! Reads the sources again, and decides of each identifier in them: written, written before, to be taken out, or none of it.
//!
//! The order in which things become true is the whole of a delta's safety: what is to be added is noted as pending, appears,
//! and is remembered as confirmed; then what is to be removed appears, and is forgotten. Whatever breaks off in between leaves the
//! state before, in which nobody is missing who may be at the receiver because of us; and a removal is only ever written for
//! what an earlier, confirmed export added.

use super::rows::{Action, Files};
use super::sent::{Entry, Marks, Sent, who_of};
use super::suppression::List;
use super::wanted::{Bits, NOBODY, Of, Wanted};
use super::who::Eligible;
use super::{Format, Inputs, Report, expiry, shape};
use crate::audiences::AudienceKind;
use crate::collect::{self, Found, IdClass};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::schema::{Timestamp, Use};
use crate::snapshot::keys::Keys;
use crate::telemetry::progress::{Phase, Unit};
use std::collections::HashSet;
use std::path::Path;

/// Exports what is read from sources.
pub(super) fn export(
    inputs: &Inputs<'_>,
    stem: &str,
    eligible: &Eligible,
    memory: &Path,
    now: Timestamp,
    report: &mut Report,
) -> Result<()> {
    let sources = permitted(inputs, report)?;
    let wanted = wanted(inputs, eligible, report)?;
    // A replacement needs no memory: one that is damaged is replaced with it.
    let before = if inputs.ask.delta { Sent::load(memory)? } else { Sent::load(memory).unwrap_or_default() };
    report.since = before.as_ref().filter(|_| inputs.ask.delta).map(|sent| sent.confirmed.to_string());
    let marks = Marks::new(inputs.hasher);
    let mut reading = Reading::new(inputs, &wanted, &marks, before.unwrap_or_default(), stem)?;
    let (table, sent, delta) = (&wanted, &reading.before, inputs.ask.delta);
    let sent = sent.entries.iter().map(who_of).collect::<Vec<_>>();
    let asked = |key| table.find(key).is_some() || delta && sent.binary_search(&marks.who(key)).is_ok();
    collect::identifiers(&sources, inputs.hasher, &asked, inputs.progress, &mut |found| {
        inputs.stop_if_cancelled()?;
        found.iter().try_for_each(|one| reading.take(one))
    })?;
    let phase = inputs.progress.phase("confirm", None, Unit::Rows);
    reading.count(eligible, report);
    reading.confirm(memory, now, report)?;
    phase.tell(report);
    Ok(())
}

trait Tell {
    fn tell(self, report: &Report);
}

impl Tell for Phase {
    fn tell(self, report: &Report) {
        let (written, removed) = (report.written(), report.removed);
        let removed = if removed > 0 { format!(", {removed} to be removed") } else { String::new() };
        self.done(&format!("{written} identifiers of {} profiles{removed}", report.profiles.exported));
    }
}

/// The configuration with the sources alone that may be used so. One thread reads them: an export is in nobody's way, and the
/// same sources give the same files.
fn permitted(inputs: &Inputs<'_>, report: &mut Report) -> Result<Loaded> {
    let (needed, word) = match inputs.audience.kind {
        AudienceKind::Target => (Use::Target, "target"),
        AudienceKind::Suppress => (Use::Suppress, "suppress"),
    };
    let mut loaded = inputs.loaded.clone();
    let left_out = &mut report.sources_left_out;
    loaded.config.sources.retain(|source| {
        let permits = source.uses.as_ref().is_none_or(|uses| uses.contains(&needed));
        if !permits {
            left_out.push(source.name.clone());
        }
        permits && !source.ids.is_empty()
    });
    loaded.config.build.threads = 1;
    if loaded.config.sources.is_empty() {
        let message = format!(
            "no source may be used to {word}: `uses` of {} do not say so; identifiers are exported from sources alone",
            if left_out.is_empty() { "none configured".to_owned() } else { left_out.join(", ") }
        );
        return Err(Error::usage(message));
    }
    Ok(loaded)
}

/// The identifiers of everybody who is exported, of the types that are asked for.
fn wanted(inputs: &Inputs<'_>, eligible: &Eligible, report: &mut Report) -> Result<Wanted> {
    let (snapshot, manifest) = (inputs.serving.snapshot(), inputs.serving.manifest());
    let keys = Keys::open(snapshot.section("keys")?)?;
    // The configuration may have changed since the generation was built: its types are known by name.
    let known = &inputs.loaded.id_types;
    let numbers: Vec<Option<u16>> = manifest
        .id_types
        .iter()
        .map(|name| known.iter().position(|known| known.name == *name).map(|at| at as u16))
        .map(|number| number.filter(|number| inputs.ask.wants(&known[usize::from(*number)].name)))
        .collect();
    let of_people = (0..).zip(&eligible.people).flat_map(|(rank, ordinal)| {
        let numbers = &numbers;
        keys.of(ordinal).filter_map(move |(key, id_type)| {
            let id_type = numbers.get(usize::from(id_type)).copied().flatten()?;
            Some((key, Of { rank, id_type }))
        })
    });
    // Whose type is told when they are found.
    let strangers = eligible.strangers.iter().map(|key| (*key, Of { rank: NOBODY, id_type: u16::MAX }));
    let wanted = Wanted::new(of_people.chain(strangers));
    for at in 0..wanted.len() {
        if let Some(id_type) = known.get(usize::from(wanted.of(at).id_type)) {
            report.count(&id_type.name).identifiers += 1;
        }
    }
    Ok(wanted)
}

/// What is being found, and what becomes of it.
struct Reading<'a> {
    inputs: &'a Inputs<'a>,
    wanted: &'a Wanted,
    marks: &'a Marks,
    /// The types by number: their names and classes, and whether they are asked for.
    types: Vec<(&'a str, IdClass, bool)>,
    before: Sent,
    /// Of `before`: those who are to stay.
    staying: Bits,
    /// Of its pending: those who are to be there, ascending or not.
    pending_stays: HashSet<[u8; 16]>,
    /// Of `before`: those who were written to be removed.
    removed: Bits,
    written: Bits,
    unchanged: Bits,
    unfit: Bits,
    /// Strangers that were found, by type.
    strangers: Vec<u64>,
    added: Vec<Entry>,
    out: Out<'a>,
}

enum Out<'a> {
    Rows { adds: Files<'a>, removes: Files<'a> },
    List { list: List, stem: String },
}

impl<'a> Reading<'a> {
    fn new(inputs: &'a Inputs<'a>, wanted: &'a Wanted, marks: &'a Marks, before: Sent, stem: &str) -> Result<Self> {
        let known = &inputs.loaded.id_types;
        let describe = |name: &'a str| (name, IdClass::of(name), inputs.ask.wants(name));
        let (mut staying, mut pending_stays) = (Bits::new(before.entries.len()), HashSet::new());
        if inputs.ask.delta {
            for who in wanted.keys().map(|key| marks.who(key)) {
                if let Some(at) = before.find(&who) {
                    staying.set(at);
                } else if before.pending.binary_search_by(|entry| entry[..16].cmp(&who)).is_ok() {
                    pending_stays.insert(who);
                }
            }
        }
        let first = if inputs.ask.delta { Action::Add } else { Action::Replace };
        let out = match inputs.ask.format {
            Format::Suppression => Out::List { list: List::new()?, stem: stem.to_owned() },
            _ => Out::Rows { adds: Files::new(inputs, stem, first), removes: Files::new(inputs, stem, Action::Remove) },
        };
        Ok(Reading {
            inputs,
            wanted,
            marks,
            types: known.iter().map(|known| describe(known.name.as_str())).collect(),
            staying,
            pending_stays,
            removed: Bits::new(before.entries.len()),
            before,
            written: Bits::new(wanted.len()),
            unchanged: Bits::new(wanted.len()),
            unfit: Bits::new(wanted.len()),
            strangers: vec![0; known.len()],
            added: Vec::new(),
            out,
        })
    }

    /// An identifier of a source that is wanted, or that was exported before.
    fn take(&mut self, found: &Found) -> Result<()> {
        let Some(&(name, class, asked)) = self.types.get(usize::from(found.id_type)) else { return Ok(()) };
        if !asked {
            return Ok(());
        }
        match self.wanted.find(found.key) {
            Some(at) => self.add(at, name, class, found),
            None => self.remove(name, class, found),
        }
    }

    fn add(&mut self, at: usize, name: &str, class: IdClass, found: &Found) -> Result<()> {
        if self.written.has(at) || self.unchanged.has(at) {
            return Ok(());
        }
        let Some(text) = shape::text(self.inputs.ask.format, class, found) else {
            self.unfit.set(at);
            return Ok(());
        };
        let entry = self.marks.entry(found.key, &text);
        if self.inputs.ask.delta && self.before.find(&who_of(&entry)).is_some() {
            self.unchanged.set(at);
            return Ok(());
        }
        match &mut self.out {
            Out::Rows { adds, .. } => adds.write(name, class, &text)?,
            Out::List { list, .. } => list.add(name, &text),
        }
        self.added.push(entry);
        self.written.set(at);
        if self.wanted.of(at).rank == NOBODY {
            self.strangers[usize::from(found.id_type)] += 1;
        }
        Ok(())
    }

    /// Takes out what was written before and is nobody's any more who is exported: as it was written, or not at all.
    fn remove(&mut self, name: &str, class: IdClass, found: &Found) -> Result<()> {
        let Some(at) = self.before.find(&self.marks.who(found.key)) else { return Ok(()) };
        if !self.inputs.ask.delta || self.staying.has(at) || self.removed.has(at) {
            return Ok(());
        }
        let Some(text) = shape::text(self.inputs.ask.format, class, found) else { return Ok(()) };
        if self.marks.entry(found.key, &text) != self.before.entries[at] {
            return Ok(());
        }
        if let Out::Rows { removes, .. } = &mut self.out {
            removes.write(name, class, &text)?;
            self.removed.set(at);
        }
        Ok(())
    }

    /// What became of everybody.
    fn count(&self, eligible: &Eligible, report: &mut Report) {
        let mut reached = Bits::new(eligible.people.len() as usize);
        for at in 0..self.wanted.len() {
            let Of { rank, id_type } = self.wanted.of(at);
            let Some((name, ..)) = self.types.get(usize::from(id_type)) else { continue };
            let by = report.count(name);
            if self.written.has(at) {
                by.exported += 1;
            } else if self.unchanged.has(at) {
                by.unchanged += 1;
            } else if self.unfit.has(at) {
                by.not_in_format += 1;
                continue;
            } else {
                by.not_exportable += 1;
                continue;
            }
            reached.set(rank as usize);
        }
        for ((name, ..), found) in self.types.iter().zip(&self.strangers).filter(|(_, found)| **found > 0) {
            let by = report.count(name);
            by.identifiers += found;
            by.exported += found;
        }
        report.profiles.exported = reached.count();
        report.profiles.not_exportable = eligible.people.len() - reached.count();
        report.removed = self.removed.count();
        if self.inputs.ask.delta {
            let unsure =
                self.before.pending.iter().filter(|entry| !self.pending_stays.contains(&who_of(entry))).count();
            let leaving = self.before.entries.len() as u64 - self.staying.count();
            report.cannot_remove = leaving - report.removed + unsure as u64;
        }
    }

    /// Makes the files appear and remembers what they say, in this order.
    fn confirm(self, memory: &Path, now: Timestamp, report: &mut Report) -> Result<()> {
        self.inputs.stop_if_cancelled()?;
        let (adds, removes) = match self.out {
            Out::Rows { adds, removes } => (adds, removes),
            Out::List { list, stem } => {
                let expires = expiry(now, self.inputs.ask);
                let mut out =
                    self.inputs.place.create(&format!("{stem}-full{}", self.inputs.ask.format.extension()))?;
                let entries = list.write(&mut out, now, expires)?;
                report.files.push(out.commit(entries)?);
                report.expires = Some(expires.to_string());
                return Ok(());
            }
        };
        let mut sent = self.before;
        let removed = std::iter::zip(0.., &sent.entries).filter(|(at, _)| self.removed.has(*at));
        let removed: Vec<[u8; 16]> = removed.map(|(_, entry)| who_of(entry)).collect();
        if !self.added.is_empty() {
            sent.expect(&self.added);
            sent.save(memory)?;
        }
        report.files.extend(adds.commit()?);
        if !self.inputs.ask.delta {
            sent = Sent::default();
        }
        (sent.confirmed, sent.generation) = (now, report.generation);
        sent.confirm(self.added);
        sent.save(memory)?;
        if !removed.is_empty() {
            report.files.extend(removes.commit()?);
            sent.entries.retain(|entry| removed.binary_search(&who_of(entry)).is_err());
            sent.save(memory)?;
        }
        Ok(())
    }
}
