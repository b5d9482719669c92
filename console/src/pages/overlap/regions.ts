/** Parts of a picture of overlapping audiences, and the rules that say the same. */
import type { Schemas } from "../../api/client";

export type Told = Schemas["Told"];
export type OverlapAnswer = Schemas["OverlapAnswer"];

/** People in all (or any) of some audiences, and in none of others. Ids as `owner/id`. */
export interface Region {
  ids: readonly string[];
  of: "all" | "any";
  but: readonly string[];
}

/** A region as a planner would write it. */
export function ruleOf({ ids, of, but }: Region): string {
  const within = ids.map((id) => `in audience ${id}`);
  const without = but.map((id) => `not in audience ${id}`);
  if (of === "all" || within.length < 2) return [...within, ...without].join(" and ");
  const any = within.join(" or ");
  // Mixing `and` with `or` needs the parentheses.
  return without.length === 0 ? any : [`(${any})`, ...without].join(" and ");
}

/** The owner whose audience it becomes: that of all of them, where they have one. */
function ownerOf({ ids, but }: Region): string | undefined {
  const owners = new Set([...ids, ...but].map((id) => id.split("/")[0]));
  return owners.size === 1 ? [...owners][0] : undefined;
}

/** Where a new audience of these people begins. */
export function newAudience(region: Region): string {
  const owner = ownerOf(region);
  return `/audiences/new?${new URLSearchParams({ rule: ruleOf(region), ...(owner !== undefined && { owner }) })}`;
}

/** One of the choices that somebody has who picked some audiences of all. */
export interface Way {
  id: "exactly" | "all" | "any" | "first" | "second";
  region: Region;
}

/** What people may be meant by having picked some of the audiences that are compared. */
export function waysOf(picked: readonly string[], all: readonly string[]): Way[] {
  const others = all.filter((id) => !picked.includes(id));
  const ways: Way[] = [];
  if (others.length > 0) ways.push({ id: "exactly", region: { ids: picked, of: "all", but: others } });
  ways.push({ id: "all", region: { ids: picked, of: "all", but: [] } });
  const [first, second] = picked;
  if (picked.length === 2 && first !== undefined && second !== undefined) {
    ways.push({ id: "first", region: { ids: [first], of: "all", but: [second] } });
    ways.push({ id: "second", region: { ids: [second], of: "all", but: [first] } });
  }
  if (picked.length > 1) ways.push({ id: "any", region: { ids: picked, of: "any", but: [] } });
  return ways;
}

/** A to L, as the sets are lettered. */
export function letter(at: number): string {
  return String.fromCharCode(65 + at);
}

/** What part of `whole` a count is; unknown where either is not told, or nobody is in it. */
export function shareOf(part: Told | undefined, whole: Told | undefined): number | undefined {
  if (typeof part?.count !== "number" || typeof whole?.count !== "number" || whole.count === 0) return undefined;
  return Math.min(1, part.count / whole.count);
}

export interface Pair {
  a: number;
  b: number;
  shared: Told;
  /** Of the first, of the second. */
  ofA: number | undefined;
  ofB: number | undefined;
}

/** Every two sets, those that share the greatest part of one of them first. */
export function pairsOf({ sets, pairs }: OverlapAnswer): Pair[] {
  const found: Pair[] = [];
  for (let a = 0; a < sets.length; a += 1) {
    for (let b = a + 1; b < sets.length; b += 1) {
      const shared = pairs[a]?.[b] ?? { below_floor: true };
      found.push({ a, b, shared, ofA: shareOf(shared, sets[a]), ofB: shareOf(shared, sets[b]) });
    }
  }
  const weight = (pair: Pair) => Math.max(pair.ofA ?? -1, pair.ofB ?? -1);
  return found.toSorted((one, other) => weight(other) - weight(one));
}

/** How many are in any of the sets; unknown when a part is not told. */
export function together({ exclusive }: OverlapAnswer): Told {
  const sum = exclusive.reduce((all, part) => all + (part.count ?? Number.NaN), 0);
  if (Number.isNaN(sum)) return { below_floor: true };
  return { count: sum, about: exclusive.some((part) => part.about) };
}
