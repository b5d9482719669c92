//! `vaglio rollback [GENERATION]`: an earlier generation goes live, and stays until `--unpin`.

use super::{ConfigArg, print};
use crate::error::Result;
use crate::schema::Generation;
use crate::snapshot::Store;

/// Go back to an earlier generation and stay there; running servers follow within a second
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The generation; the one before the live one unless given
    generation: Option<u64>,
    /// Let builds go live again, from the next one on
    #[arg(long, conflicts_with = "generation")]
    unpin: bool,
}

/// Runs the command.
///
/// # Errors
/// A generation that is not there or is damaged.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let store = Store::open(&loaded.config.data_dir)?;
    if args.unpin {
        let live = store.current()?.map_or_else(|| "none".to_owned(), |live| live.to_string());
        store.unpin()?;
        return print(&format!("unpinned; generation {live} stays live until the next build publishes\n"));
    }
    let generation = store.rollback(args.generation.map(Generation))?;
    print(&format!(
        "generation {generation} is live and pinned: builds go on, and none goes live until `vaglio rollback --unpin`\n"
    ))
}
