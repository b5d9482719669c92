//! `vaglio load truth`: what is right of each line of a users file, from a generation's columns and its evaluator: what a bid
//! never reads. Neither the identity index nor the forward index, the campaign index or the overlay is asked.

use crate::audiences::catalogue::{Campaign, Fallback, Status as Speaking};
use crate::audiences::{AudienceKind, Catalogue};
use crate::cli::{ConfigArg, find_generation, print};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::evaluate::{LivePlan, Person as Subject};
use crate::load::truth::{self, FORMAT, Head, Person};
use crate::load::users::{self, IFA};
use crate::log::{Block, Blocklist, Record, Which, oldest, read};
use crate::lookup::ServingSnapshot;
use crate::privacy::{Policy, Signals};
use crate::schema::{KeyHasher, ProfileKey, Scope, Timestamp, Use};
use crate::snapshot::blocked::Blocked;
use crate::snapshot::columns::{Columns, Opened};
use crate::snapshot::consents::{Consents, OBJECTS_TO_MARKETING};
use crate::snapshot::keys::Keys;
use crate::snapshot::{AudienceSummary, Planes, Snapshot, Store};
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write down what a server must answer about the people of a users file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every person is evaluated over the columns of the live generation, by other code than answers bids; `vaglio load --truth FILE`
compares what a server says with it. Write it anew after a build, and where events are taken: it knows the generation alone.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The users file: a body of POST /v1/lookup a line
    #[arg(long, value_name = "FILE")]
    users: PathBuf,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// For how long it is to be right; what changes within this time is not checked
    #[arg(long, value_name = "HOURS", default_value_t = 2)]
    hours: u16,
}

/// Runs the command.
///
/// # Errors
/// No generation or one without its control sections, a users file that cannot be read, or a file that cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let people = users::read(&args.users)?;
    let store = Store::open(&loaded.config.data_dir)?;
    let hasher = loaded.key_hasher(false)?;
    let snapshot = store.open_snapshot(find_generation(&store, None)?, Planes::All, Some(&hasher))?;
    let (head, found) = of(&loaded, &snapshot, &people, args.hours)?;
    write(&args.out, &head, &found)?;
    let count = |status: &str| found.iter().filter(|person| person.status == status).count();
    print(&format!(
        "{}: {} people at generation {}: {} matched, {} no_profile, {} no_id, {} no_consent, {} blocked, {} not known here; {} campaigns\n",
        args.out.display(),
        found.len(),
        head.generation,
        count("matched"),
        count("no_profile"),
        count("no_id"),
        count("no_consent"),
        count("blocked"),
        count(""),
        head.campaigns.len(),
    ))
}

fn write(path: &Path, head: &Head, people: &[Person]) -> Result<()> {
    let failed = |error| Error::io(format!("write {}", path.display()), error);
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).map_err(failed)?);
    let text = |text: serde_json::Result<String>| {
        text.map_err(|error| Error::internal("a truth cannot be written as JSON").caused_by(error))
    };
    writeln!(out, "{}", text(serde_json::to_string(head))?).map_err(failed)?;
    for person in people {
        writeln!(out, "{}", text(serde_json::to_string(person))?).map_err(failed)?;
    }
    out.flush().map_err(failed)
}

