//! What a caller may see, and how it is answered.

use crate::config;
use crate::schema::AudienceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Makes definitions.
    Planner,
    /// Lets them be published.
    Approver,
    /// Asks at the bid doors.
    Bidder,
    /// Sends events.
    Ingest,
    /// Objections, deletions, exports.
    Privacy,
    /// Keys, generations, builds.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 6] =
        [Role::Planner, Role::Approver, Role::Bidder, Role::Ingest, Role::Privacy, Role::Operator];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Planner => "planner",
            Role::Approver => "approver",
            Role::Bidder => "bidder",
            Role::Ingest => "ingest",
            Role::Privacy => "privacy",
            Role::Operator => "operator",
        }
    }
}

/// Somebody who asks, or everybody without a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its name in metrics and logs.
    pub name: String,
    /// How it is answered.
    pub settings: config::Caller,
}

impl Caller {
    /// The caller with these settings.
    pub fn new(settings: config::Caller) -> Self {
        Caller { name: settings.name.clone(), settings }
    }

    /// Everybody without a credential: what the configuration says; without a word there, everything if `trusted`,
    /// nothing otherwise.
    pub fn public(settings: Option<&config::Caller>, trusted: bool) -> Self {
        let owners = if trusted { vec!["*".to_owned()] } else { Vec::new() };
        let unsaid = || config::Caller { owners, ..config::Caller::default() };
        let settings = settings.cloned().unwrap_or_else(unsaid);
        Caller { name: "public".to_owned(), settings }
    }

    /// Whoever has a key of this owner's that names no caller: it sees what is the owner's.
    pub fn of_owner(owner: &str) -> Self {
        let settings = config::Caller { owners: vec![owner.to_owned()], ..config::Caller::default() };
        Caller { name: format!("key:{owner}"), settings }
    }

    /// Whether it may see what belongs to this owner.
    pub fn sees(&self, owner: &str) -> bool {
        self.settings.owners.iter().any(|visible| visible == "*" || visible == owner)
    }

    /// Whether another caller is told the same of every generation.
    pub fn is_told_the_same(&self, other: &Caller) -> bool {
        let unsaid = |caller: &Caller| {
            let settings = caller.settings.clone();
            config::Caller { name: String::new(), credentials: Vec::new(), mtls: Vec::new(), ..settings }
        };
        unsaid(self) == unsaid(other)
    }

    /// What it is told of an audience; `None` = nothing. A suppress audience has a name only where one was given to it.
    pub fn audience_name<'a>(&'a self, id: &'a AudienceId, suppress: bool) -> Option<&'a str> {
        let listed = &self.settings.audiences;
        let granted = self.sees(id.owner()) && (listed.is_empty() || listed.iter().any(|it| it == id.as_str()));
        let external = self.settings.external_ids.get(id.as_str());
        match external {
            _ if !granted => None,
            Some(name) => Some(name),
            None => (!suppress).then_some(id.as_str()),
        }
    }
}
