//! How one follower of the log takes over from another while records keep coming: no record is missed, none is applied twice,
//! and whoever was told that a record is applied finds it applied on both sides of the moment.
//!
//! The same way is taken at the start, at every new generation and at a rollback.

use crate::schema::Offset;
use parking_lot::Mutex;

/// Something that takes in the records of a log, in their order.
pub trait Follower {
    /// Takes in those that it has not taken yet.
    fn take(&mut self, records: &[(Offset, Vec<u8>)]);
}

/// Who follows, and what comes meanwhile for who is to follow next.
#[derive(Debug)]
pub struct Seat<F> {
    sitting: Option<F>,
    /// Everything since the next one began to read the end of the log; `None` while nobody does.
    meanwhile: Option<Vec<(Offset, Vec<u8>)>>,
}

impl<F> Default for Seat<F> {
    fn default() -> Self {
        Seat { sitting: None, meanwhile: None }
    }
}

impl<F: Follower> Seat<F> {
    /// Applies records that are durable in the log.
    pub fn apply(&mut self, records: &[(Offset, Vec<u8>)]) {
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile.extend_from_slice(records);
        }
        if let Some(sitting) = &mut self.sitting {
            sitting.take(records);
        }
    }

    /// Who follows.
    pub fn sitting(&mut self) -> Option<&mut F> {
        self.sitting.as_mut()
    }

    /// Nobody follows any more.
    pub fn leave(&mut self) -> Option<F> {
        self.sitting.take()
    }
}

/// A lock: so that the same function runs in service and in a test that tries every order of steps.
pub trait Guarded<T> {
    /// Runs something while nobody else does.
    fn with<R>(&self, run: impl FnOnce(&mut T) -> R) -> R;
}

impl<T> Guarded<T> for Mutex<T> {
    fn with<R>(&self, run: impl FnOnce(&mut T) -> R) -> R {
        run(&mut self.lock())
    }
}

/// Puts `next` in the seat. `catch_up` has it take in what the log holds beyond what it has taken, to the end; `install` puts
/// it in service: it runs under the lock, so nothing is acknowledged meanwhile. One thread at a time.
///
/// # Errors
/// What `catch_up` refuses: then all is as it was.
pub fn take_over<F: Follower, E>(
    seat: &impl Guarded<Seat<F>>,
    mut next: F,
    mut catch_up: impl FnMut(&mut F) -> Result<(), E>,
    install: impl FnOnce(&F),
) -> Result<(), E> {
    // The long way, while nobody waits.
    catch_up(&mut next)?;
    // What is applied from here on is remembered; what was applied before stands in the log, and is read again.
    seat.with(|seat| seat.meanwhile = Some(Vec::new()));
    if let Err(error) = catch_up(&mut next) {
        seat.with(|seat| seat.meanwhile = None);
        return Err(error);
    }
    let before = seat.with(|seat| {
        next.take(&seat.meanwhile.take().unwrap_or_default());
        install(&next);
        seat.sitting.replace(next)
    });
    // Not under the lock: it may be large.
    drop(before);
    Ok(())
}

#[cfg(test)]
mod tests;