/// What is right of people, at a generation.
///
/// # Errors
/// A generation without control sections, or a damaged one.
pub fn of(loaded: &Loaded, snapshot: &Snapshot, people: &[users::Person], hours: u16) -> Result<(Head, Vec<Person>)> {
    let serving = ServingSnapshot::new(snapshot.clone())?;
    let manifest = snapshot.manifest();
    let from = if manifest.frozen { manifest.as_of } else { loaded.clock().now() }.floor_minute();
    let until = if manifest.frozen { from } else { Timestamp(from.0 + i64::from(hours) * 3_600) };
    let asked = Identifiers::new(loaded);
    let keys: Vec<Vec<Asked>> = people.iter().map(|person| asked.of(person)).collect();
    let known = Known::find(loaded, snapshot, keys.iter().flatten())?;
    let opened = Opened::of(snapshot)?;
    let zone = TimeZone::get(&manifest.timezone).unwrap_or(TimeZone::UTC);
    let columns = opened.columns();
    let dropped = |number: usize| manifest.audiences.get(number).is_some_and(AudienceSummary::is_dropped);
    let plan = LivePlan::compile(serving.rules(), columns, &zone, dropped).outranked(|name| loaded.outranks_door(name));
    let mut evaluated = Evaluated { plan: &plan, columns, from, until, cache: HashMap::new() };
    let told = Told::new(serving.catalogue(), from, until);
    let policy = Policy::new(&loaded.config.privacy);
    let duty = loaded.config.public.as_ref().map(|public| public.privacy).unwrap_or_default();
    let found = people.iter().zip(&keys).map(|(person, keys)| {
        let empty = users::Privacy::default();
        let said = person.privacy.as_ref().unwrap_or(&empty);
        let permission = policy.permission(&signals(said), duty);
        let may = |uses: &[Use]| permission.first_denied(uses).is_none();
        let permits = Permits { lookup: may(&[Use::Target]), decide: may(&[Use::Target, Use::Suppress]) };
        told.person(&known, keys, permits, &mut evaluated)
    });
    let found = found.collect();
    let head = Head {
        format: FORMAT,
        generation: snapshot.generation().0,
        from: from.to_string(),
        until: until.to_string(),
        audiences: told.audiences.iter().map(|number| told.name(*number)).collect(),
        campaigns: told
            .campaigns
            .iter()
            .map(|(campaign, limited)| truth::Campaign { id: campaign.id.to_string(), limited: *limited })
            .collect(),
        stranger: told.without_profile("no_profile", |campaign| campaign.no_profile == Fallback::Target),
    };
    Ok((head, found))
}

fn signals(said: &users::Privacy) -> Signals<'_> {
    Signals {
        gdpr: said.gdpr,
        tcf: &said.tcf,
        gpp: &said.gpp,
        gpp_sid: (!said.gpp_sid.is_empty()).then_some(&said.gpp_sid),
        us_privacy: &said.us_privacy,
        gpc: said.gpc,
        coppa: said.coppa,
        lmt: said.lmt,
        country: &said.country,
    }
}

/// Whether the request itself permits.
#[derive(Debug, Clone, Copy)]
struct Permits {
    lookup: bool,
    decide: bool,
}

/// An identifier that a request carries.
#[derive(Debug, Clone, Copy)]
struct Asked {
    key: ProfileKey,
    /// Whether it is of a type that is known at bid time.
    bid: bool,
}

/// How identifiers of the bidstream become keys.
struct Identifiers<'l> {
    loaded: &'l Loaded,
    hasher: KeyHasher,
}

impl<'l> Identifiers<'l> {
    fn new(loaded: &'l Loaded) -> Self {
        // The secret was read already to open the generation.
        let hasher = loaded.key_hasher(false).unwrap_or_else(|_| KeyHasher::new([0; 16]));
        Identifiers { loaded, hasher }
    }

    /// The keys of a request in the order in which they are tried: `identity.precedence`, then as they come, the advertising id
    /// last.
    fn of(&self, person: &users::Person) -> Vec<Asked> {
        let config = &self.loaded.config;
        let ifa = (IFA, person.ifa.as_str());
        let eids = person.eids.iter().map(|eid| (eid.source.as_str(), eid.uid.as_str())).chain([ifa]);
        let mut keys = Vec::new();
        for (source, uid) in eids.filter(|(source, uid)| !source.is_empty() && !uid.is_empty()) {
            let renamed = config.identity.bid_sources.iter().find(|it| it.source.eq_ignore_ascii_case(source));
            let kind = renamed.and_then(|it| it.kind.as_deref()).unwrap_or(source);
            if kind.eq_ignore_ascii_case(IFA) && uid.bytes().all(|byte| byte == b'0' || byte == b'-') {
                continue;
            }
            let rank = config.identity.precedence.iter().position(|name| name.eq_ignore_ascii_case(kind));
            let bid = self.loaded.id_types.iter().any(|known| known.bid && known.name.eq_ignore_ascii_case(kind));
            keys.push((rank.unwrap_or(usize::MAX), Asked { key: self.hasher.key(kind, uid), bid }));
        }
        keys.sort_by_key(|(rank, _)| *rank);
        keys.into_iter().map(|(_, asked)| asked).collect()
    }
}

