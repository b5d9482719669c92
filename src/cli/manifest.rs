//! `vaglio manifest`: what a container of this program declares to the platform that runs it (ARTF 1.0, label
//! `agent-manifest`). Made of the program's own constants and defaults; `deploy/` holds what it prints.

use super::{Format, print, print_json};
use crate::config::Server;
use crate::error::{Error, Result};
use crate::hooks::artf::INTENTS;
use crate::hooks::health::{LIVE, READY, VERSION};
use serde::Serialize;

/// Print the container's manifest
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `text` is a single line, as an image label holds it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The manifest, in the order in which it is printed.
#[derive(Debug, Serialize)]
struct Manifest {
    name: &'static str,
    version: &'static str,
    vendor: &'static str,
    owner: &'static str,
    resources: Resources,
    intents: Vec<&'static str>,
    /// Other containers that must run; there are none.
    dependencies: [&'static str; 0],
    health: Health,
}

/// What a first deployment asks for; memory grows with the profiles (docs/benchmarks.md).
#[derive(Debug, Serialize)]
struct Resources {
    cpu: &'static str,
    memory: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    liveness_probe: Probe,
    readiness_probe: Probe,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    http_get: HttpGet,
}

#[derive(Debug, Serialize)]
struct HttpGet {
    path: &'static str,
    port: u16,
}

impl Manifest {
    fn new() -> Self {
        let port = Server::default().http.port();
        let probe = |path| Probe { http_get: HttpGet { path, port } };
        Manifest {
            name: env!("CARGO_PKG_NAME"),
            version: VERSION,
            vendor: "Vaglio",
            owner: "Vaglio contributors",
            resources: Resources { cpu: "2", memory: "2Gi" },
            intents: INTENTS.iter().map(|intent| intent.as_str_name()).collect(),
            dependencies: [],
            health: Health { liveness_probe: probe(LIVE), readiness_probe: probe(READY) },
        }
    }
}

/// Runs the command.
///
/// # Errors
/// As [`print()`].
pub fn run(args: &Args) -> Result<()> {
    let manifest = Manifest::new();
    if args.format == Format::Json {
        return print_json(&manifest);
    }
    let line = serde_json::to_string(&manifest)
        .map_err(|error| Error::internal("the manifest cannot be written as JSON").caused_by(error))?;
    print(&(line + "\n"))
}
