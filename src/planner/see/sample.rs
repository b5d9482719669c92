//! A few people of a set, so that a planner sees whom a rule holds for and why: under pseudonyms that hold within one answer, with
//! the facts behind each part of the rule, never an identifier.

mod mask;

use super::ask::{Meant, Named};
use super::remark::{Remark, fault};
use super::{Ground, Over, Wrong};
use crate::audiences::Expr;
use crate::evaluate::{Question as Why, Tree};
use crate::schema::{AudienceId, ProfileKey};
use crate::snapshot::keys::Keys;
use aws_lc_rs::rand;
use mask::Mask;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::time::Instant;
use utoipa::ToSchema;

/// People in an answer.
const MOST: u32 = 20;

/// Who are they?
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = SampleQuestion)]
#[serde(deny_unknown_fields, default)]
pub struct Question {
    /// A rule as planners write it.
    #[schema(example = "age >= 18 and region = Lombardia")]
    pub rule: Option<String>,
    /// A published audience: `owner/id`, or `id` of the asker's own.
    pub audience: Option<String>,
    /// The definition of an audience or a campaign, published or not: an object, or a text in YAML.
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Box<RawValue>>,
    /// Whose audiences a rule means by names without an owner; default: the asker's.
    pub owner: Option<String>,
    /// Of whom; default: of its members. `joiners` and `leavers` are those of a definition against what is published.
    pub of: Of,
    /// How many; default 5.
    #[schema(minimum = 1, maximum = 20)]
    pub count: Option<u32>,
}

/// Of whom a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = SampleOf)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// Those the rule holds for.
    #[default]
    Members,
    /// Those it does not hold for.
    Others,
    /// Those in it then and not now.
    Joiners,
    /// Those in it now and not then.
    Leavers,
}

/// A few people.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SampleAnswer)]
pub struct Answer {
    /// The audience or campaign, if it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<AudienceId>,
    /// The same ones as long as the generation is the same.
    pub people: Vec<Someone>,
    /// What is legal and probably not meant.
    pub lint: Vec<Remark>,
    /// Over what they were found.
    #[serde(flatten)]
    pub over: Over,
}

/// Somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SampleSomeone)]
pub struct Someone {
    /// Stands for them in this answer alone.
    pub pseudonym: String,
    /// Whether the rule holds for them.
    pub member: bool,
    /// The rule as a tree, with the facts behind each part. What is sensitive, or known of few, is not told to an owner's key.
    #[schema(value_type = Object)]
    pub why: Tree,
}

/// Picks and explains.
///
/// # Errors
/// What is wrong with the question, another owner's audience, or nobody waits any more.
pub fn sample(ground: &Ground<'_>, question: Question) -> Result<Answer, Wrong> {
    let since = Instant::now();
    let Question { rule, audience, definition, owner, of, count } = question;
    let count = count.unwrap_or(5);
    if !(1..=MOST).contains(&count) {
        let detail = format!("`count` is {count}; 1 to {MOST} are expected");
        return Err(Wrong::Asked(vec![fault("wrong-value", "/count", detail, "")]));
    }
    if matches!(of, Of::Joiners | Of::Leavers) && definition.is_none() {
        let detail = "only the definition of an audience has joiners and leavers";
        return Err(Wrong::Asked(vec![fault("wrong-value", "/of", detail, "send a `definition`")]));
    }
    let Meant { rule, catalogue, id, foreign, remarks } =
        ground.meant(&Named { rule, audience, definition, owner }, "")?;
    let tenant = ground.who.owner.is_some();
    if tenant && (foreign || ground.loaded.config.protection.everything) {
        let message = "no people are shown where counts are protected";
        let help = "ask about audiences of your own that rest on no other owner's";
        return Err(Wrong::Withheld(message.to_owned(), help.to_owned()));
    }
    let members = ground.members(&[&rule], &catalogue)?.pop().unwrap_or_default();
    let set = match of {
        Of::Members => members.clone(),
        Of::Others => (0..ground.view.columns().ordinals()).collect::<RoaringBitmap>() - &members,
        Of::Joiners => &members - published(ground, id.as_ref())?,
        Of::Leavers => published(ground, id.as_ref())? - &members,
    };
    let picked = pick(&set, count, &seed(ground, &rule));
    let columns = ground.view.columns();
    let why = Why { catalogue: &catalogue, columns, now: ground.view.as_of(), zone: ground.view.zone() };
    let mask = Mask::new(ground, tenant);
    let keys = Keys::open(ground.view.serving().snapshot().section("keys")?)?;
    let salt = salt()?;
    let mut people = Vec::new();
    for ordinal in picked {
        if ground.watch.is_cancelled() {
            return Err(Wrong::BrokenOff);
        }
        let mut tree = why.rule(&rule, ordinal);
        mask.hide(&mut tree);
        let pseudonym = pseudonym(&salt, keys.least(ordinal).unwrap_or_default());
        people.push(Someone { pseudonym, member: members.contains(ordinal), why: tree });
    }
    Ok(Answer { id, people, lint: remarks, over: ground.over(since) })
}

