/** Whether what stands in a row's fields can count already. A number that is not typed yet is `NaN`, anything else is empty. */
import type { Count, EventTest, Test, Tree, Value, When } from "./tree";

const has = (text: string) => text.trim() !== "";
const isSpan = (text: string) => /^\d+\s*[a-z]+$/i.test(text.trim());
const isNumber = (value: number) => Number.isFinite(value);

function isValue(value: Value): boolean {
  if (typeof value === "number") return isNumber(value);
  if (typeof value === "string") return has(value);
  return typeof value === "boolean" || has(value.date);
}

function isTest(test: Test): boolean {
  switch (test.op) {
    case "is_true":
    case "is_known":
      return true;
    case "between":
      return isValue(test.from) && isValue(test.to);
    case "in":
      return test.values.length > 0 && test.values.every(isValue);
    case "has_any":
    case "has_all":
    case "matches_any":
      return test.values.length > 0 && test.values.every(has);
    case "within":
    case "before_ago":
      return isSpan(test.span);
    case "since":
      return has(test.date);
    default:
      return isValue(test.value);
  }
}

function isCount(count: Count): boolean {
  switch (count.op) {
    case "never":
      return true;
    case "between":
      return isNumber(count.from) && isNumber(count.to);
    case "sum":
    case "avg":
    case "min":
    case "max":
      return has(count.property) && isNumber(count.value);
    case "distinct":
      return has(count.property) && isNumber(count.n);
    default:
      return isNumber(count.n);
  }
}

function isWhen(when: When): boolean {
  switch (when.op) {
    case "ever":
    case "today":
      return true;
    case "within":
    case "before_ago":
      return isSpan(when.span);
    case "between_ago":
      return isSpan(when.from) && isSpan(when.to);
    case "since":
      return has(when.date);
    case "between_dates":
      return has(when.from) && has(when.to);
  }
}

/** Whether a row can count; conditions behind an event's `where` may still be unfinished. */
export function isFinished(leaf: Tree): boolean {
  switch (leaf.is) {
    case "audience":
      return has(leaf.id);
    case "sample":
      return isNumber(leaf.percent) && leaf.percent > 0 && leaf.percent <= 100 && has(leaf.name);
    case "trait":
      return has(leaf.name) && isTest(leaf.test);
    case "event":
      return has(leaf.name) && isCount(leaf.count) && isWhen(leaf.when);
    default:
      return true;
  }
}

/** A row without its unfinished parts, and how many those are. */
export function whole<T extends Tree>(leaf: T): { value: T; left: number } {
  if (leaf.is !== "event") return { value: leaf, left: 0 };
  const event: EventTest = leaf;
  const where = event.where.filter((part) => has(part.name) && isTest(part.test));
  const left = event.where.length - where.length;
  return { value: left === 0 ? leaf : { ...leaf, where }, left };
}
