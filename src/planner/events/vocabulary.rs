//! The words that lines are checked against: identifier types, traits, events, and, where a generation is in service, its
//! lists and campaigns.

use crate::access::Who;
use crate::audiences::Catalogue;
use crate::audiences::diagnostic::nearest;
use crate::collect::IdClass;
use crate::config::{Config, IdType, Loaded};
use crate::live::Keeper;
use crate::schema::{Clock, Declarations, EventDecl, KeyHasher, ProfileKey, TraitDecl, names};
use std::collections::HashMap;
use std::sync::Arc;

/// What an installation knows, under its secret.
pub(in crate::planner) struct Vocabulary {
    /// Traits and events.
    pub declarations: Declarations,
    /// Identifier types and how each is made canonical.
    id_types: Vec<(IdType, IdClass)>,
    /// Sources of the bidstream that go by another name here, and that name.
    renamed: Vec<(String, String)>,
    /// Hashes identifiers.
    pub keys: KeyHasher,
    /// How far in the future a line may be said to happen.
    pub max_future_seconds: i64,
    /// The most identifiers of a line.
    pub max_ids: usize,
    /// The generation's names; none before the first.
    names: Option<Names>,
    /// Who was deleted.
    keeper: Option<Arc<Keeper>>,
}

/// A generation's lists and campaigns. Copies: a generation that is no more in service is not held for its names.
struct Names {
    /// Every audience by its full name, sorted, and whether it is a list.
    audiences: Vec<(String, bool)>,
    /// Every campaign by its full name, sorted.
    campaigns: Vec<String>,
    /// Campaigns by `id` and by a reference's line item, and by both behind `owner/`; `None` = several are called so.
    called: HashMap<Box<str>, Option<usize>>,
}

impl Names {
    fn new(catalogue: &Catalogue) -> Self {
        let mut called: HashMap<Box<str>, Option<usize>> = HashMap::new();
        for (number, campaign) in catalogue.campaigns.iter().enumerate() {
            let refs = campaign.refs.iter().map(|reference| reference.line_item.as_str());
            for name in refs.chain([campaign.id.id()]) {
                for name in [name.to_owned(), format!("{}/{name}", campaign.id.owner())] {
                    let known = called.entry(name.into()).or_insert(Some(number));
                    if *known != Some(number) {
                        *known = None;
                    }
                }
            }
        }
        let audiences = catalogue.audiences.iter().map(|it| (it.id.as_str().to_owned(), it.rule.is_none()));
        let campaigns = catalogue.campaigns.iter().map(|it| it.id.as_str().to_owned());
        Names { audiences: audiences.collect(), campaigns: campaigns.collect(), called }
    }

    fn campaign(&self, full: &str) -> Option<usize> {
        self.campaigns.binary_search_by(|known| known.as_str().cmp(full)).ok()
    }
}

impl Vocabulary {
    /// The words of a configuration and of a generation.
    pub fn new(loaded: &Loaded, keys: KeyHasher, catalogue: Option<&Catalogue>) -> Self {
        let Config { ingest, server, identity, .. } = &loaded.config;
        let renamed = identity.bid_sources.iter().filter_map(|it| Some((it.source.clone(), it.kind.clone()?)));
        let classed = |known: &IdType| (known.clone(), IdClass::of(&known.name));
        Vocabulary {
            declarations: loaded.declarations.clone(),
            id_types: loaded.id_types.iter().map(classed).collect(),
            renamed: renamed.collect(),
            keys,
            max_future_seconds: i64::try_from(ingest.max_future_seconds).unwrap_or(i64::MAX),
            max_ids: server.max_ids,
            names: catalogue.map(Names::new),
            keeper: None,
        }
    }

    /// The same, and who was deleted.
    pub fn without_deleted(self, keeper: Arc<Keeper>) -> Self {
        Vocabulary { keeper: Some(keeper), ..self }
    }

    /// Whether nothing is to be taken in about somebody.
    pub fn is_deleted(&self, key: ProfileKey) -> bool {
        let Some(keeper) = self.keeper.as_ref().filter(|keeper| !keeper.blocked().is_empty()) else { return false };
        let block = keeper.blocked().find(self.keys.block_key(key), Clock::System.now());
        block.is_some_and(|block| block.deleted)
    }

    /// The identifier type of this name, or of this source of the bidstream, whatever its case.
    pub fn id_type(&self, name: &str) -> Result<(&str, IdClass), String> {
        let renamed = self.renamed.iter().find(|(source, _)| source.eq_ignore_ascii_case(name));
        let name = renamed.map_or(name, |(_, kind)| kind);
        let found = self.id_types.iter().find(|(known, _)| known.name.eq_ignore_ascii_case(name));
        let names = || self.id_types.iter().map(|(known, _)| known.name.as_str());
        match found {
            Some((known, class)) => Ok((&known.name, *class)),
            None => Err(unknown("identifier type", name, names(), "`ingest.ids` declares types that no source has")),
        }
    }

