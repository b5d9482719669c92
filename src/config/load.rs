//! Reads the configuration: YAML, `VAGLIO_...` overrides, validation of the whole at once.

use super::Config;
use crate::error::Result;
use crate::schema::{Clock, Declarations, KeyHasher};
use std::path::{Path, PathBuf};

/// A configuration that was read and found valid.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings; paths are absolute or relative to the working directory.
    pub config: Config,
    /// The file it came from.
    pub file: PathBuf,
    /// The vocabulary that its sources declare.
    pub declarations: Declarations,
    /// Every identifier type of the sources, sorted by name: `RowKey.id_type` is a position here.
    pub id_types: Vec<IdType>,
}

/// A type of identifier that occurs in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdType {
    /// `email`, `phone`, `ifa` or an EID source, in lower case.
    pub name: String,
    /// Whether it occurs at bid time.
    pub bid: bool,
}

impl Loaded {
    /// The time zone of `today` and of dates. `load` has checked the name.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.config.timezone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// Where "now" comes from: frozen by `as_of`, the machine's clock otherwise.
    pub fn clock(&self) -> Clock {
        self.config.as_of.map_or(Clock::System, Clock::Frozen)
    }

    /// The key file: configured, or `<data_dir>/vaglio.key`.
    pub fn key_file(&self) -> PathBuf {
        self.config.key_file.clone().unwrap_or_else(|| self.config.data_dir.join("vaglio.key"))
    }

    /// Reads the secret. `create` writes a new random one where there is none (only `build` and `demo` may).
    pub fn key_hasher(&self, create: bool) -> Result<KeyHasher> {
        let _ = create;
        unimplemented!("config/load.rs: read or create the key file")
    }
}

/// Reads a configuration with the process's environment.
///
/// # Errors
/// Every unknown key, wrong type, missing value and contradiction, all at once, with positions where known.
pub fn load(file: &Path) -> Result<Loaded> {
    let _ = file;
    unimplemented!("config/load.rs: load")
}
