//! A source's configuration compiled for the rows: columns by position, types, traits and events by number.

use super::ConsentKind;
use super::identifiers::Class;
use super::times::TimeFormat;
use super::values::{FastMap, Mapping};
use crate::config::{IdColumn, LinkLevel, Loaded, Source, SourceKind, TraitColumn};
use crate::error::{Error, Result};
use crate::schema::{Declarations, PropKind, TraitKind};
use jiff::tz::TimeZone;

const DAY: i64 = 86_400;

/// What to do with every row of a source. Columns are positions in `columns`.
pub(super) struct Plan {
    /// Position in the configuration.
    pub(super) source: u16,
    /// The columns that are read.
    pub(super) columns: Vec<String>,
    pub(super) delimiter: u8,
    pub(super) max_row_bytes: usize,
    pub(super) zone: TimeZone,
    /// The identifier types by number, and how to canonicalise them.
    pub(super) id_types: Vec<(Box<str>, Class)>,
    /// From a type's name to its number.
    pub(super) id_type_numbers: FastMap<u16>,
    pub(super) ids: Vec<IdPlan>,
    pub(super) time: Option<(usize, TimeFormat)>,
    /// Rows from before are expired.
    pub(super) oldest: i64,
    /// Rows from after are mistakes.
    pub(super) latest: i64,
    pub(super) body: Body,
}

/// An identifier column.
pub(super) struct IdPlan {
    pub(super) column: usize,
    pub(super) kind: IdKind,
    pub(super) hashed: bool,
}

/// Where an identifier's type comes from.
pub(super) enum IdKind {
    /// A type's number.
    Fixed(u16),
    /// A column that names it.
    Column(usize),
}

/// What a row says.
pub(super) enum Body {
    Profile(Vec<TraitPlan>),
    Event { name: NamePlan, id: Option<usize>, properties: Vec<PropPlan> },
    Membership { audience: AudiencePlan, ttl: Option<usize>, remove: Option<usize> },
    Link(LinkLevel),
    Consent { column: usize, kinds: FastMap<ConsentKind> },
}

/// A trait column.
pub(super) struct TraitPlan {
    pub(super) number: u16,
    pub(super) convert: Convert,
    /// Values from before are expired.
    pub(super) oldest: i64,
}

/// Where an event's number comes from.
pub(super) enum NamePlan {
    Fixed(u16),
    /// A column, and the numbers of the names as they come.
    Column(usize, FastMap<u16>),
}

/// A property column.
pub(super) struct PropPlan {
    pub(super) convert: Convert,
    /// By event number: the property's number there, if it carries it.
    pub(super) by_event: Vec<Option<u16>>,
}

/// Where an audience's name comes from.
pub(super) enum AudiencePlan {
    Fixed(String),
    Column(usize),
}

/// How a cell becomes a value.
pub(super) struct Convert {
    pub(super) column: usize,
    pub(super) kind: Kind,
    pub(super) mapping: Mapping,
    /// Whether values are renamed: then typed values are renamed by their text.
    pub(super) mapped: bool,
}

/// A value's kind with its format.
pub(super) enum Kind {
    Flag,
    Category,
    /// What separates the tags.
    Tags(String),
    /// The decimal separator.
    Number(u8),
    /// The strptime format.
    Date(Option<String>),
}

