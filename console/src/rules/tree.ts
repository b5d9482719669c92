/** A rule as a tree, as `POST /api/v1/rule` reads and prints it. The text is the same rule; neither says more. */

export type Tree =
  | { is: "everyone" }
  | { is: "all"; of: Tree[] }
  | { is: "any"; of: Tree[] }
  | { is: "not"; of: Tree }
  | { is: "at_least"; n: number; of: Tree[] }
  | { is: "audience"; id: string }
  | { is: "sample"; percent: number; name: string }
  | TraitTest
  | EventTest;

export interface TraitTest {
  is: "trait";
  name: string;
  test: Test;
}

export interface EventTest {
  is: "event";
  name: string;
  where: Where[];
  pick: Pick;
  count: Count;
  when: When;
}

/** A test of a property of an event. */
export interface Where {
  name: string;
  test: Test;
}

export type Pick = "all" | "first" | "last";
export type Value = number | boolean | string | { date: string };
export type Compare = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** A question to one value: of a trait, or of an event's property. */
export type Test =
  | { op: "is_true" }
  | { op: "is_known" }
  | { op: Compare; value: Value }
  | { op: "between"; from: Value; to: Value }
  | { op: "in"; values: Value[] }
  | { op: "has_any" | "has_all" | "matches_any"; values: string[] }
  | { op: "contains" | "starts_with"; value: string }
  | { op: "within" | "before_ago"; span: string }
  | { op: "since"; date: string };

/** How many of the events, or how much of a property of them, must be in the window. */
export type Count =
  | { op: "never" }
  | { op: "at_least" | "at_most" | "exactly"; n: number }
  | { op: "between"; from: number; to: number }
  | { op: "days"; n: number }
  | { op: "sum" | "avg" | "min" | "max"; property: string; compare: Compare; value: number }
  | { op: "distinct"; n: number; property: string };

/** The window in which events count. Spans are written as in rules: `7 days`, `90 minutes`. */
export type When =
  | { op: "ever" }
  | { op: "today" }
  | { op: "within" | "before_ago"; span: string }
  | { op: "between_ago"; from: string; to: string }
  | { op: "since"; date: string }
  | { op: "between_dates"; from: string; to: string };