/// What is known of the identifiers that are asked about.
struct Known<'s> {
    ordinals: HashMap<ProfileKey, u32>,
    consents: Consents<'s>,
    blocked: Blocked<'s>,
    /// What the block list says.
    objecting: HashMap<ProfileKey, Scope>,
    /// Those of whom records came since the generation.
    since: HashSet<ProfileKey>,
    /// Profiles of whom records came since.
    changed: HashSet<u32>,
}

impl<'s> Known<'s> {
    fn find<'k>(loaded: &Loaded, snapshot: &'s Snapshot, asked: impl Iterator<Item = &'k Asked>) -> Result<Self> {
        let manifest = snapshot.manifest();
        let wanted: HashMap<ProfileKey, bool> = asked.map(|asked| (asked.key, asked.bid)).collect();
        let keys = Keys::open(snapshot.section("keys")?)?;
        // Everybody is walked through: this is no place for an index.
        let mut ordinals = HashMap::new();
        for ordinal in 0..keys.profiles() {
            let of_bids = keys.of(ordinal).filter(|(key, _)| wanted.get(key) == Some(&true));
            ordinals.extend(of_bids.map(|(key, _)| (key, ordinal)));
        }
        let people: HashSet<u32> = ordinals.values().copied().collect();
        let whose: HashMap<ProfileKey, u32> =
            people.iter().flat_map(|ordinal| keys.of(*ordinal).map(|(key, _)| (key, *ordinal))).collect();
        let (mut since, mut changed) = (HashSet::new(), HashSet::new());
        let directory = crate::log::events_directory(&loaded.config.data_dir);
        if directory.is_dir() {
            let from = manifest.events_cut.max(oldest(&directory)?);
            read(&directory, from, Which::All, &mut |_, bytes| {
                for identifier in &Record::decode(bytes)?.keys {
                    since.extend(wanted.contains_key(&identifier.key).then_some(identifier.key));
                    changed.extend(whose.get(&identifier.key));
                }
                Ok(())
            })?;
        }
        let now = crate::schema::Clock::System.now();
        let (list, _) = Blocklist::read(&crate::log::control_directory(&loaded.config.data_dir), now)?;
        let hasher = loaded.key_hasher(false)?;
        let of = |key: ProfileKey| list.get(hasher.block_key(key)).map(|block: Block| (key, block.scope));
        let objecting = wanted.keys().chain(whose.keys()).filter_map(|key| of(*key)).collect();
        Ok(Known {
            ordinals,
            consents: Consents::open(snapshot.section("consents")?, manifest.profiles)?,
            blocked: Blocked::open(snapshot.section("blocked")?)?,
            objecting,
            since,
            changed,
        })
    }
}

/// Who is in which audiences, by the columns.
struct Evaluated<'p> {
    plan: &'p LivePlan,
    columns: &'p Columns<'p>,
    from: Timestamp,
    until: Timestamp,
    cache: HashMap<u32, [Vec<u32>; 2]>,
}

impl Evaluated<'_> {
    /// The audiences of a profile at the beginning and at the end, ascending.
    fn audiences(&mut self, ordinal: u32) -> &[Vec<u32>; 2] {
        let (plan, columns) = (self.plan, self.columns);
        let times = [self.from, self.until];
        self.cache.entry(ordinal).or_insert_with(|| {
            let person = Subject { columns, ordinal: Some(ordinal), seed: 0, facts: &[] };
            times.map(|now| (0..plan.len() as u32).filter(|rule| plan.holds(&person, *rule, now)).collect())
        })
    }
}

/// What the catalogue says.
struct Told<'c> {
    catalogue: &'c Catalogue,
    /// Numbers of target audiences.
    audiences: Vec<u32>,
    /// Campaigns that speak for all of the time, and whether each has limits.
    campaigns: Vec<(&'c Campaign, bool)>,
}

impl<'c> Told<'c> {
    fn new(catalogue: &'c Catalogue, from: Timestamp, until: Timestamp) -> Self {
        let targets = catalogue.audiences.iter().zip(0..).filter(|(it, _)| it.kind == AudienceKind::Target);
        let speaks = |campaign: &&Campaign| {
            let flight = campaign.flight.unwrap_or(crate::audiences::catalogue::Flight { from: None, to: None });
            campaign.status == Speaking::Active
                && flight.from.is_none_or(|start| start <= from)
                && flight.to.is_none_or(|end| until < end)
        };
        let limited = |campaign: &Campaign| {
            let pressure = catalogue.pressure.iter().any(|it| it.owner == campaign.id.owner());
            !campaign.caps.is_empty() || campaign.min_gap.is_some() || campaign.group.is_some() || pressure
        };
        let campaigns = catalogue.campaigns.iter().filter(speaks);
        Told {
            catalogue,
            audiences: targets.map(|(_, number)| number).collect(),
            campaigns: campaigns.map(|campaign| (campaign, limited(campaign))).collect(),
        }
    }