impl Plan {
    /// Compiles the source at this position of a valid configuration.
    pub(super) fn new(loaded: &Loaded, position: usize) -> Result<Self> {
        let source = &loaded.config.sources[position];
        let (as_of, frozen) = (loaded.clock().now().0, loaded.config.as_of.is_some());
        let mut columns = Columns(Vec::new());
        let id_types: Vec<_> =
            loaded.id_types.iter().map(|kind| (kind.name.as_str().into(), Class::of(&kind.name))).collect();
        let id_type_numbers: FastMap<u16> =
            loaded.id_types.iter().enumerate().map(|(at, kind)| (kind.name.as_str().into(), at as u16)).collect();
        let ids = source
            .ids
            .iter()
            .map(|id| id_plan(id, &id_type_numbers, &mut columns).ok_or_else(|| undeclared(source, "type", &id.kind)))
            .collect::<Result<Vec<_>>>()?;
        let time =
            source.time.as_ref().map(|time| (columns.position(&time.column), TimeFormat::of(time.format.as_deref())));
        let body = body(source, &loaded.declarations, as_of, &mut columns)?;
        // An objection does not lapse because it is old.
        let retention = source.retention_days.filter(|_| source.kind != SourceKind::Consents);
        Ok(Plan {
            source: position as u16,
            columns: columns.0,
            delimiter: source.delimiter.map_or(Ok(b','), |c| delimiter(source, c))?,
            max_row_bytes: loaded.config.build.max_row_bytes,
            zone: loaded.zone(),
            id_types,
            id_type_numbers,
            ids,
            time,
            oldest: oldest(as_of, retention),
            latest: if frozen { i64::MAX } else { as_of + DAY },
            body,
        })
    }
}

/// The distinct columns in the order in which they are first named.
struct Columns(Vec<String>);

impl Columns {
    fn position(&mut self, name: &str) -> usize {
        self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }
}

fn undeclared(source: &Source, what: &str, name: &str) -> Error {
    Error::usage(format!("source `{}`: {what} `{name}` is not declared; check the configuration", source.name))
}

fn oldest(as_of: i64, retention_days: Option<u32>) -> i64 {
    retention_days.map_or(i64::MIN, |days| as_of - i64::from(days) * DAY)
}

fn delimiter(source: &Source, delimiter: char) -> Result<u8> {
    u8::try_from(delimiter).ok().filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r')).ok_or_else(|| {
        Error::usage(format!(
            "source `{}`: delimiter `{delimiter}` cannot separate columns; expected one ASCII character such as `;`",
            source.name
        ))
    })
}

fn id_plan(id: &IdColumn, numbers: &FastMap<u16>, columns: &mut Columns) -> Option<IdPlan> {
    let kind = match id.kind.strip_prefix('$') {
        Some(column) => IdKind::Column(columns.position(column)),
        None => IdKind::Fixed(*numbers.get(id.kind.to_ascii_lowercase().as_str())?),
    };
    Some(IdPlan { column: columns.position(&id.column), kind, hashed: id.hashed })
}

fn body(source: &Source, declared: &Declarations, as_of: i64, columns: &mut Columns) -> Result<Body> {
    let lacking = |what: &str| Error::usage(format!("source `{}` needs `{what}`", source.name));
    Ok(match source.kind {
        SourceKind::Profiles => {
            let plan = |column| trait_plan(source, column, declared, as_of, columns);
            Body::Profile(source.traits.iter().map(plan).collect::<Result<_>>()?)
        }
        SourceKind::Events => event_body(source, declared, columns)?,
        SourceKind::Memberships => {
            let wanted = source.membership.as_ref().ok_or_else(|| lacking("membership"))?;
            let audience = match (&wanted.audience_column, &wanted.audience) {
                (Some(column), _) => AudiencePlan::Column(columns.position(column)),
                (None, Some(name)) => AudiencePlan::Fixed(name.clone()),
                (None, None) => return Err(lacking("membership.audience_column` or `membership.audience")),
            };
            let ttl = wanted.ttl_minutes_column.as_deref().map(|column| columns.position(column));
            let remove = wanted.remove_column.as_deref().map(|column| columns.position(column));
            Body::Membership { audience, ttl, remove }
        }
        SourceKind::Links => Body::Link(source.level),
        SourceKind::Consents => {
            let wanted = source.consent.as_ref().ok_or_else(|| lacking("consent"))?;
            Body::Consent {
                column: columns.position(&wanted.column),
                kinds: renamed(&wanted.map, CONSENTS.map(|(name, kind)| (name.to_owned(), kind)).to_vec()),
            }
        }
    })
}

