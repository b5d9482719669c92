//! Runs a collection: files are parsed by a few threads, batches arrive at the sink on the caller's thread.

use super::batch::{Batch, Found};
use super::files::{self, Format, InputFile};
use super::plan::Plan;
use super::rejects::Tally;
use super::report::{CollectReport, SourceReport};
use super::rows::{Asked, RowMaker, Stopped};
use super::{from_csv, from_ndjson, header};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::schema::{KeyHasher, ProfileKey};
use crate::telemetry::progress::{Phase, Progress, Unit};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Full batches that may wait for the sink, a thread.
const WAITING: usize = 2;

/// What a parsing thread tells the caller's.
enum Message {
    Batch(Batch),
    /// A file of this source is through.
    Done(usize, Tally),
    Failed(Error),
}

/// What every parsing thread sees.
struct Job<'a> {
    loaded: &'a Loaded,
    keys: &'a KeyHasher,
    asked: Asked<'a>,
    plans: &'a [Plan],
    files: &'a [InputFile],
    phase: &'a Phase,
    next: AtomicUsize,
}

/// Reads every source of the configuration. Batches are handed to `sink` on this thread, in no particular order of files;
/// memory stays bounded whatever the files' size.
///
/// # Errors
/// A source without files or columns, an unreadable file, or whatever the sink returns. Whether what was read is fit to
/// build from is for the caller to ask: [`CollectReport::problems`].
pub fn collect(
    loaded: &Loaded,
    keys: &KeyHasher,
    progress: &Progress,
    sink: &mut dyn FnMut(Batch) -> Result<()>,
) -> Result<CollectReport> {
    run(loaded, keys, None, progress, sink)
}

/// Reads the same rows again for the identifiers in them: those of which `asked` wants the key are handed to `sink`, as often
/// as they occur; it is called now and then where there are none, and may stop by an error.
///
/// # Errors
/// As [`collect`].
pub fn identifiers(
    loaded: &Loaded,
    keys: &KeyHasher,
    asked: &(dyn Fn(ProfileKey) -> bool + Sync),
    progress: &Progress,
    sink: &mut dyn FnMut(Vec<Found>) -> Result<()>,
) -> Result<CollectReport> {
    run(loaded, keys, Some(asked), progress, &mut |batch| sink(batch.found))
}

fn run(
    loaded: &Loaded,
    keys: &KeyHasher,
    asked: Asked<'_>,
    progress: &Progress,
    sink: &mut dyn FnMut(Batch) -> Result<()>,
) -> Result<CollectReport> {
    let as_of = loaded.clock().now();
    let sources = &loaded.config.sources;
    let plans = (0..sources.len()).map(|at| Plan::new(loaded, at)).collect::<Result<Vec<_>>>()?;
    let files = files::find_all(sources)?;
    header::check(loaded, &plans, &files)?;
    let phase = progress.phase("collect", Some(files.iter().map(|file| file.bytes).sum()), Unit::Bytes);
    let job = Job { loaded, keys, asked, plans: &plans, files: &files, phase: &phase, next: AtomicUsize::new(0) };
    let tallies = job.run(sink)?;
    let reports = plans.iter().zip(tallies);
    let sources = reports.map(|(plan, tally)| SourceReport::new(loaded, plan, &files, tally, as_of)).collect();
    let report = CollectReport { as_of, sources };
    let accepted: u64 = report.sources.iter().map(|source| source.accepted).sum();
    let rejected: u64 = report.sources.iter().map(|source| source.rejected).sum();
    phase.done(&format!("{accepted} rows accepted, {rejected} rejected, {} files", files.len()));
    Ok(report)
}

impl Job<'_> {
    /// The counts by source.
    fn run(&self, sink: &mut dyn FnMut(Batch) -> Result<()>) -> Result<Vec<Tally>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match self.loaded.config.build.threads {
            0 => cores,
            configured => configured,
        };
        let threads = threads.clamp(1, self.files.len().max(1));
        let mut tallies = vec![Tally::default(); self.plans.len()];
        let (sender, receiver) = sync_channel(threads * WAITING);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let sender = sender.clone();
                scope.spawn(move || self.work(&sender));
            }
            drop(sender);
            for message in receiver {
                match message {
                    Message::Batch(batch) => sink(batch)?,
                    Message::Done(source, tally) => tallies[source].merge(tally),
                    Message::Failed(error) => return Err(error),
                }
            }
            // Leaving early drops the receiver: the threads cannot send any more, and stop.
            Ok(tallies)
        })
    }

    /// Parses one file after the other until there is none left or nobody listens.
    fn work(&self, sender: &SyncSender<Message>) {
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = self.files.get(at) else { return };
            let mut send = |batch| sender.send(Message::Batch(batch)).map_err(|_| Stopped);
            let message = match self.read(at, file, &mut send) {
                Ok(Ok(tally)) => Message::Done(file.source, tally),
                Ok(Err(Stopped)) => return,
                Err(error) => Message::Failed(error),
            };
            if sender.send(message).is_err() {
                return;
            }
        }
    }

    fn read(
        &self,
        at: usize,
        file: &InputFile,
        send: &mut dyn FnMut(Batch) -> std::result::Result<(), Stopped>,
    ) -> Result<std::result::Result<Tally, Stopped>> {
        let plan = &self.plans[file.source];
        let source = &self.loaded.config.sources[file.source].name;
        let mut rows = RowMaker::new(plan, self.keys, at as u32, file.modified, send).asked(self.asked);
        let outcome = match file.format {
            Format::Csv => self.read_csv(file, plan, &mut rows).map_err(|error| file.unreadable(source, error))?,
            Format::Ndjson => file
                .open(Some(self.phase))
                .and_then(|input| from_ndjson::read(input, &plan.columns, plan.max_row_bytes, &mut rows))
                .map_err(|error| file.unreadable(source, error))?,
            #[cfg(feature = "lake")]
            Format::Parquet => super::from_parquet::read(file, source, plan, &mut rows, self.phase)?,
        };
        Ok(outcome.and_then(|()| rows.finish()))
    }

    fn read_csv(
        &self,
        file: &InputFile,
        plan: &Plan,
        rows: &mut RowMaker<'_>,
    ) -> std::io::Result<std::result::Result<(), Stopped>> {
        let mut records = from_csv::records(plan, file.open(Some(self.phase))?)?;
        let Ok(Some(names)) = records.header()? else { return Ok(Ok(())) };
        rows.tally.seen.fill(true);
        let position = |column: &String| names.iter().position(|name| name == column);
        match plan.columns.iter().map(position).collect::<Option<Vec<_>>>() {
            Some(positions) => from_csv::read(&mut records, names.len(), &positions, rows),
            None => Err(std::io::Error::other("the file changed while it was read: its header is another one now")),
        }
    }
}
