//! Files of identifiers: one a line, in the columns that a format has. Written as they are found, so that memory does not grow
//! with their number.

use super::place::{Outlet, Place, Written, failed};
use super::{Format, Inputs};
use crate::collect::IdClass;
use crate::error::{Error, Result};
use std::io::Write;

/// What a receiver does with an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Everybody in it takes the place of what the receiver has.
    Replace,
    /// Takes it in.
    Add,
    /// Takes it out.
    Remove,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Replace => "full",
            Action::Add => "adds",
            Action::Remove => "removes",
        }
    }
}

/// The files of one action, made when something comes for them.
pub(super) struct Files<'a> {
    place: &'a Place,
    format: Format,
    action: Action,
    /// What every name begins with.
    stem: String,
    files: Vec<(&'static str, Lines)>,
}

impl<'a> Files<'a> {
    pub(super) fn new(inputs: &'a Inputs<'_>, stem: &str, action: Action) -> Self {
        Files { place: inputs.place, format: inputs.ask.format, action, stem: stem.to_owned(), files: Vec::new() }
    }

    /// Writes an identifier.
    pub(super) fn write(&mut self, id_type: &str, class: IdClass, text: &str) -> Result<()> {
        let at = self.file_for(part(self.format, class))?;
        self.files[at].1.write(id_type, class, text)
    }

    fn file_for(&mut self, part: &'static str) -> Result<usize> {
        if let Some(at) = self.files.iter().position(|(known, _)| *known == part) {
            return Ok(at);
        }
        let dash = if part.is_empty() { "" } else { "-" };
        let name = format!("{}-{}{dash}{part}{}", self.stem, self.action.word(), self.format.extension());
        let outlet = self.place.create(&name)?;
        self.files.push((part, Lines::new(self.format, part, self.action, outlet)?));
        Ok(self.files.len() - 1)
    }

    /// Makes every file appear. Where everybody is replaced there is one, also of nobody.
    pub(super) fn commit(mut self) -> Result<Vec<Written>> {
        if self.action == Action::Replace && self.files.is_empty() {
            self.file_for(part(self.format, IdClass::Email))?;
        }
        self.files.into_iter().map(|(_, lines)| lines.commit()).collect()
    }
}

/// Google takes devices in a list of their own.
fn part(format: Format, class: IdClass) -> &'static str {
    match (format, class) {
        (Format::Google, IdClass::Ifa) => "devices",
        (Format::Google, _) => "contacts",
        _ => "",
    }
}

/// One file.
struct Lines {
    rows: Rows,
    columns: Columns,
    name: String,
    count: u64,
}

enum Rows {
    Csv(Box<csv::Writer<Outlet>>),
    Ndjson(Box<Outlet>),
    #[cfg(feature = "lake")]
    Parquet(Box<super::parquet::Table>),
}

/// What a line is made of.
#[derive(Clone, Copy)]
enum Columns {
    /// Type, identifier, and the action where there is one.
    Typed(Option<&'static str>),
    /// A column each for those of these classes.
    ByClass(&'static [IdClass]),
}

const CONTACTS: &[IdClass] = &[IdClass::Email, IdClass::Phone];
const ALL: &[IdClass] = &[IdClass::Email, IdClass::Phone, IdClass::Ifa];
const DEVICES: &[IdClass] = &[IdClass::Ifa];

impl Lines {
    fn new(format: Format, part: &str, action: Action, outlet: Outlet) -> Result<Self> {
        let typed = match action {
            Action::Replace => Columns::Typed(None),
            Action::Add => Columns::Typed(Some("add")),
            Action::Remove => Columns::Typed(Some("remove")),
        };
        let (columns, header): (Columns, &[&str]) = match (format, part) {
            (Format::Meta, _) => (Columns::ByClass(ALL), &["email", "phone", "madid"]),
            (Format::Google, "devices") => (Columns::ByClass(DEVICES), &["Mobile Device ID"]),
            (Format::Google, _) => (Columns::ByClass(CONTACTS), &["Email", "Phone"]),
            (Format::Tiktok, _) => (Columns::ByClass(ALL), &["Email_SHA256", "Phone_SHA256", "MAID_SHA256"]),
            _ if action == Action::Replace => (typed, &["type", "identifier"]),
            _ => (typed, &["type", "identifier", "action"]),
        };
        let name = outlet.name().to_owned();
        let rows = match format {
            Format::Ndjson => Rows::Ndjson(Box::new(outlet)),
            #[cfg(feature = "lake")]
            Format::Parquet => Rows::Parquet(Box::new(super::parquet::Table::new(header, outlet)?)),
            _ => {
                let mut writer = csv::Writer::from_writer(outlet);
                writer.write_record(header).map_err(|error| of_csv(&name, error))?;
                Rows::Csv(Box::new(writer))
            }
        };
        Ok(Lines { rows, columns, name, count: 0 })
    }

    fn write(&mut self, id_type: &str, class: IdClass, text: &str) -> Result<()> {
        self.count += 1;
        let mut cells = [""; 3];
        let wide = match self.columns {
            Columns::Typed(action) => {
                cells = [id_type, text, action.unwrap_or("")];
                2 + usize::from(action.is_some())
            }
            Columns::ByClass(classes) => {
                let own = classes.iter().position(|known| *known == class).unwrap_or(0);
                cells[own] = text;
                classes.len()
            }
        };
        let cells = &cells[..wide];
        match &mut self.rows {
            Rows::Csv(writer) => writer.write_record(cells).map_err(|error| of_csv(&self.name, error)),
            Rows::Ndjson(outlet) => json_line(outlet, cells).map_err(|error| failed(&self.name, error)),
            #[cfg(feature = "lake")]
            Rows::Parquet(table) => table.write(cells),
        }
    }

    fn commit(self) -> Result<Written> {
        match self.rows {
            Rows::Csv(writer) => {
                let outlet = writer.into_inner().map_err(|error| failed(&self.name, error.into_error()))?;
                outlet.commit(self.count)
            }
            Rows::Ndjson(outlet) => outlet.commit(self.count),
            #[cfg(feature = "lake")]
            Rows::Parquet(table) => table.finish()?.commit(self.count),
        }
    }
}

fn json_line(out: &mut Outlet, cells: &[&str]) -> std::io::Result<()> {
    let mut line = serde_json::Map::new();
    for (name, cell) in ["type", "identifier", "action"].iter().zip(cells) {
        line.insert((*name).to_owned(), (*cell).into());
    }
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn of_csv(name: &str, error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => failed(name, error),
        _ => Error::internal(format!("a line of the export {name} cannot be written")),
    }
}
