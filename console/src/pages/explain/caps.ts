/** What is left of a campaign's caps for one person. */
import type { Cap } from "./asked";

export type Unit = "second" | "minute" | "hour" | "day" | "week";
const SECONDS: Record<Unit, number> = { second: 1, minute: 60, hour: 3_600, day: 86_400, week: 604_800 };

export interface Span {
  count: number;
  unit: Unit;
}

/** `1 day`, `36 hours`; nothing = a whole flight, or what is not understood. */
export function spanOf(per: string | null): Span | undefined {
  const found = /^(\d+) (second|minute|hour|day|week)s?$/.exec(per ?? "");
  return found ? { count: Number(found[1]), unit: found[2] as Unit } : undefined;
}

/** How many exposures a cap has counted and how many are left, at an instant. */
export function used(
  { impressions, per }: Cap,
  exposures: readonly string[],
  at: string,
): { seen: number; left: number } {
  const span = spanOf(per);
  const since = span ? new Date(at).getTime() - span.count * SECONDS[span.unit] * 1000 : Number.NEGATIVE_INFINITY;
  const seen = exposures.filter((time) => new Date(time).getTime() > since).length;
  return { seen, left: Math.max(0, impressions - seen) };
}
