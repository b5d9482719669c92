//! The log: to stderr, one line an event, text or JSON. Nothing per bid, no personal data.

use crate::error::{Error, Result};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging for this process: `VAGLIO_LOG` filters (default `info`, syntax of `tracing`), `VAGLIO_LOG_FORMAT=json`
/// or `json` writes JSON. Starting twice is harmless: the first stays.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(json: bool) -> Result<()> {
    let filter = match std::env::var("VAGLIO_LOG") {
        Ok(text) => EnvFilter::try_new(&text).map_err(|error| {
            Error::usage(format!("VAGLIO_LOG=`{text}` is not a log filter ({error}); try `info` or `vaglio=debug`"))
        })?,
        Err(_) => EnvFilter::new("info"),
    };
    let json = json || std::env::var("VAGLIO_LOG_FORMAT").is_ok_and(|format| format == "json");
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    // An error means that a subscriber is there already, as in tests that start several servers.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
    Ok(())
}
