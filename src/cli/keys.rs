//! `vaglio keys`: makes, lists and takes away what callers show. A key itself is printed once, when it is made.

use super::{ConfigArg, print, print_json};
use crate::access::credentials::{State, is_owner};
use crate::access::key::{ID_DIGITS, PREFIX};
use crate::access::{Credential, CredentialStore, Credentials, Key, Role};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::schema::{Clock, Span, Timestamp};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{self, Write};

/// Make, list and take away the keys that callers show; running servers follow within a second
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key: it alone goes to stdout, once, and only its hash is kept
    Create(Create),
    /// List the keys that were made, and what has become of them
    List(List),
    /// Take a key away
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  vaglio keys create --role bidder --owner acme --expires 90d > acme.key\n  \
    vaglio keys create --role bidder --owner acme --caller index\n  \
    vaglio keys create --role ingest --owner acme\n  vaglio keys create --role privacy --owner \"*\"\n  vaglio keys create --print-hash")]
struct Create {
    #[command(flatten)]
    config: ConfigArg,
    /// What it is for
    #[arg(long, required_unless_present = "print_hash",
        value_parser = PossibleValuesParser::new(Role::ALL.map(Role::name)).map(role))]
    role: Option<Role>,
    /// Whose it is, "*" = everybody's; without --caller it sees what is this owner's
    #[arg(long, required_unless_present = "print_hash")]
    owner: Option<String>,
    /// The caller of the configuration whose settings it uses
    #[arg(long, value_name = "NAME", conflicts_with = "print_hash")]
    caller: Option<String>,
    /// When it stops being valid: after a time (90d) or at a date (2027-01-01); never unless given
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// A note for the list
    #[arg(long, value_name = "TEXT", conflicts_with = "print_hash")]
    comment: Option<String>,
    /// Store nothing: also print the line for `callers[].credentials` of the configuration, on stderr
    #[arg(long)]
    print_hash: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    #[command(flatten)]
    config: ConfigArg,
    /// The key's id: the 8 digits behind `vaglio_`
    id: String,
}

/// Runs the command.
///
/// # Errors
/// Wrong arguments, a third valid key, no such key, and keys that cannot be read or written.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Create(args) => create(args),
        Command::List(args) => list(args),
        Command::Revoke(args) => revoke(args),
    }
}

/// A role by its name, which the parser has checked.
fn role(name: String) -> Role {
    Role::ALL.into_iter().find(|role| role.name() == name).unwrap_or(Role::Bidder)
}

/// For people: stdout is the key's alone.
fn tell(words: &str) {
    // When stderr is gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{words}");
}

fn create(args: &Create) -> Result<()> {
    let now = Clock::System.now();
    let key = Key::random()?;
    if args.print_hash {
        let expires = args.expires.as_deref().map(|text| expiry(text, now, &TimeZone::UTC)).transpose()?;
        let until = expires.map(|expires| format!(", expires: {expires}")).unwrap_or_default();
        print(&format!("{}\n", key.text()))?;
        tell("The key is on stdout and stored nowhere. For `credentials` of a caller in the configuration:");
        tell(&format!("      - {{ sha256: {}{until} }}  # key {}", key.hash(), key.id()));
        return Ok(());
    }
    let loaded = args.config.load()?;
    let expires = args.expires.as_deref().map(|text| expiry(text, now, &loaded.zone())).transpose()?;
    let made = Credential {
        id: key.id().to_owned(),
        sha256: key.hash(),
        role: args.role.unwrap_or(Role::Bidder),
        owner: args.owner.clone().unwrap_or_default(),
        caller: args.caller.clone(),
        created: now,
        expires,
        revoked: None,
        comment: args.comment.clone(),
    };
    check(&made, &loaded.config)?;
    let store = CredentialStore::of(&loaded.config.data_dir);
    store.change(|credentials| credentials.add(made.clone(), now))?;
    if let Err(error) = print(&format!("{}\n", key.text())) {
        // Nobody has seen it, so nobody may use it.
        store.change(|credentials: &mut Credentials| credentials.revoke(&made.id, now))?;
        return Err(error);
    }
    let until = expires.map_or_else(|| "until it is taken away".to_owned(), |expires| format!("until {expires}"));
    tell(&format!("Key {} for {} ({}), valid {until}.", made.id, whose(&made), made.role.name()));
    tell("It is shown this once and kept as a hash. Callers send it as `Authorization: Bearer KEY`.");
    Ok(())
}

