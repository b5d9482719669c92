//! Generations on disk: checksummed sections named by their hash, manifests, the swap.
//!
//! The bytes are drawn in `docs/format.md`. Files: [`store`] the directory; [`section`] writing one section; [`manifest`]
//! what a generation names; [`reader`] verifying and mapping; [`lock`], [`retention`], [`rollback`] who may change it and
//! how; [`current`] the swap in memory; [`mmap`] the only unsafe code. Bid-plane contents: [`identities`], [`filter`],
//! [`forward`], [`fresh`], [`flips`], [`caps`]. What must not live here: rules, protocols, anything that decides.

pub mod bitmaps;
pub mod blocked;
pub mod caps;
pub mod columns;
pub mod consents;
pub mod current;
pub mod filter;
pub mod flips;
mod forget;
pub mod forward;
pub mod fresh;
pub mod identities;
pub mod keys;
pub mod live_facts;
pub mod lock;
pub mod manifest;
pub mod mmap;
pub mod reader;
pub mod retention;
pub mod rollback;
pub mod section;
pub mod store;

pub use bitmaps::Bitmaps;
pub use caps::Caps;
pub use current::{Current, CurrentReader};
pub use filter::Filter;
pub use flips::{Flip, Flips};
pub use forward::{Forward, ForwardWriter};
pub use fresh::{Fresh, FreshWriter};
pub use identities::{Identities, IdentitiesWriter};
pub use live_facts::{LiveFacts, LiveFactsWriter};
pub use lock::{Lock, Publishing};
pub use manifest::{AudienceSummary, Manifest, Plane, Planes, SectionRef};
pub use reader::{SectionBytes, Sections, Snapshot, Unverified};
pub use section::SectionWriter;
pub use store::Store;
