//! Takes keys into service: those of the configuration, and those that `vaglio keys` makes and takes away while the server
//! runs. Keys that cannot be read leave those in service as they are.

use crate::access::{Access, CredentialStore, Credentials};
use crate::audiences::Catalogue;
use crate::config::Config;
use crate::error::Result;
use crate::hooks::Doors;
use crate::hooks::live::{Served, Standing};
use std::collections::BTreeSet;
use std::sync::Arc;

/// More names than anybody wants to read in a line of the log.
const NAMED: usize = 10;

/// Looks after the keys in service. To be used by one thread: whoever swaps generations, too.
pub(super) struct Keys {
    config: Config,
    store: CredentialStore,
    doors: Arc<Doors>,
    /// What was stored when it was last acted upon, or why it could not be read.
    seen: std::result::Result<Option<String>, String>,
}

impl Keys {
    /// Takes the keys that there are into service.
    ///
    /// # Errors
    /// Keys that cannot be read.
    pub(super) fn load(config: &Config, doors: Arc<Doors>) -> Result<Self> {
        let store = CredentialStore::of(&config.data_dir);
        let text = store.text()?;
        let credentials = store.parse(text.as_deref())?;
        let keys = Keys { config: config.clone(), store, doors, seen: Ok(text) };
        keys.serve(&credentials);
        Ok(keys)
    }

    /// Takes changes into service, if there are any.
    pub(super) fn look(&mut self) {
        let stored = self.store.text().map_err(|error| error.to_string());
        if stored == self.seen {
            return;
        }
        let credentials = match &stored {
            Ok(text) => self.store.parse(text.as_deref()).map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        };
        self.seen = stored;
        match credentials {
            Ok(credentials) => {
                self.serve(&credentials);
                let made = credentials.all().iter().filter(|made| made.revoked.is_none()).count();
                tracing::info!("the keys have changed: {made} of `vaglio keys` are in service");
            }
            Err(why) => tracing::error!("the keys were refused, those in service stay as they are: {why}"),
        }
    }

    fn serve(&self, credentials: &Credentials) {
        self.warn_of_lost_callers(credentials);
        let access = Arc::new(Access::with(&self.config, credentials));
        let standing = self.doors.live.load();
        let floor = self.config.protection.activation_floor.into();
        let told = |served: &Served| {
            let (answering, overlay) = (Arc::clone(&served.answering), Arc::clone(&served.overlay));
            Served::new(answering, overlay, served.keys.clone(), &access, floor)
        };
        let served = standing.served.as_ref().map(told);
        self.doors.live.swap(Standing { access, served });
    }

    /// A key of a caller that the configuration no longer names opens nothing.
    fn warn_of_lost_callers(&self, credentials: &Credentials) {
        for made in credentials.all().iter().filter(|made| made.revoked.is_none()) {
            let Some(name) = &made.caller else { continue };
            if !self.config.callers.iter().any(|caller| caller.name == *name) {
                tracing::warn!(
                    "key {} is not in service: it is of the caller `{name}`, which is not in `callers` of the \
                     configuration; put that back, or take the key away: `vaglio keys revoke {}`",
                    made.id,
                    made.id
                );
            }
        }
    }
}

/// Says which audiences of the callers' settings are not in a generation: misspelt, or gone.
pub(super) fn warn_of_unknown_audiences(access: &Access, catalogue: &Catalogue) {
    let known: BTreeSet<&str> = catalogue.audiences.iter().map(|audience| audience.id.as_str()).collect();
    let unknown = access.unknown_audiences(|id| known.contains(id));
    if unknown.is_empty() {
        return;
    }
    let names: Vec<String> = unknown.iter().take(NAMED).map(|(caller, id)| format!("{id} ({caller})")).collect();
    let more = if unknown.len() > NAMED { ", ..." } else { "" };
    tracing::warn!(
        "`callers` names audiences that this generation does not have: {}{more}; check their spelling",
        names.join(", ")
    );
}
