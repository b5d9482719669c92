//! `vaglio publish`: takes definition files into the catalogue of a data directory, all of them or none, and publishes them. A
//! server on the same directory sees it by itself.

use super::{ConfigArg, Format, print, print_json};
use crate::access::{Who, audit};
use crate::audiences::definitions::{Finding, MAX_FILE_BYTES};
use crate::audiences::versions::{Item, State};
use crate::build::defined::called;
use crate::config::Loaded;
use crate::error::{Error, Problem, Result};
use crate::planner::View;
use crate::planner::catalogue::base::Base;
use crate::planner::catalogue::refusal::Refusal;
use crate::planner::catalogue::weigh::Reason;
use crate::planner::catalogue::wish::{Asked, Desk, Done, Wish};
use crate::planner::catalogue::{Definitions, entries};
use crate::schema::names::is_name;
use crate::snapshot::{Planes, Store};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Take definition files into the catalogue, all or nothing, and publish them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio publish autumn.yaml --dry-run                what would change, and whom it would move
  vaglio publish autumn.yaml --comment \"autumn offers\"
  vaglio publish autumn.yaml --confirm TOKEN          what moves many people asks to be confirmed, and prints the token
  vaglio publish autumn.yaml --draft                  keep them as drafts

What a definition file of the configuration defines stays there: the file wins.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Definition files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Keep them as drafts: nothing is in force
    #[arg(long)]
    draft: bool,
    /// Confirm exactly the change that printed this token
    #[arg(long, value_name = "TOKEN")]
    confirm: Option<String>,
    /// Take definitions of this owner alone, as its key would
    #[arg(long)]
    owner: Option<String>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
///
/// # Errors
/// Files that cannot be read or are wrong (exit code 2); a change that must be confirmed, and a machine that refuses (1).
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    if let Some(owner) = args.owner.as_ref().filter(|owner| !is_name(owner)) {
        return Err(Error::usage(format!("`{owner}` is no owner's name")));
    }
    let texts = read(&args.files)?;
    let who = Who { name: format!("cli:{}", user()), owner: args.owner.clone(), role: None };
    let asked = Asked {
        who,
        comment: args.comment.clone(),
        publish: !args.draft,
        dry_run: args.dry_run,
        confirm: args.confirm.clone(),
    };
    let definitions = Definitions::default();
    let view = || view(&loaded);
    let note = |asked: &Asked, base: &Base, items: &[Item]| {
        let mut entries = entries(base, items).into_iter();
        entries.try_for_each(|entry| audit::log(&loaded.config.data_dir, &asked.who, entry)).map_err(Refusal::Failed)
    };
    let desk = Desk { loaded: &loaded, definitions: &definitions, view: &view, note: &note };
    match desk.change(&asked, &Wish::Texts(texts.clone())) {
        Ok(done) => tell(args, &texts, &done),
        Err(refusal) => Err(refused(refusal, &texts)),
    }
}

/// The generation that is live, to count who moves; `None` before the first.
fn view(loaded: &Loaded) -> Result<Option<Arc<View>>> {
    let store = Store::open(&loaded.config.data_dir)?;
    let Some(live) = store.current()? else { return Ok(None) };
    let snapshot = store.open_snapshot(live, Planes::All, Some(&loaded.key_hasher(false)?))?;
    let serving = crate::lookup::ServingSnapshot::new(snapshot)?;
    View::of(serving, loaded.zone()).map(|view| Some(Arc::new(view)))
}

fn read(paths: &[PathBuf]) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        match std::fs::read_to_string(path) {
            Ok(text) if text.len() > MAX_FILE_BYTES => {
                let message = format!("it has {} bytes; at most {MAX_FILE_BYTES} are read: split it", text.len());
                problems.push(Problem::new(message).in_file(path));
            }
            Ok(text) => files.push((path.clone(), text)),
            Err(error) => problems.push(Problem::new(error.to_string()).in_file(path)),
        }
    }
    if problems.is_empty() {
        return Ok(files);
    }
    Err(Error::usage("some definition files cannot be read").with_problems(problems))
}

/// Who runs the command, as the system calls them.
fn user() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|user| is_name(user)));
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

fn tell(args: &Args, texts: &[(PathBuf, String)], done: &Done) -> Result<()> {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    for warning in &done.warnings {
        let text = texts.iter().find(|(name, _)| *name == warning.file).map_or("", |(_, text)| text);
        // Nobody reads stderr: then nobody wants the warning.
        let _ = writeln!(std::io::stderr(), "{}", warning.render(text, colour));
    }
    match args.format {
        Format::Json => print_json(&json(args, done)),
        Format::Text => print(&text(args, done)),
    }
}