    fn name(&self, audience: u32) -> String {
        self.catalogue.audiences.get(audience as usize).map(|it| it.id.to_string()).unwrap_or_default()
    }

    /// Somebody of whom no profile is read.
    fn without_profile(&self, status: &str, speaks: impl Fn(&Campaign) -> bool) -> Person {
        let target = (0..).zip(&self.campaigns).filter(|(_, (campaign, _))| speaks(campaign)).map(|(at, _)| at);
        Person { status: status.to_owned(), target: target.collect(), ..Person::default() }
    }

    /// What is right of the holder of some identifiers.
    fn person(&self, known: &Known<'_>, keys: &[Asked], permits: Permits, evaluated: &mut Evaluated<'_>) -> Person {
        let nobody = |status| self.without_profile(status, |_| false);
        let mut profiles: Vec<u32> = Vec::new();
        for ordinal in keys.iter().filter_map(|asked| known.ordinals.get(&asked.key)) {
            if !profiles.contains(ordinal) {
                profiles.push(*ordinal);
            }
        }
        let listed: Vec<Scope> = keys.iter().filter_map(|asked| known.objecting.get(&asked.key)).copied().collect();
        // What a door was told is honoured even where the request permits nothing.
        if listed.iter().any(|scope| *scope != Scope::Profiling) {
            return nobody("blocked");
        }
        if !permits.lookup {
            return nobody("no_consent");
        }
        if keys.iter().any(|asked| known.since.contains(&asked.key))
            || profiles.iter().any(|it| known.changed.contains(it))
        {
            return Person::default();
        }
        let of_strangers = keys.iter().filter(|asked| asked.bid).map(|asked| known.blocked.scope(asked.key));
        let flags =
            profiles.iter().map(|it| known.consents.of(*it)).chain(of_strangers).fold(0, |all, flags| all | flags);
        let is_stranger = profiles.is_empty();
        match flags {
            _ if flags & OBJECTS_TO_MARKETING != 0 => nobody("blocked"),
            _ if flags != 0 || !listed.is_empty() => nobody("no_consent"),
            _ if keys.is_empty() => nobody("no_id"),
            _ if is_stranger => {
                let speaks = |campaign: &Campaign| permits.decide && campaign.no_profile == Fallback::Target;
                self.without_profile("no_profile", speaks)
            }
            _ => self.matched(&profiles, permits, evaluated),
        }
    }

    /// Of the first profile come the audiences that include, of all of them those that exclude.
    fn matched(&self, profiles: &[u32], permits: Permits, evaluated: &mut Evaluated<'_>) -> Person {
        let all: Vec<[Vec<u32>; 2]> = profiles.iter().map(|it| evaluated.audiences(*it).clone()).collect();
        let is_in = |time: usize, profile: usize, audience: u32| all[profile][time].binary_search(&audience).is_ok();
        let mut person = Person { status: "matched".to_owned(), ..Person::default() };
        for (at, &audience) in (0..).zip(&self.audiences) {
            match [is_in(0, 0, audience), is_in(1, 0, audience)] {
                [true, true] => person.audiences.push(at),
                [false, false] => {}
                _ => person.sometimes.push(at),
            }
        }
        for (at, (campaign, _)) in (0..).zip(&self.campaigns) {
            let number = |id| self.catalogue.number(id).unwrap_or(u32::MAX);
            let speaks = [0, 1].map(|time| {
                let included = campaign.include.iter().any(|id| is_in(time, 0, number(id)));
                let any = |audience| (0..all.len()).any(|profile| is_in(time, profile, audience));
                let excluded = campaign.exclude.iter().any(|it| any(number(&it.audience)));
                permits.decide && (campaign.include.is_empty() || included) && !excluded
            });
            match speaks {
                [true, true] => person.target.push(at),
                [false, false] => {}
                _ => person.unsure.push(at),
            }
        }
        person
    }
}
