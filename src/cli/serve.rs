//! `vaglio serve`: answers lookups and decisions until it is told to stop.

use super::{ConfigArg, print};
use crate::config;
use crate::error::Result;
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
    let server = Server::start(loaded, Options { build: !args.no_build, ..Options::default() })?;
    let at = server.addresses();
    let scheme = if tls { "https" } else { "http" };
    tracing::info!("gRPC on {}, HTTP on {scheme}://{}, metrics on http://{}/metrics", at.grpc, at.http, at.planner);
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