fn json(args: &Args, done: &Done) -> serde_json::Value {
    let item = |((kind, id), version, state, _): &((_, _), u64, State, bool)| {
        let kind: crate::audiences::versions::Kind = *kind;
        let id: &crate::schema::AudienceId = id;
        serde_json::json!({ "kind": kind, "id": id, "version": version, "state": state })
    };
    serde_json::json!({
        "change": done.change.map(|(number, _)| number),
        "dry_run": args.dry_run,
        "items": done.items.iter().map(item).collect::<Vec<_>>(),
        "unchanged": done.unchanged.iter().map(|(kind, id)| format!("{kind} {id}")).collect::<Vec<_>>(),
        "affected": { "audiences": done.affected.audiences, "campaigns": done.affected.campaigns },
        "needs_confirmation": done.reasons.iter().map(|reason| &reason.detail).collect::<Vec<_>>(),
        "confirm": done.token,
        "definitions": done.definitions,
    })
}

fn text(args: &Args, done: &Done) -> String {
    let mut out = String::new();
    for ((kind, id), version, state, _) in &done.items {
        let what = match (args.dry_run, state) {
            (true, State::Draft) => "would be a draft",
            (true, _) => "would be published",
            (false, State::Draft) => "is a draft",
            (false, _) => "is published",
        };
        out.push_str(&format!("{kind} {id}: version {version} {what}\n"));
    }
    if let (true, Some(token)) = (args.dry_run, &done.token) {
        out.push_str(&format!("it must be confirmed, with `--confirm {token}`:\n{}\n", listed(&done.reasons)));
    }
    let (count, same) = (done.items.len(), done.unchanged.len());
    let touched = (done.affected.audiences.len(), done.affected.campaigns.len());
    out.push_str(&match done.change {
        Some((number, _)) => format!("change {number}: "),
        None => "nothing was written: ".to_owned(),
    });
    out.push_str(&format!(
        "{count} changed, {same} as they were; {} audiences and {} campaigns touched\n",
        touched.0, touched.1
    ));
    out
}

fn listed(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| format!("  {}", reason.detail)).collect::<Vec<_>>().join("\n")
}

/// A refusal as a command says it.
fn refused(refusal: Refusal, texts: &[(PathBuf, String)]) -> Error {
    let problems = |findings: Vec<Finding>| findings.iter().map(Finding::to_problem).collect::<Vec<_>>();
    match refusal {
        Refusal::Wrong(findings) => {
            let count = findings.len();
            let message = format!("the definitions have {count} error{}", if count == 1 { "" } else { "s" });
            Error::usage(message).with_problems(problems(findings))
        }
        Refusal::Breaks(findings) => Error::usage("definitions that are in force rest on it and would be wrong")
            .with_problems(problems(findings)),
        Refusal::InFile(held) => {
            let problem = |held: &crate::planner::catalogue::refusal::Held| {
                let message = format!("the {} `{}` is defined here", held.kind, held.id);
                Problem::new(message).in_file(&held.file).at(held.line, 1)
            };
            let message = "what a file of the configuration defines is changed there, or taken out of it first";
            Error::usage(message).with_problems(held.iter().map(problem).collect())
        }
        Refusal::Foreign(named) => {
            let file = texts.first().map(|(name, _)| name.clone()).filter(|_| texts.len() == 1);
            let problem = |(kind, id, line): &(crate::audiences::versions::Kind, _, usize)| {
                let problem = Problem::new(format!("the {kind} `{id}` is of another owner"));
                match &file {
                    Some(file) => problem.in_file(file).at(*line, 1),
                    None => problem.in_file(called(*kind, id)),
                }
            };
            Error::usage("`--owner` takes definitions of that owner alone")
                .with_problems(named.iter().map(problem).collect())
        }
        Refusal::Confirm(reasons, token) => Error::input(format!(
            "this must be confirmed; nothing was changed. If it is meant, say it again with `--confirm {token}`:\n{}",
            listed(&reasons)
        ))
        .with_problems(reasons.iter().flat_map(|reason| problems(reason.wrong.clone())).collect()),
        Refusal::Approver(_) => Error::input("only an approver may publish this"),
        Refusal::Busy => Error::busy("others change the catalogue all the time: try again"),
        Refusal::Stale(_) => Error::busy("somebody changed it meanwhile: try again"),
        Refusal::Absent(message) | Refusal::Senseless(message, _) => Error::usage(message),
        Refusal::Failed(error) => error,
    }
}
