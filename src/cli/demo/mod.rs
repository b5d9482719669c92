//! `vaglio demo`: invents a telecom operator, builds, serves, asks a few questions over HTTP and explains the answers.
//!
//! Contents: [`stage`] the world, its key and its generation, made once and used again; [`client`] the HTTP client;
//! [`cast`] which of the people asked about are worth a story; [`reading`] the generation's files, read for explanations;
//! [`story`] what is said of each person; [`exchange`] how an exchange asks about one of them; [`now`] what reaches the next answer without a build, [`planning`] also what planners publish; [`tell`] how it looks. Except for times, the same seed tells the same story.

mod cast;
mod client;
mod exchange;
mod now;
mod planning;
mod reading;
mod stage;
mod story;
mod tell;

use super::{figures, print};
use crate::access::credentials::DEMO_KEY;
use crate::error::{Error, ErrorKind, Result};
use crate::server::{Addresses, Options, Server};
use crate::snapshot::{Manifest, Planes};
use crate::telemetry::progress::{Mode, Progress};
use client::Client;
use reading::Reading;
use stage::Stage;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tell::heading;

/// Invent a million people, build, serve, and explain what happens
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio demo                          the tour, then serves until Ctrl-C
  vaglio demo --once --people 20000    a shorter one that ends
  VAGLIO_SERVER__HTTP=127.0.0.1:0 vaglio demo    on another port (also SERVER__GRPC, SERVER__PLANNER)")]
pub struct Args {
    /// End after the tour
    #[arg(long)]
    once: bool,
    /// How many people to invent
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    people: u64,
    /// The same seed invents the same people
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where the people and their generations live; used again when they are the same
    #[arg(long, value_name = "DIR", default_value = "demo")]
    data_dir: PathBuf,
}

/// Loading a generation of a million people takes a second; a slow disk may take this long.
const LOADING: Duration = Duration::from_secs(120);

/// Runs the command.
///
/// # Errors
/// A directory that is somebody else's, ports that are taken, a machine that refuses.
pub fn run(args: &Args) -> Result<()> {
    let began = Instant::now();
    let progress = Progress::new(Mode::Auto);
    print("Vaglio's demonstration. Everybody in it is invented: these people do not exist.\n")?;

    let mut stage = Stage::set(&args.data_dir, args.people, args.seed, &progress)?;
    print(&heading(1, "A telecom operator's files"))?;
    print(&stage.describe_world(args.people, args.seed))?;

    // The ports are taken before the long work: a port that cannot be had is told at once.
    let options = Options { build_later: true, ..Options::default() };
    let mut server = Server::start(stage.loaded.clone(), options).map_err(advise)?;
    print(&heading(2, "A snapshot of who is in which audience"))?;
    let built = stage.build(&progress)?;
    print(&describe_snapshot(&built.manifest, built.reused, &stage))?;

    print(&heading(3, "A server"))?;
    let loading = Instant::now();
    let at = server.addresses();
    let mut client = Client::connect(at.http)?;
    wait_until_ready(&mut client, built.manifest.generation.0)?;
    print(&describe_server(&at, loading.elapsed()))?;

    let reading = Reading::open(&stage.loaded, built.manifest.generation)?;
    let somebody = story::tell(&mut client, &reading, &stage)?;
    print(&heading(8, "Between builds"))?;
    print(&now::tell(&args.data_dir, args.seed)?)?;
    print(&heading(9, "Now you"))?;
    print(&tell::invitation(&at, &args.data_dir, somebody.as_deref(), began.elapsed(), args.once))?;
    if !args.once {
        // The story is told of files that do not change; what a planner publishes from now on goes live.
        server.begin_building()?;
        server.wait_for_signal()?;
    }
    server.shutdown();
    Ok(())
}

/// Busy ports: what the server says, and how a demo is given others.
fn advise(error: Error) -> Error {
    if error.kind != ErrorKind::Busy {
        return error;
    }
    let problems = error.problems().to_vec();
    let message = "the demo cannot have its ports; give it others (0 = any free one): VAGLIO_SERVER__GRPC=127.0.0.1:0 \
                   VAGLIO_SERVER__HTTP=127.0.0.1:0 VAGLIO_SERVER__PLANNER=127.0.0.1:0 vaglio demo";
    Error::new(ErrorKind::Busy, message).with_problems(problems)
}

fn wait_until_ready(client: &mut Client, generation: u64) -> Result<()> {
    let began = Instant::now();
    loop {
        let answer = client.get("/health/ready")?;
        if answer.status == 200 && answer.json()["generation"] == generation {
            return Ok(());
        }
        if began.elapsed() > LOADING {
            let reason = answer.json()["reason"].as_str().unwrap_or("it does not say why").to_owned();
            return Err(Error::new(ErrorKind::Snapshot, format!("the server does not become ready: {reason}")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn describe_snapshot(manifest: &Manifest, reused: bool, stage: &Stage) -> String {
    let total: f64 = manifest.timings.values().sum();
    let bid = manifest.bytes(Planes::Bid);
    let rejected: u64 = manifest.sources.iter().filter_map(|source| source["rejected"].as_u64()).sum();
    let read: u64 = manifest.sources.iter().filter_map(|source| source["rows"].as_u64()).sum();
    let how = if reused { "built earlier, nothing has changed".to_owned() } else { figures::seconds(total) };
    let rows = [
        ("rows read", figures::count(read), "from six sources".to_owned()),
        ("rejected", figures::count(rejected), format!("{}, counted by reason", figures::share(rejected, read))),
        ("profiles", figures::count(manifest.profiles.into()), "rows that share an identifier are one person".into()),
        ("bid-time identifiers", figures::count(manifest.bid_ids), "keyed hashes: no raw one is kept".into()),
        ("audiences", manifest.audiences.len().to_string(), stage.definitions()),
        ("on disk", figures::bytes(manifest.bytes(Planes::All)), "columns and bitmaps for planners too".into()),
        ("for bid time", figures::bytes(bid), format!("{} bytes a profile", bid / u64::from(manifest.profiles).max(1))),
        ("built in", how, format!("generation {}, as of {}", manifest.generation, manifest.as_of)),
    ];
    let mut text = tell::three_columns(&rows);
    text.push_str("\n  Some audiences: whom to speak to, and whom to leave alone\n\n");
    text.push_str(&tell::some_audiences(manifest));
    text
}

fn describe_server(at: &Addresses, loading: Duration) -> String {
    let rows = [
        (
            "bid HTTP",
            format!("http://{}", at.http),
            "POST /v1/lookup, /v1/decide, /openrtb2/enrich, /openrtb2/decide".to_owned(),
        ),
        ("gRPC", at.grpc.to_string(), "vaglio.v1.AudienceService, ARTF's RTBExtensionPoint".to_owned()),
        (
            "console",
            format!("http://{}/", at.planner),
            "the same in a browser; this machine needs no key yet".to_owned(),
        ),
        ("planner", format!("http://{}/api/v1/openapi.json", at.planner), "definitions, reach, publishing".to_owned()),
        ("its key", DEMO_KEY.to_owned(), "Authorization: Bearer KEY; opens this machine only".to_owned()),
        ("metrics", format!("http://{}/metrics", at.planner), "Prometheus".to_owned()),
    ];
    let ready = figures::seconds(loading.as_secs_f64());
    format!("{}  Loaded, checked against its checksums and answering after {ready}.\n", tell::three_columns(&rows))
}
