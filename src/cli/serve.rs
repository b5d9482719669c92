//! `vaglio serve`: answers lookups and decisions until it is told to stop.

use super::{ConfigArg, print};
use crate::access::{Credential, CredentialStore, Entry, Key, Who};
use crate::config::{self, Loaded};
use crate::error::{Error, Result};
use crate::schema::Clock;
use crate::server::{Options, Server};
use crate::telemetry::logs;

/// Answer lookups and decisions over gRPC and HTTP, and rebuild when it is time
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Print the default configuration, with comments, and exit
    #[arg(long)]
    print_config: bool,
    /// Only serve: somebody else builds the generations
    #[arg(long)]
    no_build: bool,
    /// Write the log as JSON (also VAGLIO_LOG_FORMAT=json)
    #[arg(long)]
    log_json: bool,
}

/// Runs the command: returns after SIGTERM or SIGINT, drained.
///
/// # Errors
/// A wrong configuration, or ports that cannot be had.
pub fn run(args: &Args) -> Result<()> {
    if args.print_config {
        return print(config::DEFAULT_YAML);
    }
    let loaded = args.config.load()?;
    logs::start(args.log_json)?;
    let (frozen, public, tls) =
        (loaded.config.as_of, loaded.config.public.is_some(), loaded.config.server.tls.is_some());
    let planner_tls = loaded.config.server.planner_tls.is_some();
    first_key(&loaded);
    let server = Server::start(loaded, Options { build: !args.no_build, ..Options::default() })?;
    let at = server.addresses();
    let [scheme, planner_scheme] = [tls, planner_tls].map(|tls| if tls { "https" } else { "http" });
    tracing::info!(
        "gRPC on {}, HTTP on {scheme}://{}, metrics on {planner_scheme}://{}/metrics",
        at.grpc,
        at.http,
        at.planner
    );
    let console = if crate::console::index().is_some() { "" } else { " (not built: `make console`)" };
    tracing::info!("the console is at {planner_scheme}://{}/{console}", at.planner);
    if !at.planner.ip().is_loopback() && !planner_tls {
        tracing::warn!(
            "server.planner {} is open to the network without TLS: keys cross it in the clear (`server.planner_tls`)",
            at.planner
        );
    }
    for (key, address) in [("server.grpc", at.grpc), ("server.http", at.http)] {
        let open = !address.ip().is_loopback();
        if open && !public {
            tracing::warn!(
                "{key} {address} is open to the network and `public` is not set: who shows no key there sees no audience \
                 and no campaign; make keys with `vaglio keys create`, or name the owners in `public.owners`"
            );
        }
        if open && !tls {
            tracing::warn!(
                "{key} {address} is open to the network without TLS: keys cross it in the clear (`server.tls`)"
            );
        }
    }
    if let Some(as_of) = frozen {
        tracing::info!("the clock is frozen at {as_of} (as_of): windows do not move and nothing is rebuilt");
    }
    server.wait_for_signal()?;
    server.shutdown();
    Ok(())
}

/// On the first run of an installation that knows nobody yet: makes one operator's key and says it, once, on stdout; the log is
/// on stderr. Under systemd, whose journal keeps both, none is made.
fn first_key(loaded: &Loaded) {
    let callers = loaded.config.callers.iter().any(|it| !it.credentials.is_empty() || !it.mtls.is_empty());
    if callers || std::env::var_os("JOURNAL_STREAM").is_some() {
        return;
    }
    match make_first_key(loaded) {
        Ok(None) => {}
        Ok(Some(key)) => {
            // When stdout is gone nobody has seen it, and nobody is worse off: `vaglio keys` makes others.
            let _ = print(&format!(
                "\nThis is the first run here: an operator's key for the planner's port, for every owner.\n\n    {}\n\nIt is \
                 shown this once and kept as a hash. Authorization: Bearer KEY; `vaglio keys revoke {}` takes it away.\n\
                 Until you make keys with `vaglio keys create`, this machine itself needs none.\n\n",
                key.text(),
                key.id()
            ));
        }
        Err(error) => tracing::warn!("no first key was made; `vaglio keys create` makes one: {error}"),
    }
}

fn make_first_key(loaded: &Loaded) -> Result<Option<Key>> {
    let store = CredentialStore::of(&loaded.config.data_dir);
    if !store.read()?.all().is_empty() {
        return Ok(None);
    }
    let (key, now) = (Key::random()?, Clock::System.now());
    let first = Credential::first(&key, now);
    let made = store.change(&Who::command_line(), |all| {
        if !all.all().is_empty() {
            // Another server was faster.
            return Err(Error::input("there are keys already"));
        }
        all.add(first.clone(), now)?;
        Ok(((), Entry { object: first.entry("").object, what: "keys first run", ..Entry::default() }))
    });
    made.map(|()| Some(key))
}
