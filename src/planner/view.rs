//! The generation in service as planners look at it: its columns, its audiences, one opening a generation.
//!
//! Everything that is counted for a planner is counted over one [`View`], at the minute the generation is of, so that it agrees
//! with the sizes its manifest tells.

use super::Planner;
use super::profiles::refused;
use super::reply::Refused;
use crate::audiences::Catalogue;
use crate::config::Loaded;
use crate::decide::Answering;
use crate::error::Result;
use crate::evaluate::survey::id_masks;
use crate::lookup::ServingSnapshot;
use crate::schema::{Generation, Timestamp};
use crate::snapshot::columns::{Columns, Opened};
use crate::snapshot::keys::Keys;
use crate::snapshot::{Planes, Store};
use crate::wire::Code;
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use std::sync::Arc;

/// One generation, with its control sections.
#[derive(Debug)]
pub struct View {
    serving: ServingSnapshot,
    columns: Opened,
    zone: TimeZone,
    id_types: Mutex<Option<Arc<IdTypes>>>,
}

/// By identifier type: its name, and a mask (word `i` stands for ordinals from `64 * i`) of the profiles that have one.
pub type IdTypes = Vec<(String, Vec<u64>)>;

/// The view that was asked for last.
#[derive(Debug, Default)]
pub struct Views(Mutex<Option<Arc<View>>>);

impl View {
    /// Opens the control sections of a generation that answers; verifies them, unless it was opened with them.
    ///
    /// # Errors
    /// Control sections that are missing or damaged.
    pub fn open(loaded: &Loaded, store: &Store, answering: &Answering) -> Result<View> {
        let mut serving = answering.snapshot.clone();
        if !serving.snapshot().has("traits") {
            let keys = loaded.key_hasher(false)?;
            serving = ServingSnapshot::new(store.open_snapshot(serving.generation(), Planes::All, Some(&keys))?)?;
        }
        View::of(serving, loaded.zone())
    }

    /// That of a generation opened with its control sections.
    ///
    /// # Errors
    /// As [`View::open`].
    pub fn of(serving: ServingSnapshot, zone: TimeZone) -> Result<View> {
        let columns = Opened::of(serving.snapshot())?;
        Ok(View { serving, columns, zone, id_types: Mutex::default() })
    }

    /// Its number.
    pub fn generation(&self) -> Generation {
        self.serving.generation()
    }

    /// The minute everything is counted at.
    pub fn as_of(&self) -> Timestamp {
        self.serving.manifest().as_of
    }

    /// The time zone of dates and of `today`.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The generation itself.
    pub fn serving(&self) -> &ServingSnapshot {
        &self.serving
    }

    /// What it was built from.
    pub fn catalogue(&self) -> &Catalogue {
        self.serving.catalogue()
    }

    /// The same as it was evaluated: nobody is in audiences outside of their validity. For whoever evaluates rules.
    pub fn rules(&self) -> &Catalogue {
        self.serving.rules()
    }

    /// Its columns.
    pub fn columns(&self) -> &Columns<'_> {
        self.columns.columns()
    }

    /// Who is in an audience of its catalogue, by its number.
    ///
    /// # Errors
    /// A damaged section.
    pub fn members(&self, audience: u32) -> Result<RoaringBitmap> {
        self.serving.members(audience)
    }

    /// By identifier type, as the manifest numbers them, the profiles that have one. Found out once a view.
    ///
    /// # Errors
    /// A damaged section.
    pub fn id_types(&self) -> Result<Arc<IdTypes>> {
        let mut known = self.id_types.lock();
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        let names = &self.serving.manifest().id_types;
        let keys = Keys::open(self.serving.snapshot().section("keys")?)?;
        let masks = id_masks(&keys, names.len());
        let found = Arc::new(names.iter().cloned().zip(masks).collect::<IdTypes>());
        Ok(Arc::clone(known.insert(found)))
    }
}

impl Planner {
    /// The generation in service. Opening it may take seconds, so never on a runtime's thread
    /// ([`off_thread`](super::profiles::off_thread)).
    ///
    /// # Errors
    /// No generation yet, or a damaged one.
    pub(super) fn view(&self) -> std::result::Result<Arc<View>, Refused> {
        let Some(answering) = self.standing.answering() else {
            let help = "the first build is under way: `/health/ready` on the bid port tells when there is one";
            return Err(Refused::new(Code::NotReady, "there is no generation yet", help).retry_after(5));
        };
        let mut last = self.views.0.lock();
        let wanted = answering.snapshot.generation();
        if let Some(view) = last.as_ref().filter(|view| view.generation() == wanted) {
            return Ok(Arc::clone(view));
        }
        let view = View::open(&self.loaded, self.keeper.store(), &answering).map_err(|error| refused(&error))?;
        Ok(Arc::clone(last.insert(Arc::new(view))))
    }
}
