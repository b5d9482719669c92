//! `vaglio check`: are the definitions right, together with what is published? Needs the configuration's vocabulary, no
//! sources and no server.

use super::{ConfigArg, Format, print};
use crate::audiences::Severity;
use crate::audiences::definitions::{Checked, Finding, MAX_FILE_BYTES};
use crate::build::defined::{Ledger, Texts};
use crate::config::settled;
use crate::error::{Error, Problem, Result};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `vaglio check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// How the findings are written: drawn over their lines, or as a list of {severity, code, file, line, column, ...}
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Definition files; default: those that the configuration names
    files: Vec<PathBuf>,
}

/// Checks the files and prints everything found; errors make it fail as wrong usage (exit code 2).
///
/// # Errors
/// An unreadable configuration or file, or any error in the definitions.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let files = if args.files.is_empty() { loaded.definition_files()? } else { read(&args.files)? };
    let mut ledger = Ledger::open(&loaded.config.data_dir)?;
    ledger.catch_up()?;
    let texts = Texts::of(&files, ledger.versions());
    let checked = texts.check(&loaded.declarations, &loaded.zone());
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    print(&match args.format {
        Format::Text => text(&files, &texts, &checked, colour),
        Format::Json => json(&checked.findings),
    })?;
    match checked.count(Severity::Error) {
        0 => Ok(()),
        count => Err(Error::usage(format!("the definitions have {}", counted(count, "error")))),
    }
}

/// Reads the named files, and names every one that cannot be read.
fn read(paths: &[PathBuf]) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        match read_one(path) {
            Ok(text) => files.push((path.clone(), text)),
            Err(why) => problems.push(Problem::new(why).in_file(path)),
        }
    }
    if problems.is_empty() {
        return Ok(files);
    }
    Err(Error::usage("some definition files cannot be read").with_problems(problems))
}

fn read_one(path: &Path) -> std::result::Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_FILE_BYTES as u64 {
        return Err(format!("this file has {length} bytes; at most {MAX_FILE_BYTES} are read: split it"));
    }
    settled::read(path, Instant::now() + settled::PATIENCE).map_err(|error| error.to_string())
}

fn json(findings: &[Finding]) -> String {
    let list = serde_json::to_string_pretty(findings).unwrap_or_else(|_| "[]".to_owned());
    list + "\n"
}

fn text(files: &[(PathBuf, String)], texts: &Texts, checked: &Checked, colour: bool) -> String {
    let mut out = String::new();
    for finding in &checked.findings {
        out.push_str(&finding.render(texts.text(&finding.file).unwrap_or(""), colour));
        out.push('\n');
    }
    let (audiences, campaigns) = checked.read;
    out.push_str(&format!(
        "{}, {}, {}: {}, {}\n",
        counted(files.len(), "file"),
        counted(audiences, "audience"),
        counted(campaigns, "campaign"),
        counted(checked.count(Severity::Error), "error"),
        counted(checked.count(Severity::Warning), "warning"),
    ));
    out
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