    /// What to say of a text that is no type of identifiers, without saying the text.
    pub fn no_such_type(&self) -> String {
        let names: Vec<&str> = self.id_types.iter().map(|(known, _)| known.name.as_str()).collect();
        format!("no such type of identifiers; known: {}", names.join(", "))
    }

    /// The event of this name.
    pub fn event(&self, name: &str) -> Result<&EventDecl, String> {
        let known = || self.declarations.events.iter().map(|decl| decl.name.as_str());
        let help = "`ingest.events` declares events that no source has";
        let found = self.declarations.find_event(name);
        found.map(|(_, decl)| decl).ok_or_else(|| unknown("event", name, known(), help))
    }

    /// The trait of this name.
    pub fn trait_of(&self, name: &str) -> Result<&TraitDecl, String> {
        let known = || self.declarations.traits.iter().map(|decl| decl.name.as_str());
        let help = "`ingest.traits` declares traits that no source has";
        let found = self.declarations.find_trait(name);
        found.map(|(_, decl)| decl).ok_or_else(|| unknown("trait", name, known(), help))
    }

    /// The full name of a list that the sender may fill. Without a generation any full name may be one.
    pub fn list(&self, name: &str, who: &Who) -> Result<(), String> {
        let Some((owner, id)) = name.split_once('/') else {
            return Err("`audience` is not a full name; write `owner/id`".to_owned());
        };
        if !names::is_name(owner) || !names::is_name(id) {
            return Err("`audience` is not a name; write `owner/id`".to_owned());
        }
        let Some(generation) = &self.names else {
            return if who.sees(owner) { Ok(()) } else { Err(format!("there is no list `{name}`")) };
        };
        let audiences = &generation.audiences;
        let found = audiences.binary_search_by(|(known, _)| known.as_str().cmp(name));
        match found.ok().map(|at| audiences[at].1).filter(|_| who.sees(owner)) {
            Some(true) => Ok(()),
            Some(false) => Err(format!("`{name}` is a rule, and only lists have members")),
            None => {
                let seen = audiences.iter().filter(|(known, is_list)| *is_list && who.sees(owner_of(known)));
                Err(unknown("list", name, seen.map(|(known, _)| known.as_str()), "definitions say `list: true`"))
            }
        }
    }

    /// The full name of a campaign: of one that is named in full, by its id or by a reference's line item. Without a
    /// generation only full names mean something.
    pub fn campaign<'a>(&'a self, name: &'a str, who: &Who) -> Result<&'a str, String> {
        let Some(generation) = &self.names else {
            let full = name.split_once('/').filter(|(owner, id)| names::is_name(owner) && names::is_name(id));
            let help = "no generation is in service yet, so a campaign must be named in full: `owner/id`";
            return full.filter(|(owner, _)| who.sees(owner)).map(|_| name).ok_or_else(|| help.to_owned());
        };
        // Whoever has an owner means one of that owner's: the others' names are nothing to them.
        let called = match &who.owner {
            Some(owner) => generation.called.get(format!("{owner}/{name}").as_str()),
            None => generation.called.get(name),
        };
        let at = match (generation.campaign(name), called) {
            (Some(full), _) => Some(full),
            (None, Some(None)) => return Err("several campaigns are called so; write `owner/id`".to_owned()),
            (None, called) => called.copied().flatten(),
        };
        match at.map(|at| generation.campaigns[at].as_str()).filter(|id| who.sees(owner_of(id))) {
            Some(id) => Ok(id),
            None => {
                let seen = generation.campaigns.iter().filter(|id| who.sees(owner_of(id)));
                let known = seen.flat_map(|id| [id.as_str(), id.split_once('/').map_or("", |(_, id)| id)]);
                Err(unknown("campaign", name, known, "write `owner/id`"))
            }
        }
    }
}

fn owner_of(id: &str) -> &str {
    id.split_once('/').map_or("", |(owner, _)| owner)
}

/// Says that a word is not known, and which was meant. What cannot be a name is not repeated: it may be an identifier.
fn unknown<'a>(what: &str, written: &str, known: impl Iterator<Item = &'a str>, help: &str) -> String {
    let shown = written.split('/').all(names::is_name);
    let there = if shown { format!("there is no {what} `{written}`") } else { format!("that is no {what}") };
    match nearest(written, known) {
        Some(near) => format!("{there}; did you mean `{near}`?"),
        None => format!("{there}; {help}"),
    }
}
