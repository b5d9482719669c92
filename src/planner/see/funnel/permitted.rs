//! Whom no objection and no refusal protects: the generation's flags, what came since, and the live block list.

use crate::planner::see::{Ground, Wrong};
use crate::snapshot::consents::{Consents, REFUSED};
use crate::snapshot::keys::Keys;
use roaring::RoaringBitmap;

/// Between two looks at whether anybody still waits.
const AT_ONCE: usize = 65_536;

/// Those of a set who may be spoken to.
pub(super) fn permitted(ground: &Ground<'_>, set: &RoaringBitmap) -> Result<RoaringBitmap, Wrong> {
    let snapshot = ground.view.serving().snapshot();
    let consents = Consents::open(snapshot.section("consents")?, ground.view.columns().ordinals())?;
    let keys = Keys::open(snapshot.section("keys")?)?;
    let blocked = ground.blocked.filter(|blocked| !blocked.is_empty());
    let overlay = ground.overlay.as_deref();
    let may = |ordinal: u32| {
        let mut flags = consents.of(ordinal);
        match overlay.and_then(|overlay| overlay.consent(ordinal)) {
            // An objection does not end with a consent.
            Some(true) => flags &= !REFUSED,
            Some(false) => flags |= REFUSED,
            None => {}
        }
        flags == 0
            && blocked.is_none_or(|blocked| {
                let objects = |key| blocked.find(ground.keys.block_key(key), ground.now).is_some();
                !keys.of(ordinal).any(|(key, _)| objects(key))
            })
    };
    let mut left = RoaringBitmap::new();
    for (at, ordinal) in set.iter().enumerate() {
        if at % AT_ONCE == 0 && ground.watch.is_cancelled() {
            return Err(Wrong::BrokenOff);
        }
        if may(ordinal) {
            // Ordinals come in order, so this cannot fail.
            let _ = left.try_push(ordinal);
        }
    }
    Ok(left)
}
