/** What a comparison of two generations shows, in which order. */
import type { Schemas } from "../../api/client";

type Compared = Schemas["AudienceCompared"];

/** How a generation came to be. */
export type Made = "full" | "activate" | "fresh";

export function madeBy(of: { generation: number; index_of?: number; fresh?: boolean }): Made {
  if (of.fresh) return "fresh";
  return of.index_of === of.generation ? "full" : "activate";
}

export interface Moved extends Compared {
  /** Who joined and who left, of the larger of both sizes; undefined where it is not told. */
  moved: number | undefined;
}

export function movedShare(of: Compared): number | undefined {
  if (of.joins === null || of.joins === undefined || of.leaves === null || of.leaves === undefined) return undefined;
  const size = Math.max(of.before ?? 0, of.after ?? 0);
  // Everybody may be another: then as many joined as left, and that is all of it.
  return size === 0 ? 0 : Math.min(1, (of.joins + of.leaves) / size);
}

/** Those that moved most first; what is not told is last, then by name. */
export function byMoved(audiences: readonly Compared[]): Moved[] {
  return audiences
    .map((one) => ({ ...one, moved: movedShare(one) }))
    .toSorted(
      (a, b) =>
        (b.moved ?? -1) - (a.moved ?? -1) ||
        (b.joins ?? 0) + (b.leaves ?? 0) - (a.joins ?? 0) - (a.leaves ?? 0) ||
        a.id.localeCompare(b.id),
    );
}

export function differs(of: Compared): boolean {
  return Boolean(of.joins) || Boolean(of.leaves) || Boolean(of.definition);
}

/** Which two to compare: what the address says where there are such, else the one in service with the one before it. */
export function chosen(
  numbers: readonly number[],
  inService: number | null | undefined,
  asked: { before: string | null; after: string | null },
): { before: number; after: number } | undefined {
  const there = (text: string | null) => numbers.find((number) => text !== null && String(number) === text);
  const sorted = numbers.toSorted((a, b) => a - b);
  const after = there(asked.after) ?? (numbers.includes(inService ?? -1) ? inService : undefined) ?? sorted.at(-1);
  if (after === null || after === undefined) return undefined;
  const earlier = sorted.findLast((number) => number < after) ?? sorted.find((number) => number > after);
  const before = there(asked.before) ?? earlier;
  return before === undefined ? undefined : { before, after };
}
