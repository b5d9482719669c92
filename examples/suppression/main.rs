//! Asks a suppression list: `cargo run --example suppression -- FILE ifa:123e4567-e89b-12d3-a456-426614174000 ...`
//! Exit codes: 0 answered, 1 the list may not be used.

mod list;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("usage: suppression FILE TYPE:UID ...");
        return ExitCode::from(2);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let read = std::fs::read(&file).map_err(|error| error.to_string());
    let list = match read.and_then(|bytes| list::List::read(&bytes, now)) {
        Ok(list) => list,
        Err(why) => {
            eprintln!("{file}: {why}");
            return ExitCode::FAILURE;
        }
    };
    println!("{} identifiers, for another {} s", list.len(), list.expires - now);
    for asked in arguments {
        let (id_type, uid) = asked.split_once(':').unwrap_or(("ifa", &asked));
        println!("{id_type}: {}", if list.has(id_type, uid) { "listed" } else { "not listed" });
    }
    ExitCode::SUCCESS
}
