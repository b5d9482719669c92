//! The protobuf form of the verdicts of `POST /openrtb2/decide`: a message `vaglio.v1.OpenRtbDecision`.

use super::decide_proto::TOKEN;
use super::labels::DECISIONS;
use super::lookup_proto::number;
use super::openrtb_decide::Decided;
use crate::decide::Verdict;
use crate::wire::codec::{append, embed};
use crate::wire::v1;

/// The field of `OpenRtbDecision` that holds the verdicts on campaigns.
const CAMPAIGNS: u32 = 3;

/// Encodes what was decided.
pub(super) fn decided(decided: &Decided<'_, '_>) -> Vec<u8> {
    let mut imps = Vec::with_capacity(decided.request.imps.len());
    decided.for_each_imp(|imp, verdict, deals| {
        let deal =
            |&(id, verdict): &(&str, Verdict)| v1::DealVerdict { id: id.to_owned(), verdict: verdict_of(verdict) };
        let deals = deals.iter().map(deal).collect();
        imps.push(v1::ImpVerdict { id: imp.id.to_string(), verdict: verdict_of(verdict), deals });
    });
    let message = v1::OpenRtbDecision {
        id: decided.request.id.to_string(),
        status: number(decided.status),
        imp: imps,
        ..Default::default()
    };
    let (mut out, mut verdict, mut token) = (Vec::with_capacity(512), Vec::with_capacity(256), Vec::new());
    append(&message, &mut out);
    for (campaign, label, decision) in decided.campaigns() {
        verdict.clear();
        verdict.extend_from_slice(&label.proto);
        verdict.extend_from_slice(&DECISIONS[decision as usize].proto);
        token.clear();
        decided.token(campaign, decision, &mut token);
        if !token.is_empty() {
            embed(TOKEN, &token, &mut verdict);
        }
        embed(CAMPAIGNS, &verdict, &mut out);
    }
    if let Some(served) = decided.party.served {
        let (generation, as_of) = (served.generation().0, served.as_of().to_string());
        append(&v1::OpenRtbDecision { generation, as_of, stale: decided.stale, ..Default::default() }, &mut out);
    }
    out
}

fn verdict_of(verdict: Verdict) -> i32 {
    match verdict {
        Verdict::Target => v1::Verdict::Target,
        Verdict::Suppress => v1::Verdict::Suppress,
        Verdict::Unknown => v1::Verdict::Unknown,
    }
    .into()
}
