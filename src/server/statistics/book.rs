//! The minutes on disk: a file a UTC day, appended and made durable once a minute, removed when it is older than is kept.
//! A minute that was torn by a crash is cut off. What the bytes mean: [`crate::telemetry::statistics`].

use crate::disk;
use crate::error::{Error, Result};
use crate::telemetry::statistics::{Decoder, Encoder, Minute};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const MINUTES_OF_A_DAY: i64 = 1_440;
const EXTENSION: &str = "minutes";

/// The files, and the one that is written.
#[derive(Debug)]
pub(super) struct Book {
    directory: PathBuf,
    open: Option<Day>,
}

#[derive(Debug)]
struct Day {
    day: i64,
    file: File,
    encoder: Encoder,
}

/// What is to be read of a day.
#[derive(Debug)]
pub(super) struct Page {
    pub day: i64,
    path: PathBuf,
}

impl Page {
    /// Hands out its minutes.
    ///
    /// # Errors
    /// A machine that refuses.
    pub fn read(&self, each: &mut dyn FnMut(Minute)) -> Result<()> {
        let bytes = match fs::read(&self.path) {
            // A day that grew too old since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read.map_err(|error| Error::io(format!("read {}", self.path.display()), error))?,
        };
        Decoder::default().read(&bytes, each);
        Ok(())
    }
}

impl Book {
    pub fn new(directory: PathBuf) -> Self {
        Book { directory, open: None }
    }

    /// Appends a minute, durably.
    ///
    /// # Errors
    /// A machine that refuses; what was half written is cut off the next time.
    pub fn append(&mut self, minute: &Minute) -> Result<()> {
        let day = minute.minute.div_euclid(MINUTES_OF_A_DAY);
        let mut open = match self.open.take().filter(|open| open.day == day) {
            Some(open) => open,
            None => self.resume(day)?,
        };
        let path = self.path(day);
        let failed = |error| Error::io(format!("write {}", path.display()), error);
        let bytes = open.encoder.append(minute).ok_or_else(|| Error::internal("a minute cannot be packed"))?;
        disk::append(&mut open.file, &bytes).map_err(failed)?;
        disk::sync(&open.file).map_err(failed)?;
        self.open = Some(open);
        Ok(())
    }

    fn resume(&self, day: i64) -> Result<Day> {
        let path = self.path(day);
        let failed = |error| Error::io(format!("write {}", path.display()), error);
        fs::create_dir_all(&self.directory).map_err(failed)?;
        let before = fs::read(&path).ok();
        let (encoder, good) = Encoder::resume(before.as_deref().unwrap_or_default());
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut file = disk::open(&options, &path).map_err(failed)?;
        if before.as_ref().is_some_and(|before| before.len() > good) {
            disk::truncate(&file, good as u64).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(good as u64)).map_err(failed)?;
        if before.is_none() {
            disk::sync_directory(&self.directory).map_err(failed)?;
        }
        Ok(Day { day, file, encoder })
    }

    /// The days within a range of minutes (`to` excluded), the oldest first.
    pub fn pages(&self, from: i64, to: i64) -> Vec<Page> {
        let (first, last) = (from.div_euclid(MINUTES_OF_A_DAY), (to - 1).div_euclid(MINUTES_OF_A_DAY));
        let days = self.days().into_iter().filter(|day| (first..=last).contains(day));
        days.map(|day| Page { day, path: self.path(day) }).collect()
    }

    /// Removes the days before one.
    ///
    /// # Errors
    /// A machine that refuses.
    pub fn sweep(&self, oldest: i64) -> Result<()> {
        self.days().into_iter().filter(|day| *day < oldest).try_for_each(|day| {
            let path = self.path(day);
            disk::remove(&path).map_err(|error| Error::io(format!("remove {}", path.display()), error))
        })
    }

    fn path(&self, day: i64) -> PathBuf {
        self.directory.join(format!("{}.{EXTENSION}", date(day)))
    }

    /// The days that there are files of, ascending.
    fn days(&self) -> Vec<i64> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let mut days: Vec<i64> = entries.filter_map(|entry| day_of(&entry.path())).collect();
        days.sort_unstable();
        days
    }
}

fn date(day: i64) -> jiff::civil::Date {
    let seconds = jiff::Timestamp::from_second(day.saturating_mul(86_400)).unwrap_or_default();
    seconds.to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn day_of(path: &Path) -> Option<i64> {
    let date: jiff::civil::Date = path.file_stem()?.to_str()?.parse().ok()?;
    let is_ours = path.extension().is_some_and(|extension| extension == EXTENSION);
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    is_ours.then_some(midnight.as_second() / 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::statistics::{Counts, Key, What};

    fn minute(minute: i64, count: u64) -> Minute {
        let key = Key { what: What::Lookups, names: ["dsp".into(), "http_lookup".into(), "matched".into()] };
        Minute { minute, counts: Counts::from([(key, count)]) }
    }

    fn read(book: &Book, from: i64, to: i64) -> Vec<Minute> {
        let mut all = Vec::new();
        book.pages(from, to).iter().for_each(|page| page.read(&mut |minute| all.push(minute)).unwrap());
        all
    }

    #[test]
    fn days_are_files_that_go_on_after_a_torn_minute_and_go_when_they_are_old() {
        let directory = tempfile::tempdir().unwrap();
        let day = 20_000 * MINUTES_OF_A_DAY;
        let minutes = [minute(day + 5, 3), minute(day + 6, 4), minute(day + MINUTES_OF_A_DAY, 5)];
        let mut book = Book::new(directory.path().to_owned());
        minutes.iter().for_each(|minute| book.append(minute).unwrap());
        assert_eq!(read(&book, day, day + 2 * MINUTES_OF_A_DAY), minutes);
        assert_eq!(read(&book, day, day + MINUTES_OF_A_DAY), minutes[..2]);
        let path = directory.path().join("2024-10-04.minutes");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let mut book = Book::new(directory.path().to_owned());
        assert_eq!(read(&book, day, day + 10), minutes[..1]);
        book.append(&minute(day + 7, 9)).unwrap();
        assert_eq!(read(&book, day, day + 10), [minute(day + 5, 3), minute(day + 7, 9)]);
        let listed = book.pages(day, day + 10);
        book.sweep(20_001).unwrap();
        listed.iter().for_each(|page| page.read(&mut |_| panic!("it is gone")).unwrap());
        assert_eq!(read(&book, 0, i64::MAX), minutes[2..]);
    }
}
