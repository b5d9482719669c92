//! The configuration, the definitions and the README of a world: templates with the world's dates and file names.

use super::{EVENTS_A_PERSON, FILES, World, Written, audiences};
use crate::error::{Error, Result};
use crate::schema::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The first line of every `vaglio.yaml` written here: the sign that a directory may be written over.
const MARK: &str = "# A synthetic telecom operator, written by `vaglio synth`.";

const TEMPLATES: [(&str, &str); 3] = [
    ("vaglio.yaml", include_str!("telco/vaglio.yaml")),
    ("definitions/audiences.yaml", include_str!("telco/audiences.yaml")),
    ("definitions/campaigns.yaml", include_str!("telco/campaigns.yaml")),
];

/// Makes the directory, unless it holds somebody's own configuration.
///
/// # Errors
/// Usage, I/O.
pub fn prepare(out: &Path) -> Result<()> {
    let config = out.join("vaglio.yaml");
    let foreign = fs::read_to_string(&config).is_ok_and(|text| !text.starts_with(MARK));
    if foreign {
        let config = config.display();
        return Err(Error::usage(format!(
            "{config} was not written by `vaglio synth`: name another directory with --out"
        )));
    }
    let definitions = out.join("definitions");
    fs::create_dir_all(&definitions).map_err(|e| Error::io(format!("create {}", definitions.display()), e))?;
    remove_other_packing(out)
}

/// A world that was written before, plain or packed the other way, would be read twice.
fn remove_other_packing(out: &Path) -> Result<()> {
    for file in FILES.iter().flat_map(|shape| [shape.file_name(true), shape.file_name(false)]) {
        remove(&out.join(file))?;
    }
    Ok(())
}

/// Removes a file that may be there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Writes configuration, definitions and README.
///
/// # Errors
/// I/O.
pub fn write(world: &World, out: &Path, files: &[Written]) -> Result<()> {
    for (name, template) in TEMPLATES {
        put(out, name, &fill(template, world))?;
    }
    put_audiences(world, out)?;
    put(out, "README.md", &readme(world, files))
}

/// Writes the audiences that were asked for beside the operator's own, into a world that is there.
///
/// # Errors
/// Usage: there is no world. I/O.
pub fn write_audiences(world: &World, out: &Path) -> Result<()> {
    let config = out.join("vaglio.yaml");
    if !fs::read_to_string(&config).is_ok_and(|text| text.starts_with(MARK)) {
        let config = config.display();
        return Err(Error::usage(format!(
            "{config} was not written by `vaglio synth`: invent people first, without --definitions-only"
        )));
    }
    put_audiences(world, out)
}

fn put_audiences(world: &World, out: &Path) -> Result<()> {
    const NAME: &str = "definitions/made-up.yaml";
    match audiences::definitions(world) {
        Some(text) => put(out, NAME, &text),
        None => remove(&out.join(NAME)),
    }
}

fn put(out: &Path, name: &str, text: &str) -> Result<()> {
    let path = out.join(name);
    fs::write(&path, text).map_err(|e| Error::io(format!("write {}", path.display()), e))
}

/// Replaces `{as_of}`, `{file N}` (a file's name) and `{day +30}` (a date so many days from as-of).
fn fill(template: &str, world: &World) -> String {
    let mut text = template.replace("{as_of}", &world.as_of.to_string());
    for (at, shape) in FILES.iter().enumerate() {
        text = text.replace(&format!("{{file {at}}}"), &shape.file_name(world.plain));
    }
    let mut filled = String::with_capacity(text.len());
    let mut parts = text.split("{day ");
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (days, rest) = part.split_once('}').unwrap_or((part, ""));
        let days = days.parse().unwrap_or_default();
        let _ = write!(filled, "{}{rest}", day(world.as_of, days));
    }
    filled
}

/// The UTC day so many days from an instant.
pub fn day(from: Timestamp, days: i64) -> Date {
    let start = jiff::Timestamp::from_second(from.0).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date();
    start.saturating_add(days.days())
}

/// The arguments that are not as usual.
fn more(world: &World) -> String {
    let usual = World::new(world.people, world.seed, world.as_of, world.plain);
    let mut more = String::new();
    if world.audiences != usual.audiences {
        let _ = write!(more, " --audiences {}", world.audiences);
    }
    if world.busy != usual.busy {
        let _ = write!(more, " --events {}", world.busy * EVENTS_A_PERSON);
    }
    more
}

fn readme(world: &World, files: &[Written]) -> String {
    let plain = if world.plain { " --plain" } else { "" };
    let more = more(world);
    let mut text = format!(
        "# A synthetic telecom operator\n\nNobody in these files exists: {} people were invented by\n\n    vaglio synth \
         --people {} --seed {} --as-of {}{plain}{more} --out DIR\n\nThe same command writes the same bytes. Names are common \
         Italian ones, mail domains are reserved for examples,\nidentifiers are random. A few percent of the rows are \
         wrong on purpose.\n\n| file | rows | what |\n|---|---|---|\n",
        world.people, world.people, world.seed, world.as_of
    );
    let what = [
        "customers: identifiers and 20 traits",
        "what they did: web, app, call centre",
        "further devices and cookies of a customer",
        "who shares a home",
        "consents, refusals, objections",
        "uploaded lists",
        "a sample of bid traffic: bodies of `POST /v1/lookup`, about 40 % strangers",
    ];
    for (file, what) in files.iter().zip(what) {
        let _ = writeln!(text, "| `{}` | {} | {what} |", file.name, file.rows);
    }
    text.push_str(
        "| `vaglio.yaml` | | the configuration, commented |\n| `definitions/` | | audiences and campaigns |\n\nTo try \
         it:\n\n    vaglio build --config vaglio.yaml\n    vaglio serve --config vaglio.yaml\n",
    );
    text
}
