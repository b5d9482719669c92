/** The tree of `sample` and `explain`: a rule's parts for one person, each with its truth and the fact behind it. */

interface From {
  from: "snapshot" | "live" | "both";
  sources?: string[];
}

/** What is known that bears on a part. */
export type Known =
  | ({ kind: "trait"; name: string; value?: boolean | number | string | string[] } & From)
  | { kind: "event"; name: string; count: number; latest: { at: string; from: From["from"] }[]; sources?: string[] }
  | ({ kind: "list"; member: boolean; until?: string } & From);

export interface Why {
  /** The part as a planner writes it. */
  rule: string;
  holds: boolean;
  /** In words; where there is `known`, the same. */
  fact?: string;
  known?: Known;
  /** What it is made of; of an audience, its rule. */
  parts?: Why[];
}

/** How a part is made of others. */
export type Joined = { by: "all" | "any" | "not" | "rule" } | { by: "atLeast"; n: number } | { by: "nothing" };

/** Read from the text, in which the parts stand one after the other. */
export function joined({ rule, parts = [] }: Why): Joined {
  const [first] = parts;
  if (!first) return { by: "nothing" };
  const some = /^at least (\d+) of \(/.exec(rule);
  if (some) return { by: "atLeast", n: Number(some[1]) };
  if (parts.length === 1) return { by: rule.startsWith("not ") ? "not" : "rule" };
  const rest = rule.replace(/^\(+/, "").slice(first.rule.replace(/^\(+/, "").length);
  return { by: /^\)*\s+or\s/i.test(rest) ? "any" : "all" };
}

/**
 * The parts that made a part what it is: of `all` that holds, each, of one that does not, those that do not; of `any` and
 * `at least`, the other way round. All of these are the parts of the same truth; what turns its part over has one.
 */
export function deciding({ holds, parts = [] }: Why): readonly Why[] {
  return parts.length === 1 ? parts : parts.filter((part) => part.holds === holds);
}

/** The leaves that decided, in the rule's order. */
export function reasons(why: Why): readonly Why[] {
  return why.parts?.length ? deciding(why).flatMap(reasons) : [why];
}
