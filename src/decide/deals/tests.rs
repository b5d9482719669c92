//! Deals against a plain walk over the definitions.

use super::*;
use crate::audiences::catalogue::{self, Campaign, Flight, Status as Speaking};
use crate::decide::tests::{campaign, catalogue};
use crate::decide::{Decisions, Status};
use crate::schema::AudienceId;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(50);

fn deal(exchange: &str, id: &str, exclusive: bool) -> catalogue::Deal {
    catalogue::Deal { exchange: exchange.to_owned(), id: id.to_owned(), exclusive }
}

/// The oracle: the campaigns behind a deal (`None` = those without deals), in the words of the design.
fn behind<'c>(catalogue: &'c Catalogue, deal: Option<&str>) -> Vec<(usize, &'c Campaign)> {
    let all = catalogue.campaigns.iter().enumerate().filter(|(_, campaign)| campaign.id.owner() == "o");
    let on = |campaign: &Campaign| match deal {
        Some(id) => campaign.deals.iter().any(|deal| deal.exchange.eq_ignore_ascii_case("index") && deal.id == id),
        None => campaign.deals.is_empty(),
    };
    all.filter(|(_, campaign)| on(campaign)).collect()
}

fn speaks(campaign: &Campaign) -> bool {
    let flight = campaign.flight.unwrap_or(Flight { from: None, to: None });
    let begun = flight.from.is_none_or(|from| from <= NOW);
    campaign.status == Speaking::Active && begun && flight.to.is_none_or(|to| NOW < to)
}

fn together(verdicts: &[Verdict]) -> Option<Verdict> {
    let wins = |wanted| verdicts.contains(&wanted).then_some(wanted);
    wins(Verdict::Target).or_else(|| wins(Verdict::Unknown)).or_else(|| wins(Verdict::Suppress))
}

fn any_campaign() -> impl Strategy<Value = Campaign> {
    let deals = prop::collection::vec(("[iI]ndex|other", "[a-c]", any::<bool>()), 0..4);
    let edge = || prop::option::of((0i64..100).prop_map(Timestamp));
    let speaking = prop_oneof![3 => Just(Speaking::Active), 1 => Just(Speaking::Paused)];
    let fallback = || prop_oneof![Just(Fallback::Target), Just(Fallback::Suppress), Just(Fallback::Unknown)];
    (deals, speaking, prop::option::of((edge(), edge())), "o|p", fallback()).prop_map(
        |(deals, status, flight, owner, on_failure)| Campaign {
            id: AudienceId::new(&owner, "c"),
            status,
            flight: flight.map(|(from, to)| Flight { from, to }),
            deals: deals.iter().map(|(exchange, id, exclusive)| deal(exchange, id, *exclusive)).collect(),
            on_failure,
            ..campaign(0)
        },
    )
}