const CONSENTS: [(&str, ConsentKind); 5] = [
    ("objection_marketing", ConsentKind::ObjectMarketing),
    ("objection_profiling", ConsentKind::ObjectProfiling),
    ("objection_all", ConsentKind::ObjectAll),
    ("consent", ConsentKind::Consent),
    ("refusal", ConsentKind::Refusal),
];

/// The meaning of names as they come: renamed by the map first, then known or not.
fn renamed<V: Copy>(map: &std::collections::BTreeMap<String, String>, known: Vec<(String, V)>) -> FastMap<V> {
    let mut meanings: FastMap<V> = known.iter().map(|(name, value)| (name.as_str().into(), *value)).collect();
    for (from, to) in map {
        match known.iter().find(|(name, _)| name == to.trim()) {
            Some((_, value)) => meanings.insert(from.trim().into(), *value),
            None => meanings.remove(from.trim()),
        };
    }
    meanings
}

fn trait_plan(
    source: &Source,
    column: &TraitColumn,
    declared: &Declarations,
    as_of: i64,
    columns: &mut Columns,
) -> Result<TraitPlan> {
    let name = column.name.as_ref().unwrap_or(&column.column);
    let (number, _) = declared.find_trait(name).ok_or_else(|| undeclared(source, "trait", name))?;
    let kind = match column.kind {
        TraitKind::Flag => Kind::Flag,
        TraitKind::Category => Kind::Category,
        TraitKind::Tags => Kind::Tags(column.separator.clone().unwrap_or_else(|| "|".to_owned())),
        TraitKind::Number => Kind::Number(if column.format.as_deref() == Some(",") { b',' } else { b'.' }),
        TraitKind::Date => Kind::Date(column.format.clone()),
    };
    Ok(TraitPlan {
        number: number as u16,
        convert: Convert {
            column: columns.position(&column.column),
            kind,
            mapping: Mapping::new(&column.map, &column.values),
            mapped: !column.map.is_empty(),
        },
        oldest: oldest(as_of, column.retention_days.or(source.retention_days)),
    })
}

fn event_body(source: &Source, declared: &Declarations, columns: &mut Columns) -> Result<Body> {
    let wanted =
        source.event.as_ref().ok_or_else(|| Error::usage(format!("source `{}` needs `event`", source.name)))?;
    let number = |name: &String| {
        let (number, _) = declared.find_event(name).ok_or_else(|| undeclared(source, "event", name))?;
        Ok((name.clone(), number as u16))
    };
    let known = wanted.names.iter().map(number).collect::<Result<Vec<_>>>()?;
    let name = match (&wanted.column, known.as_slice()) {
        (Some(column), _) => NamePlan::Column(columns.position(column), renamed(&wanted.map, known)),
        (None, [(_, one)]) => NamePlan::Fixed(*one),
        (None, _) => {
            return Err(Error::usage(format!(
                "source `{}`: without `event.column`, `event.names` must hold exactly one name",
                source.name
            )));
        }
    };
    let mut properties = Vec::new();
    for property in &source.properties {
        let name = property.name.as_ref().unwrap_or(&property.column);
        let carried = |event: &str| property.events.is_empty() || property.events.iter().any(|known| known == event);
        let mut by_event = vec![None; declared.events.len()];
        for event in wanted.names.iter().filter(|event| carried(event)) {
            let (number, event) = declared.find_event(event).ok_or_else(|| undeclared(source, "event", event))?;
            let (at, _) = event.find_property(name).ok_or_else(|| undeclared(source, "property", name))?;
            by_event[number] = Some(at as u16);
        }
        let kind = match property.kind {
            PropKind::Flag => Kind::Flag,
            PropKind::Category => Kind::Category,
            PropKind::Number => Kind::Number(b'.'),
        };
        let mapping = Mapping::new(&property.map, &property.values);
        let column = columns.position(&property.column);
        properties
            .push(PropPlan { convert: Convert { column, kind, mapping, mapped: !property.map.is_empty() }, by_event });
    }
    Ok(Body::Event { name, id: source.event_id.as_deref().map(|column| columns.position(column)), properties })
}
