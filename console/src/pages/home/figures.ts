/** Counts made into what the home page shows. */
import type { Schemas } from "../../api/client";

type Statistics = Schemas["Statistics"];

const MINUTE = 60_000;

export function wholeMinute(instant: number): number {
  return Math.floor(instant / MINUTE) * MINUTE;
}

/** The reader's midnight before an instant. */
export function startOfDay(instant: number): number {
  const day = new Date(instant);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** The server's present where its clock stands still (`as_of` in its configuration): there nothing is counted later. */
export function frozenAt(generation: { created?: string; as_of?: string } | undefined): number | undefined {
  if (generation?.created === undefined || generation.as_of === undefined) return undefined;
  const asOf = Date.parse(generation.as_of);
  // A build of real data has its `as_of` when it begins; none takes a day.
  return Math.abs(Date.parse(generation.created) - asOf) > 24 * 60 * MINUTE ? asOf : undefined;
}

/** The server's present, for questions that are asked again and again. */
export function clockOf(frozen: number | undefined): () => number {
  return () => frozen ?? Date.now();
}

export interface Point {
  /** When the minute began. */
  at: number;
  perSecond: number;
}

/** Lookups per second of every minute that has ended; the one that still runs is left out. */
export function perSecond(of: Statistics): Point[] {
  const from = Date.parse(of.from);
  const length = of.series.reduce((longest, one) => Math.max(longest, one.counts.length), 0);
  const minutes = length > 0 ? length : Math.round((Date.parse(of.to) - from) / MINUTE);
  return Array.from({ length: Math.max(0, minutes - 1) }, (_, minute) => ({
    at: from + minute * MINUTE,
    perSecond: of.series.reduce((sum, one) => sum + (one.counts[minute] ?? 0), 0) / 60,
  }));
}

/** The mean of the last five minutes that have ended. */
export function rate(points: readonly Point[]): number {
  const last = points.slice(-5);
  return last.length === 0 ? 0 : last.reduce((sum, point) => sum + point.perSecond, 0) / last.length;
}

/** All counts together. */
export function total(of: Statistics): number {
  return of.totals.reduce((sum, one) => sum + one.count, 0);
}

export interface Match {
  source: string;
  known: number;
  asked: number;
}

/** How many identifiers of each sort belonged to somebody; the sorts that are asked most, first. */
export function matchesBySource(of: Statistics): Match[] {
  const found = new Map<string, Match>();
  for (const { source, outcome, count } of of.totals) {
    if (!source) continue;
    const match = found.get(source) ?? { source, known: 0, asked: 0 };
    match.asked += count;
    if (outcome === "known") match.known += count;
    found.set(source, match);
  }
  return [...found.values()].toSorted((a, b) => b.asked - a.asked || a.source.localeCompare(b.source));
}

/** The share of lookups that found somebody, of those that could be answered. */
export function matchedShare(of: Statistics): number | undefined {
  const asked = total(of);
  const matched = of.totals.filter((one) => one.outcome === "matched").reduce((sum, one) => sum + one.count, 0);
  return asked === 0 ? undefined : matched / asked;
}

export type Verdict = "target" | "suppress" | "unknown";

export interface Reasoned {
  verdict: Verdict;
  /** Empty for a person in target. */
  reason: string;
  count: number;
}

const ORDER: readonly Verdict[] = ["target", "suppress", "unknown"];

/** Verdicts of all campaigns by reason, the most frequent first. */
export function verdictsByReason(of: Statistics): Reasoned[] {
  const found = new Map<string, Reasoned>();
  for (const { verdict, reason, count } of of.totals) {
    const known = ORDER.find((one) => one === verdict);
    if (known === undefined) continue;
    const key = `${known} ${reason ?? ""}`;
    const sum = found.get(key) ?? { verdict: known, reason: reason ?? "", count: 0 };
    sum.count += count;
    found.set(key, sum);
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count);
}

/** How many of each verdict, in the order speak, leave alone, cannot say. */
export function verdictTotals(reasons: readonly Reasoned[]): { verdict: Verdict; count: number }[] {
  return ORDER.map((verdict) => ({
    verdict,
    count: reasons.filter((one) => one.verdict === verdict).reduce((sum, one) => sum + one.count, 0),
  }));
}