proptest! {
    #[test]
    fn deals_say_what_the_definitions_say(
        decided in prop::collection::vec((any_campaign(), 0..Decision::ALL.len()), 0..12),
        listed in prop::collection::vec("[a-d]", 0..4),
    ) {
        let (campaigns, decisions): (Vec<Campaign>, Vec<usize>) = decided.into_iter().unzip();
        let decisions: Vec<Decision> = decisions.into_iter().map(|at| Decision::ALL[at]).collect();
        let catalogue = catalogue(0, campaigns);
        let index = CampaignIndex::new(&catalogue);
        let deals = Deals::new(&catalogue, Some("INDEX"), |owner| owner == "o");
        let voices = Voices { campaigns: &index, decisions: &decisions, now: NOW };
        let mut on_imp = Vec::new();
        for id in ["a", "b", "c", "d"] {
            let behind = behind(&catalogue, Some(id));
            let heard: Vec<_> = behind.iter().filter(|(_, campaign)| speaks(campaign)).collect();
            let verdicts: Vec<Verdict> = heard.iter().map(|(at, _)| decisions[*at].verdict()).collect();
            let deal = deals.get(id);
            prop_assert_eq!(deal.is_some(), !behind.is_empty());
            prop_assert_eq!(deal.and_then(|deal| deal.verdict(voices)), together(&verdicts));
            let mine = |deal: &&catalogue::Deal| deal.exchange.eq_ignore_ascii_case("index") && deal.id == id;
            let exclusive = behind.iter().flat_map(|(_, it)| it.deals.iter().filter(mine)).all(|deal| deal.exclusive);
            let hidden = catalogue.campaigns.iter().filter(|campaign| campaign.id.owner() != "o");
            let shared = hidden.flat_map(|campaign| &campaign.deals).any(|deal| mine(&deal));
            prop_assert_eq!(deal.is_none_or(|deal| deal.exclusive), exclusive && (deal.is_none() || !shared));
            let settled: Vec<Settled> =
                heard.iter().map(|(at, campaign)| settle(decisions[*at], campaign.on_failure)).collect();
            let order = [Settled::Target, Settled::Silent, Settled::Suppress];
            let expected = order.into_iter().find(|wanted| settled.contains(wanted));
            prop_assert_eq!(deal.and_then(|deal| deal.settled(voices)), expected);
            if listed.iter().any(|it| it == id) {
                on_imp.extend(verdicts);
            }
        }
        let everywhere = behind(&catalogue, None).into_iter().filter(|(_, campaign)| speaks(campaign));
        on_imp.extend(everywhere.map(|(at, _)| decisions[at].verdict()));
        let of_deals = listed.iter().filter_map(|id| deals.get(id)?.verdict(voices));
        let imp = of_impression(deals.everywhere(voices).into_iter().chain(of_deals));
        prop_assert_eq!(imp, together(&on_imp).unwrap_or(Verdict::Unknown));
    }
}

#[test]
fn what_cannot_be_said_is_settled_by_the_campaign_but_never_without_consent() {
    use Decision::*;
    for decision in Decision::ALL {
        for (on_failure, unknown) in [
            (Fallback::Target, Settled::Target),
            (Fallback::Suppress, Settled::Suppress),
            (Fallback::Unknown, Settled::Silent),
        ] {
            let expected = match decision {
                Target | NoProfileTarget => Settled::Target,
                NotInTarget | Excluded | Paused | Objected | NoProfileSuppress | Capped | Pressure | Outranked
                | NoConsent => Settled::Suppress,
                NoProfileUnknown | NoId | NotReady | Overloaded | Late | CapsUnknown => unknown,
            };
            assert_eq!(settle(decision, on_failure), expected, "{decision:?} {on_failure:?}");
        }
    }
}

#[test]
fn a_caller_without_an_exchange_has_no_deals_and_a_campaign_elsewhere_has_no_voice() {
    let elsewhere = Campaign { deals: vec![deal("other", "a", true)], ..campaign(0) };
    let catalogue = catalogue(0, vec![elsewhere, campaign(1)]);
    let index = CampaignIndex::new(&catalogue);
    for exchange in [None, Some("index")] {
        let deals = Deals::new(&catalogue, exchange, |_| true);
        assert!(deals.get("a").is_none());
        let decisions = [Decision::Target, Decision::Excluded];
        let voices = Voices { campaigns: &index, decisions: &decisions, now: NOW };
        assert_eq!(deals.everywhere(voices), Some(Verdict::Suppress));
    }
}

#[test]
fn an_objection_silences_a_deal_but_not_through_campaigns_that_do_not_speak() {
    let on_deal = |status| Campaign { status, deals: vec![deal("index", "a", true)], ..campaign(0) };
    let catalogue = catalogue(0, vec![on_deal(Speaking::Active), on_deal(Speaking::Paused)]);
    let (index, mut decisions) = (CampaignIndex::new(&catalogue), Decisions::default());
    index.decide(Status::Blocked, &[], &[], NOW, &mut decisions);
    let deals = Deals::new(&catalogue, Some("index"), |_| true);
    let verdict = |decisions: &[Decision]| {
        let voices = Voices { campaigns: &index, decisions, now: NOW };
        deals.get("a").and_then(|deal| deal.verdict(voices))
    };
    assert_eq!(verdict(&decisions.all), Some(Verdict::Suppress));
    assert_eq!(verdict(&[]), None, "without a generation nothing is said");
}
