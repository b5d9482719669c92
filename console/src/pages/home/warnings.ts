/** What somebody should know, worst first, and where it is mended. Words are in `en.json` under `warnings`. */
import type { Schemas } from "../../api/client";

type Generations = Schemas["GenerationsAnswer"];
type Builds = Schemas["BuildsAnswer"];
type One = Schemas["GenerationAnswer"];

export type WarningCode =
  | "noGeneration"
  | "damaged"
  | "publishFailed"
  | "buildFailed"
  | "notInService"
  | "pinned"
  | "stale"
  | "rejects"
  | "old"
  | "refused"
  | "flagged"
  | "noMembers"
  | "fewMatches"
  | "quietNow"
  | "notKept"
  | "frozen";

export interface Warning {
  code: WarningCode;
  tone: "bad" | "warn" | "plain";
  values: Record<string, string | number>;
  /** Where it is mended. */
  to?: string;
  /** A reason of a failed build, which has words of its own. */
  reason?: Schemas["Reason"];
}

export interface Known {
  generations?: Generations | undefined;
  builds?: Builds | undefined;
  inService?: One | undefined;
  /** Lookups of the last hour, and whether anything was asked at all lately. */
  lookupsOfTheHour?: number | undefined;
  askedLately?: boolean | undefined;
  matchedShare?: { share: number; asked: number } | undefined;
  refusals?: number | undefined;
  lookupsToday?: number | undefined;
  statisticsKept: boolean;
  frozenAt?: number | undefined;
  now: number;
}

/** More rows of a source than this are not taken: somebody should look. */
const REJECTS = 0.01;
/** One of a thousand may be late. */
const REFUSED = 0.001;
const OLD = 24 * 3_600_000;
/** Fewer than these lookups say nothing about how many match. */
const ENOUGH = 500;

export function warnings(known: Known): Warning[] {
  const found = [
    ...ofGenerations(known),
    ...ofBuilds(known),
    ...ofSources(known),
    ...ofAudiences(known),
    ...ofTraffic(known),
  ];
  const rank = { bad: 0, warn: 1, plain: 2 };
  return found.toSorted((a, b) => rank[a.tone] - rank[b.tone]);
}

function ofGenerations({ generations, inService, frozenAt, now }: Known): Warning[] {
  if (!generations) return [];
  const found: Warning[] = [];
  const { live, pinned, in_service: answering } = generations;
  const to = "/generations";
  if (answering === null || answering === undefined) found.push({ code: "noGeneration", tone: "bad", values: {}, to });
  else if (live !== null && live !== undefined && live !== answering)
    found.push({ code: "notInService", tone: "warn", values: { live, answering }, to });
  if (pinned !== null && pinned !== undefined) found.push({ code: "pinned", tone: "warn", values: { pinned }, to });
  const damaged = generations.generations.filter((one) => one.refused);
  if (damaged.length > 0) {
    const values = { generations: damaged.map((one) => one.generation).join(", "), count: damaged.length };
    found.push({ code: "damaged", tone: "warn", values, to });
  }
  const asOf = inService?.as_of;
  if (frozenAt !== undefined) found.push({ code: "frozen", tone: "plain", values: {} });
  else if (asOf !== undefined && now - Date.parse(asOf) > OLD)
    found.push({ code: "old", tone: "warn", values: {}, to });
  return found;
}

function ofBuilds({ builds }: Known): Warning[] {
  if (!builds?.builds) return [];
  const found: Warning[] = [];
  const { state, failure } = builds.publishing;
  const to = "/generations?tab=builds";
  if (state === "failed")
    found.push({ code: "publishFailed", tone: "bad", values: {}, to, ...(failure && { reason: failure.reason }) });
  // One that failed and went well afterwards is past.
  const last = builds.ended.find((one) => one.outcome !== "cancelled" && one.kind !== "fresh");
  if (last?.outcome === "failed" && last.failure && state !== "failed")
    found.push({ code: "buildFailed", tone: "bad", values: {}, to, reason: last.failure.reason });
  return found;
}

function ofSources({ inService }: Known): Warning[] {
  const sources = inService?.sources ?? [];
  const to = `/generations/${inService?.generation ?? ""}`;
  const found: Warning[] = [];
  const stale = sources.filter((source) => source.stale);
  if (stale.length > 0) found.push({ code: "stale", tone: "warn", values: named(stale), to });
  const wrong = sources.filter((source) => rejectedShare(source) > REJECTS);
  if (wrong.length > 0) {
    const share = Math.max(...wrong.map(rejectedShare));
    found.push({ code: "rejects", tone: "warn", values: { ...named(wrong), share }, to });
  }
  return found;
}

export function rejectedShare(source: Pick<Schemas["SourceAge"], "accepted" | "rejected">): number {
  const rows = source.accepted + source.rejected;
  return rows === 0 ? 0 : source.rejected / rows;
}

function ofAudiences({ inService }: Known): Warning[] {
  const audiences = inService?.audience_list ?? [];
  const to = `/generations/${inService?.generation ?? ""}`;
  const found: Warning[] = [];
  const flagged = audiences.filter((one) => one.flagged);
  if (flagged.length > 0) found.push({ code: "flagged", tone: "warn", values: listed(flagged), to });
  const nobody = audiences.filter((one) => one.kind === "target" && one.members === 0);
  if (nobody.length > 0) found.push({ code: "noMembers", tone: "plain", values: listed(nobody), to: "/audiences" });
  return found;
}

function ofTraffic(known: Known): Warning[] {
  const { lookupsOfTheHour, askedLately, matchedShare, refusals, lookupsToday, statisticsKept, frozenAt } = known;
  if (!statisticsKept) return [{ code: "notKept", tone: "plain", values: {} }];
  const found: Warning[] = [];
  if (refusals && refusals / (refusals + (lookupsToday ?? 0)) > REFUSED)
    found.push({ code: "refused", tone: "warn", values: { count: refusals } });
  if (matchedShare && matchedShare.asked >= ENOUGH && matchedShare.share < 0.05)
    found.push({ code: "fewMatches", tone: "warn", values: { share: matchedShare.share } });
  if (askedLately && lookupsOfTheHour === 0 && frozenAt === undefined)
    found.push({ code: "quietNow", tone: "plain", values: {} });
  return found;
}

function named(of: readonly { name: string }[]): { names: string; count: number } {
  return { names: of.map((one) => one.name).join(", "), count: of.length };
}

/** The first three ids, and how many there are. */
function listed(of: readonly { id: string }[]): { names: string; count: number } {
  const first = of.slice(0, 3).map((one) => one.id);
  return { names: first.join(", ") + (of.length > 3 ? ", …" : ""), count: of.length };
}