/// What is wrong with a key that is to be made.
fn check(made: &Credential, config: &Config) -> Result<()> {
    if !is_owner(&made.owner) {
        let message =
            "--owner must be an owner's name as in the definitions (letters, digits, `_`, `-`, `.`), or \"*\" for all";
        return Err(Error::usage(message));
    }
    if made.role == Role::Privacy && made.owner != "*" {
        return Err(Error::usage(
            "--role privacy goes with --owner \"*\": what is held of a person is not one owner's",
        ));
    }
    if made.comment.as_ref().is_some_and(|comment| comment.chars().any(char::is_control)) {
        return Err(Error::usage("--comment must be one line of plain text"));
    }
    let Some(name) = &made.caller else { return Ok(()) };
    if made.role != Role::Bidder {
        return Err(Error::usage("--caller goes with --role bidder: callers are those who ask at the bid doors"));
    }
    if config.callers.iter().any(|caller| caller.name == *name) {
        return Ok(());
    }
    let known: Vec<&str> = config.callers.iter().map(|caller| caller.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Error::usage(format!("the configuration has no caller `{name}`; there: {known}")))
}

/// `90d` from now, or the midnight that opens a date, or an instant.
fn expiry(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp> {
    let after = Span::parse(text).and_then(|span| now.0.checked_add(span.0)).map(Timestamp);
    let on = || text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2027-01-01".len());
    let midnight = || Some(Timestamp(on()?.to_zoned(zone.clone()).ok()?.timestamp().as_second()));
    let expires = after.or_else(midnight).or_else(|| Timestamp::parse(text)).ok_or_else(|| {
        Error::usage(format!("--expires {text}: expected a length of time such as 90d, or a date such as 2027-01-01"))
    })?;
    if expires <= now {
        return Err(Error::usage(format!("--expires {text} has passed already; name a time to come")));
    }
    Ok(expires)
}

fn whose(credential: &Credential) -> String {
    match &credential.caller {
        Some(caller) => format!("caller {caller}, owner {}", credential.owner),
        None => format!("owner {}", credential.owner),
    }
}

/// A key as it is listed: without its hash, which is of no use to anybody.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    state: State,
    role: Role,
    owner: &'a str,
    caller: Option<&'a str>,
    created: Timestamp,
    expires: Option<Timestamp>,
    revoked: Option<Timestamp>,
    comment: Option<&'a str>,
}

fn list(args: &List) -> Result<()> {
    let loaded = args.config.load()?;
    let credentials = CredentialStore::of(&loaded.config.data_dir).read()?;
    let now = Clock::System.now();
    let line = |made| line(made, now);
    let lines: Vec<Line<'_>> = credentials.all().iter().map(line).collect();
    if args.json {
        return print_json(&lines);
    }
    if lines.is_empty() {
        return print("no keys yet; `vaglio keys create --role bidder --owner NAME` makes one\n");
    }
    print(&lines.iter().map(text).collect::<String>())
}

fn line(made: &Credential, now: Timestamp) -> Line<'_> {
    Line {
        id: &made.id,
        state: made.state(now),
        role: made.role,
        owner: &made.owner,
        caller: made.caller.as_deref(),
        created: made.created,
        expires: made.expires,
        revoked: made.revoked,
        comment: made.comment.as_deref(),
    }
}

fn text(line: &Line<'_>) -> String {
    let state = match (line.state, line.expires, line.revoked) {
        (State::Revoked, _, Some(at)) => format!("revoked {at}"),
        (State::Expired, Some(at), _) => format!("expired {at}"),
        (_, Some(at), _) => format!("valid until {at}"),
        _ => "valid".to_owned(),
    };
    let caller = line.caller.map(|caller| format!(" caller={caller}")).unwrap_or_default();
    let comment = line.comment.map(|comment| format!("  # {comment}")).unwrap_or_default();
    let (role, owner) = (line.role.name(), line.owner);
    format!("{}  {role:8}  owner={owner}{caller}  created {}  {state}{comment}\n", line.id, line.created)
}

fn revoke(args: &Revoke) -> Result<()> {
    let loaded = args.config.load()?;
    // Whoever has the key itself may give that.
    let id = match args.id.strip_prefix(PREFIX) {
        Some(key) => key.get(..ID_DIGITS).unwrap_or_default(),
        None => &args.id,
    };
    let store = CredentialStore::of(&loaded.config.data_dir);
    let before = store.change(|credentials| credentials.revoke(id, Clock::System.now()))?;
    match before.revoked {
        Some(since) => print(&format!("key {id} was revoked already, at {since}\n")),
        None => print(&format!("key {id} for {} is revoked\n", whose(&before))),
    }
}
