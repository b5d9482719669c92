/** Verdicts by day and reason, from counts over time. */
import type { Schemas } from "../../api/client";

export interface ReasonDays {
  /** The beginning of each day. */
  days: string[];
  /** The most frequent first; who may be spoken to is `target`. */
  reasons: { code: string; sum: number; counts: number[] }[];
}

export function reasonsByDay({ from, series }: Pick<Schemas["Statistics"], "from" | "series">): ReasonDays {
  const length = Math.max(0, ...series.map((one) => one.counts.length));
  const begin = new Date(from).getTime();
  const days = Array.from({ length }, (_, day) => new Date(begin + day * 86_400_000).toISOString().slice(0, 10));
  const found = new Map<string, number[]>();
  for (const { reason, verdict, counts } of series) {
    const code = reason || verdict || "";
    const sums = found.get(code) ?? days.map(() => 0);
    counts.forEach((count, day) => {
      sums[day] = (sums[day] ?? 0) + count;
    });
    found.set(code, sums);
  }
  const reasons = [...found].map(([code, counts]) => ({
    code,
    counts,
    sum: counts.reduce((all, one) => all + one, 0),
  }));
  return { days, reasons: reasons.toSorted((one, other) => other.sum - one.sum) };
}
