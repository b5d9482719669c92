//! `vaglio keys`: makes, lists and takes away what callers show. A key itself is printed once, when it is made.

use super::{ConfigArg, print, print_json};
use crate::access::credentials::{Line, State};
use crate::access::key::{ID_DIGITS, PREFIX};
use crate::access::make::{Wanted, expiry};
use crate::access::{Credential, CredentialStore, Credentials, Key, Role, Who};
use crate::error::Result;
use crate::schema::{Clock, Timestamp};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::tz::TimeZone;
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
    /// The name in a client certificate that stands for it (`server.planner_tls.client_ca`), instead of a text
    #[arg(long, value_name = "NAME", conflicts_with = "print_hash")]
    mtls: Option<String>,
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
    if args.print_hash {
        return print_hash(args, now);
    }
    let loaded = args.config.load()?;
    let wanted = Wanted {
        role: args.role.unwrap_or(Role::Bidder),
        owner: args.owner.clone().unwrap_or_default(),
        caller: args.caller.clone(),
        expires: args.expires.as_deref().map(|text| expiry(text, now, &loaded.zone())).transpose()?,
        comment: args.comment.clone(),
        mtls: args.mtls.clone(),
    };
    let (key, made) = wanted.make(&loaded.config, now)?;
    let store = CredentialStore::of(&loaded.config.data_dir);
    let who = Who::command_line();
    store.change(&who, |all| all.add(made.clone(), now).map(|()| ((), made.entry("keys create"))))?;
    let until = made.expires.map_or_else(|| "until it is taken away".to_owned(), |expires| format!("until {expires}"));
    let what = format!("Key {} for {} ({}), valid {until}.", made.id, whose(&made), made.role.name());
    if let Some(name) = &made.mtls {
        tell(&what);
        tell(&format!("Whoever shows a certificate of the name {name} has it; there is no text to show."));
        return Ok(());
    }
    if let Err(error) = print(&format!("{}\n", key.text())) {
        // Nobody has seen it, so nobody may use it.
        store.change(&who, |all| all.revoke(&made.id, now).map(|before| ((), before.entry("keys revoke"))))?;
        return Err(error);
    }
    tell(&what);
    tell("It is shown this once and kept as a hash. Callers send it as `Authorization: Bearer KEY`.");
    Ok(())
}

/// A key for the configuration.
fn print_hash(args: &Create, now: Timestamp) -> Result<()> {
    let key = Key::random()?;
    let expires = args.expires.as_deref().map(|text| expiry(text, now, &TimeZone::UTC)).transpose()?;
    let until = expires.map(|expires| format!(", expires: {expires}")).unwrap_or_default();
    print(&format!("{}\n", key.text()))?;
    tell("The key is on stdout and stored nowhere. For `credentials` of a caller in the configuration:");
    tell(&format!("      - {{ sha256: {}{until} }}  # key {}", key.hash(), key.id()));
    Ok(())
}

fn whose(credential: &Credential) -> String {
    match &credential.caller {
        Some(caller) => format!("caller {caller}, owner {}", credential.owner),
        None => format!("owner {}", credential.owner),
    }
}

fn list(args: &List) -> Result<()> {
    let loaded = args.config.load()?;
    let credentials = CredentialStore::of(&loaded.config.data_dir).read()?;
    let now = Clock::System.now();
    let lines: Vec<Line<'_>> = credentials.all().iter().map(|made| Line::of(made, now)).collect();
    if args.json {
        return print_json(&lines);
    }
    if lines.is_empty() {
        return print("no keys yet; `vaglio keys create --role bidder --owner NAME` makes one\n");
    }
    print(&lines.iter().map(text).collect::<String>())
}

fn text(line: &Line<'_>) -> String {
    let state = match (line.state, line.expires, line.revoked) {
        (State::Revoked, _, Some(at)) => format!("revoked {at}"),
        (State::Expired, Some(at), _) => format!("expired {at}"),
        (_, Some(at), _) => format!("valid until {at}"),
        _ => "valid".to_owned(),
    };
    let caller = line.caller.map(|caller| format!(" caller={caller}")).unwrap_or_default();
    let caller = caller + &line.mtls.map(|name| format!(" mtls={name}")).unwrap_or_default();
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
    let revoke = |all: &mut Credentials| {
        let before = all.revoke(id, Clock::System.now())?;
        let entry = before.entry("keys revoke");
        Ok((before, entry))
    };
    let before = store.change(&Who::command_line(), revoke)?;
    match before.revoked {
        Some(since) => print(&format!("key {id} was revoked already, at {since}\n")),
        None => print(&format!("key {id} for {} is revoked\n", whose(&before))),
    }
}
