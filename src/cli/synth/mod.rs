//! `vaglio synth`: a telecom operator's world, invented: people, devices, events, consents, lists and bid-time lookups,
//! with the configuration and definitions to build it.
//!
//! Everything is a function of the seed. People come in chunks of a fixed size, each with its own random stream, so the
//! files are the same bytes whatever the number of threads. Contents: [`vocabulary`] the words and how frequent they
//! are; [`person`] who somebody is; `crm`, `events`, `links`, `consents`, `lists`, `lookups` what is written about them;
//! [`audiences`] more rules than the operator has;
//! [`output`] compressing and ordering; [`config`] the YAML files. Nothing here knows how Vaglio reads any of it.

mod audiences;
mod config;
mod consents;
mod crm;
mod events;
mod links;
mod lists;
mod lookups;
mod output;
mod person;
mod vocabulary;

use crate::error::{Error, Result};
use crate::schema::Timestamp;
use crate::telemetry::progress::{Mode, Progress, Unit};
use output::Files;
use person::Person;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use output::{FILES, Written};

/// People generated from one random stream. Part of the format of a world: another size gives other people.
const CHUNK: u64 = 4_096;

/// Invent a telecom operator's world: files, configuration and definitions
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many people to invent
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub people: u64,
    /// The seed: the same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The directory to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The instant the world is told at (RFC 3339)
    #[arg(long, value_name = "TIME", default_value = DEFAULT_AS_OF)]
    pub as_of: String,
    /// Write plain files instead of compressed ones
    #[arg(long)]
    pub plain: bool,
    /// How many audiences to define, the operator's own 48 included: three in ten of the others have a window
    #[arg(long, value_name = "N", default_value_t = OWN_AUDIENCES, value_parser = clap::value_parser!(u32).range(i64::from(OWN_AUDIENCES)..=20_000))]
    pub audiences: u32,
    /// How many events a person has on average
    #[arg(long, value_name = "N", default_value_t = EVENTS_A_PERSON)]
    pub events: f64,
    /// Only define audiences, in a world that is there already: its people stay
    #[arg(long)]
    pub definitions_only: bool,
}

/// Audiences of the operator, whatever else is asked for.
const OWN_AUDIENCES: u32 = 48;

/// Events of a person in the whole history, on average, where nothing else is asked for.
const EVENTS_A_PERSON: f64 = 5.2;

/// A fixed instant, so that two runs on different days write the same files.
pub const DEFAULT_AS_OF: &str = "2026-11-01T09:00:00Z";

/// The most people: identifiers are numbered with nine digits.
const MOST_PEOPLE: u64 = 500_000_000;

/// The most events a person on average.
const MOST_EVENTS: f64 = 1_000.0;

/// What to invent.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// How many people.
    pub people: u64,
    /// Same seed, same world.
    pub seed: u64,
    /// The instant it is told at.
    pub as_of: Timestamp,
    /// Plain files instead of compressed ones.
    pub plain: bool,
    /// How many audiences, the operator's own included.
    pub audiences: u32,
    /// How much more happens to everybody than usual: 1 is as usual.
    pub busy: f64,
}

impl World {
    /// A world of so many people, with the operator's own audiences.
    pub fn new(people: u64, seed: u64, as_of: Timestamp, plain: bool) -> World {
        World { people, seed, as_of, plain, audiences: OWN_AUDIENCES, busy: 1.0 }
    }
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Report {
    /// File by file.
    pub files: Vec<Written>,
    /// How long it took.
    pub took: Duration,
}

/// Runs the command.
///
/// # Errors
/// Usage: no people, a bad time, a directory that holds something else. I/O.
pub fn run(args: &Args) -> Result<()> {
    let as_of = Timestamp::parse(&args.as_of).ok_or_else(|| {
        Error::usage(format!("--as-of `{}` is not a time; write RFC 3339, such as {DEFAULT_AS_OF}", args.as_of))
    })?;
    if !(0.0..=MOST_EVENTS).contains(&args.events) {
        return Err(Error::usage(format!("--events must be between 0 and {MOST_EVENTS}, not {}", args.events)));
    }
    let world = World {
        audiences: args.audiences,
        busy: args.events / EVENTS_A_PERSON,
        ..World::new(args.people, args.seed, as_of, args.plain)
    };
    if args.definitions_only {
        config::write_audiences(&world, &args.out)?;
        return crate::cli::print(&format!("{} audiences in {}\n", world.audiences, args.out.display()));
    }
    let report = write(&world, &args.out, &Progress::new(Mode::Auto))?;
    crate::cli::print(&report.describe(&world, &args.out))
}

/// Writes a world into `out`, which is made if it is missing.
///
/// # Errors
/// As [`run`].
pub fn write(world: &World, out: &Path, progress: &Progress) -> Result<Report> {
    let started = Instant::now();
    if world.people == 0 || world.people > MOST_PEOPLE {
        return Err(Error::usage(format!("--people must be between 1 and {MOST_PEOPLE}, not {}", world.people)));
    }
    config::prepare(out)?;
    let mut files = Files::create(out, world.plain)?;
    let phase = progress.phase("synth", Some(world.people), Unit::Rows);
    let chunks = world.people.div_ceil(CHUNK);
    let at_once = rayon::current_num_threads() as u64 * 2;
    let mut next = 0;
    while next < chunks {
        let until = chunks.min(next + at_once);
        let ready: Vec<Result<output::Chunk>> =
            (next..until).into_par_iter().map(|number| chunk(world, number).seal(world.plain)).collect();
        for part in ready {
            let part = part?;
            phase.add(part.people);
            files.append(&part)?;
        }
        next = until;
    }
    let files = files.finish()?;
    config::write(world, out, &files)?;
    phase.done("synthetic people");
    Ok(Report { files, took: started.elapsed() })
}

/// Everything about the people of one chunk.
fn chunk(world: &World, number: u64) -> output::Chunk {
    let mut rng = ChaCha8Rng::seed_from_u64(world.seed);
    rng.set_stream(number);
    let range = number * CHUNK..world.people.min((number + 1) * CHUNK);
    let people: Vec<Person> = range.map(|at| Person::invent(at, &mut rng)).collect();
    let mut chunk = output::Chunk::new(people.len() as u64);
    for person in &people {
        crm::write(person, world, &mut rng, &mut chunk);
        events::write(person, world, &mut rng, &mut chunk);
        links::write_devices(person, world, &mut rng, &mut chunk);
        consents::write(person, world, &mut rng, &mut chunk);
        lists::write(person, world, &mut rng, &mut chunk);
        lookups::write(person, world, &mut rng, &mut chunk);
    }
    links::write_households(&people, &mut rng, &mut chunk);
    chunk
}

impl Report {
    fn describe(&self, world: &World, out: &Path) -> String {
        use std::fmt::Write;
        let mut text = format!(
            "A synthetic telecom operator in {}: {} invented people (seed {}), told as of {}.\n",
            out.display(),
            world.people,
            world.seed,
            world.as_of
        );
        for file in &self.files {
            let _ = writeln!(text, "  {:<22} {:>12} rows {:>14} bytes", file.name, file.rows, file.bytes);
        }
        let seconds = self.took.as_secs_f64();
        let _ = writeln!(text, "Written in {seconds:.1} s. A few percent of the rows are dirty on purpose.");
        let _ = writeln!(text, "Next: vaglio build --config {}", out.join("vaglio.yaml").display());
        text
    }
}
