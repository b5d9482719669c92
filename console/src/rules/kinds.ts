/** What may be asked of which kind of value, and what the vocabulary knows of names. */
import type { Schemas } from "../api/client";
import type { EventTest, Test, TraitTest, Value } from "./tree";

export type Vocabulary = Schemas["VocabularyAnswer"];
export type Kind = "flag" | "category" | "tags" | "number" | "date";
export type Op = Test["op"];

/** The questions to each kind, the usual one first. */
export const OPS: Record<Kind, readonly Op[]> = {
  flag: ["is_true", "=", "!=", "is_known"],
  category: ["in", "=", "!=", "contains", "starts_with", "matches_any", "is_known"],
  tags: ["has_any", "has_all", "contains", "starts_with", "matches_any", "is_known"],
  number: ["between", ">=", "<=", "=", "!=", ">", "<", "in", "is_known"],
  date: ["within", "before_ago", "since", "<", "<=", ">", ">=", "=", "!=", "between", "is_known"],
};

export interface Known {
  kind: Kind;
  values: readonly ValueCount[];
  /** Whether there are values that the vocabulary does not list. */
  open: boolean;
}

export interface ValueCount {
  value: string;
  count?: number;
}

function isKind(kind: string): kind is Kind {
  return kind in OPS;
}

/** The vocabulary's values: `{ value, count }`, or plain. */
function valuesOf(values: readonly unknown[]): ValueCount[] {
  return values.map((each) => {
    if (typeof each === "object" && each !== null && "value" in each) {
      const count = "count" in each && typeof each.count === "number" ? each.count : undefined;
      return { value: String(each.value), ...(count !== undefined && { count }) };
    }
    return { value: String(each) };
  });
}

function known(
  found: { kind: string; values: readonly unknown[]; values_left_out: number } | undefined,
): Known | undefined {
  if (found === undefined || !isKind(found.kind)) return undefined;
  const values = valuesOf(found.values);
  return { kind: found.kind, values, open: found.values_left_out > 0 || values.length === 0 };
}

export function traitOf(vocabulary: Vocabulary, name: string): Known | undefined {
  return known(vocabulary.traits.find((trait) => trait.name === name));
}

export function eventOf(vocabulary: Vocabulary, name: string): Vocabulary["events"][number] | undefined {
  return vocabulary.events.find((event) => event.name === name);
}

export function propertyOf(vocabulary: Vocabulary, event: string, name: string): Known | undefined {
  return known(eventOf(vocabulary, event)?.properties.find((property) => property.name === name));
}

/** Whether a value is of a kind, unfinished ones included. */
function fits(kind: Kind, value: Value): boolean {
  if (typeof value === "object") return kind === "date";
  if (typeof value === "number") return kind === "number";
  if (typeof value === "boolean") return kind === "flag";
  return kind === "category";
}

/** Whether the form has fields for a test; what it has none for is edited as text. */
export function hasFields(kind: Kind | undefined, test: Test): boolean {
  if (kind === undefined || !OPS[kind].includes(test.op)) return false;
  if ("values" in test) return test.op !== "in" || test.values.every((value) => fits(kind, value));
  if (test.op === "between") return fits(kind, test.from) && fits(kind, test.to);
  if ("value" in test && test.op !== "contains" && test.op !== "starts_with") return fits(kind, test.value);
  return true;
}

function emptyValue(kind: Kind): Value {
  return { flag: true, category: "", tags: "", number: Number.NaN, date: { date: "" } }[kind];
}

function first(test: Test | undefined): Value | undefined {
  if (test === undefined) return undefined;
  if ("value" in test) return test.value;
  if ("values" in test) return test.values[0];
  return test.op === "between" ? test.from : undefined;
}

/** A test with another operator: what was chosen before stays, as far as it fits. */
export function testWith(kind: Kind, op: Op, before?: Test): Test {
  const value = first(before);
  const kept = value !== undefined && fits(kind, value) ? value : emptyValue(kind);
  const text = typeof value === "string" ? value : "";
  const texts = before && "values" in before ? before.values.map(String) : [text].filter((one) => one !== "");
  const span = before && "span" in before ? before.span : "30 days";
  switch (op) {
    case "is_true":
    case "is_known":
      return { op };
    case "between":
      return { op, from: kept, to: emptyValue(kind) };
    case "in":
      if (before && "values" in before) return { op, values: before.values.filter((one) => fits(kind, one)) };
      return { op, values: value !== undefined && value !== "" && fits(kind, value) ? [value] : [] };
    case "has_any":
    case "has_all":
    case "matches_any":
      return { op, values: texts };
    case "contains":
    case "starts_with":
      return { op, value: text };
    case "within":
    case "before_ago":
      return { op, span };
    case "since":
      return { op, date: typeof value === "object" ? value.date : "" };
    default:
      return { op, value: before && "date" in before && kind === "date" ? { date: before.date } : kept };
  }
}

export function newTest(kind: Kind): Test {
  return testWith(kind, OPS[kind][0] ?? "is_known");
}

export function newTrait(vocabulary: Vocabulary, name: string): TraitTest {
  return { is: "trait", name, test: newTest(traitOf(vocabulary, name)?.kind ?? "category") };
}

export function newEvent(name: string): EventTest {
  const when = { op: "within", span: "30 days" } as const;
  return { is: "event", name, where: [], pick: "all", count: { op: "at_least", n: 1 }, when };
}

/** Whether the form has fields for an event as it stands. */
export function eventHasFields(vocabulary: Vocabulary, event: EventTest): boolean {
  const found = eventOf(vocabulary, event.name);
  if (found === undefined) return false;
  // `never` looks at no particular one of them.
  if (event.count.op === "never" && event.pick !== "all") return false;
  const properties = new Set(found.properties.map((property) => property.name));
  if ("property" in event.count && event.count.property !== "" && !properties.has(event.count.property)) return false;
  return event.where.every(
    ({ name, test }) => name === "" || hasFields(propertyOf(vocabulary, event.name, name)?.kind, test),
  );
}