/// Who is in the audience or campaign of that name now.
fn published(ground: &Ground<'_>, id: Option<&AudienceId>) -> Result<RoaringBitmap, Wrong> {
    let catalogue = ground.view.catalogue();
    let Some(id) = id else { return Ok(RoaringBitmap::new()) };
    let rule = match catalogue.campaign(id) {
        Some(at) if catalogue.number(id).is_none() => super::ask::rule_of(&catalogue.campaigns[at as usize]),
        _ => Expr::InAudience(id.clone()),
    };
    Ok(ground.members(&[&rule], catalogue)?.pop().unwrap_or_default())
}

/// The same question gets the same people of a generation, and nobody can choose whom.
fn seed(ground: &Ground<'_>, rule: &Expr) -> [u8; 16] {
    let key = ground.keys.derive(b"vaglio samples");
    let mut hasher = SipHasher24::new_with_key(key[..16].try_into().unwrap_or(&[0; 16]));
    hasher.write_u64(ground.view.generation().0);
    hasher.write(crate::audiences::print(rule).as_bytes());
    hasher.finish128().as_bytes()
}

/// So many of a set, each at most once, in ascending order.
fn pick(set: &RoaringBitmap, count: u32, seed: &[u8; 16]) -> RoaringBitmap {
    if set.len() <= u64::from(count) {
        return set.clone();
    }
    let mut picked = RoaringBitmap::new();
    let mut turn = 0u64;
    while picked.len() < u64::from(count) {
        let mut hasher = SipHasher24::new_with_key(seed);
        hasher.write_u64(turn);
        let rank = hasher.finish128().h1 % set.len();
        picked.extend(u32::try_from(rank).ok().and_then(|rank| set.select(rank)));
        turn += 1;
    }
    picked
}

fn salt() -> Result<[u8; 16], Wrong> {
    let mut salt = [0; 16];
    let failed = |_| crate::error::Error::internal("the machine has no randomness to give");
    rand::fill(&mut salt).map_err(failed)?;
    Ok(salt)
}

fn pseudonym(salt: &[u8; 16], key: ProfileKey) -> String {
    let mut hasher = SipHasher24::new_with_key(salt);
    hasher.write(&key.to_bytes());
    format!("p-{:016x}", hasher.finish128().h1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_picked_always_the_same_ones() {
        let set: RoaringBitmap = (0..1_000).step_by(7).collect();
        let picked = pick(&set, 20, &[1; 16]);
        assert_eq!((picked.len(), picked.is_subset(&set)), (20, true));
        assert_eq!(picked, pick(&set, 20, &[1; 16]));
        assert_ne!(picked, pick(&set, 20, &[2; 16]));
        assert_eq!(pick(&set, 500, &[1; 16]), set);
    }

    #[test]
    fn a_pseudonym_holds_within_one_answer_alone() {
        let (one, other) = (salt().unwrap(), salt().unwrap());
        assert_eq!(pseudonym(&one, ProfileKey(7)), pseudonym(&one, ProfileKey(7)));
        assert_ne!(pseudonym(&one, ProfileKey(7)), pseudonym(&one, ProfileKey(8)));
        assert_ne!(pseudonym(&one, ProfileKey(7)), pseudonym(&other, ProfileKey(7)));
    }
}
