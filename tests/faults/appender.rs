//! The process that is hit: this test binary once more, as a program that appends to both logs and says on its standard
//! output what is durable, after it is. Whoever started it keeps the ledger.

use crate::dice::Dice;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio, exit};
use vaglio::disk;
use vaglio::error::{Error, ErrorKind};
use vaglio::log::{Control, ControlLog, Log, Settings};
use vaglio::schema::{BlockKey, Offset, Timestamp};

/// So small that a run seals several segments.
pub const SETTINGS: Settings = Settings { segment_bytes: 1_500, reserve_bytes: 4_096 };

const NAME: &str = "appender::appends_where_it_is_told_to";
/// The data directory, the first number, how many batches, the seed.
const ORDER: &str = "FAULTS_APPEND";

/// What an appender is to do.
#[derive(Debug, Clone)]
pub struct Order {
    /// The number of its first record; each later one counts on.
    pub first: u64,
    /// It ends well after so many.
    pub batches: u64,
    pub seed: u64,
}

/// A process that appends below `data/log`.
pub fn appender(data: &Path, order: &Order) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture", "--test-threads=1"]);
    command.env(ORDER, format!("{},{},{},{}", order.first, order.batches, order.seed, data.display()));
    command.env_remove("FAULTS_HIT").env_remove("FAULTS_TRACE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A record that says which number it has, of 40 bytes or more: a longer text for a higher number's last digits.
pub fn record(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend((0..32 + number % 97).map(|at| (number.wrapping_mul(31).wrapping_add(at) % 251) as u8));
    bytes
}

/// The number of a record, if it is whole.
pub fn number(bytes: &[u8]) -> Option<u64> {
    let number = u64::from_le_bytes(*bytes.first_chunk()?);
    (record(number) == bytes).then_some(number)
}

/// The control record that carries a number.
pub fn control(number: u64) -> Control {
    Control::Audit { time: number as i64, who: "harness".to_owned(), what: "count".to_owned(), subject: BlockKey(7) }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\nledger {line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

#[test]
fn appends_where_it_is_told_to() {
    // Without an order this is no test: it is a program that other tests start.
    let Ok(text) = std::env::var(ORDER) else { return };
    let mut fields = text.splitn(4, ',');
    let mut next = || fields.next().unwrap().to_owned();
    let [first, batches, seed] = [(); 3].map(|()| next().parse().unwrap());
    let done = append(Path::new(&next()), &Order { first, batches, seed });
    if let Err(error) = done {
        say(&format!("error {:?} {error}", error.kind));
        exit(1);
    }
    exit(0);
}

fn append(data: &Path, order: &Order) -> Result<(), Error> {
    let mut dice = Dice(order.seed);
    let (mut log, _) = Log::open(&data.join("log/events"), SETTINGS)?;
    let mut controls = ControlLog::open(&data.join("log/control"))?;
    let mut number = order.first;
    say(&format!("open {}", log.end()));
    for _ in 0..order.batches {
        let count = 1 + dice.below(6);
        batch(&mut log, number, count)?;
        number += count;
        if dice.once_in(3) {
            // Nothing is told of it before it is there.
            controls.append(&control(number))?;
            say(&format!("control {number}"));
            number += 1;
        }
        if dice.once_in(9) {
            let cut = log.seal()?;
            say(&format!("sealed {cut}"));
        }
        if dice.once_in(12) {
            let before = Offset(log.end().0.saturating_sub(60));
            say(&format!("releasing {before}"));
            log.release(before, Timestamp(i64::MAX))?;
        }
    }
    Ok(())
}

fn batch(log: &mut Log, number: u64, count: u64) -> Result<(), Error> {
    let records: Vec<_> = (number..number + count).map(record).collect();
    let first = match log.append(&records) {
        Err(error) if error.kind == ErrorKind::NoRoom => {
            say("no room");
            return Ok(());
        }
        appended => appended?,
    };
    if let Err(error) = log.sync() {
        // What a sync has lost, a second one would not tell.
        if log.sync().is_ok() || log.append([record(number)]).is_ok() {
            say("believed");
        }
        return Err(error);
    }
    disk::acknowledge("events");
    say(&format!("durable {first} {number} {count}"));
    Ok(())
}
