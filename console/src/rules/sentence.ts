/** A row said as a sentence: its name for those who do not see its fields. */
import type { TFunction } from "i18next";
import type { Kind, Op, Vocabulary } from "./kinds";
import { propertyOf, traitOf } from "./kinds";
import type { LeafTree } from "./query";
import type { EventTest, Test, Value, When } from "./tree";

type T = TFunction<"rules">;

/** How an operator reads; of dates some read otherwise. */
export function opName(t: T, op: Op, kind: Kind): string {
  if (kind === "date" && (op === "<" || op === "<=" || op === ">" || op === ">=")) return t(`dateOps.${op}`);
  return t(`ops.${op}`);
}

function say(t: T, value: Value): string {
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "object") return value.date || "…";
  if (typeof value === "number" && Number.isNaN(value)) return "…";
  return String(value) || "…";
}

const list = (values: readonly Value[]) => (values.length === 0 ? "…" : values.map(String).join(", "));
const span = (t: T, text: string) => {
  const [, n = "…", unit = ""] = /^(\d+) (second|minute|hour|day|week)s?$/.exec(text) ?? [];
  return unit === "" ? "…" : `${n} ${t(`units.${unit as "day"}`)}`;
};

function testSentence(t: T, test: Test, kind: Kind): string {
  const op = opName(t, test.op, kind);
  if (test.op === "between") return `${op} ${say(t, test.from)} ${t("and")} ${say(t, test.to)}`;
  if ("values" in test) return `${op} ${list(test.values)}`;
  if ("span" in test) return `${op} ${span(t, test.span)}`;
  if ("date" in test) return `${op} ${test.date || "…"}`;
  if ("value" in test) return `${op} ${say(t, test.value)}`;
  return op;
}

function countSentence(t: T, event: EventTest): string {
  const { count } = event;
  switch (count.op) {
    case "never":
      return "";
    case "between":
      return `${t("counts.between")} ${say(t, count.from)} ${t("and")} ${say(t, count.to)} ${t("times")}`;
    case "sum":
    case "avg":
    case "min":
    case "max":
      return `${t(`counts.${count.op}`)} ${count.property || "…"} ${t(`ops.${count.compare}`)} ${say(t, count.value)}`;
    case "distinct":
      return `${t("counts.distinct")} ${say(t, count.n)} ${count.property || "…"}`;
    case "days":
      return `${t("counts.days")} ${say(t, count.n)} ${t("differentDays")}`;
    default:
      if (count.op === "at_least" && count.n === 1) return "";
      return `${t(`counts.${count.op}`)} ${say(t, count.n)} ${t("times")}`;
  }
}

function whenSentence(t: T, when: When): string {
  switch (when.op) {
    case "ever":
      return "";
    case "today":
      return t("whens.today");
    case "within":
      return `${t("whens.within")} ${span(t, when.span)}`;
    case "before_ago":
      return `${t("whens.before_ago")} ${span(t, when.span)} ${t("ago")}`;
    case "between_ago":
      return `${t("whens.between_ago")} ${span(t, when.from)} ${t("and")} ${span(t, when.to)} ${t("ago")}`;
    case "since":
      return `${t("whens.since")} ${when.date || "…"}`;
    case "between_dates":
      return `${t("whens.between_dates")} ${when.from || "…"} ${t("and")} ${when.to || "…"}`;
  }
}

export type Verb = "did" | "never" | "first" | "last";

export function verbOf(event: EventTest): Verb {
  if (event.count.op === "never") return "never";
  return event.pick === "all" ? "did" : event.pick;
}

function eventSentence(t: T, event: EventTest, vocabulary: Vocabulary): string {
  const where = event.where.map(({ name, test }, at) => {
    const kind = propertyOf(vocabulary, event.name, name)?.kind ?? "category";
    return `${at === 0 ? t("where") : t("and")} ${name || "…"} ${testSentence(t, test, kind)}`;
  });
  const parts = [
    `${t(`verbs.${verbOf(event)}`)} ${event.name}`,
    ...where,
    countSentence(t, event),
    whenSentence(t, event.when),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

export function sentence(t: T, leaf: LeafTree | null, not: boolean, vocabulary: Vocabulary): string {
  const said = leaf === null ? t("unchosen") : positive(t, leaf, vocabulary);
  return not ? t("notSo", { said }) : said;
}

function positive(t: T, leaf: LeafTree, vocabulary: Vocabulary): string {
  switch (leaf.is) {
    case "everyone":
      return t("everyone");
    case "audience": {
      const name = vocabulary.audiences.find(({ id }) => id === leaf.id)?.name ?? leaf.id;
      return t("inAudience", { name: name || "…" });
    }
    case "sample":
      return t("inSample", { percent: say(t, leaf.percent), name: leaf.name || "…" });
    case "trait":
      return `${leaf.name} ${testSentence(t, leaf.test, traitOf(vocabulary, leaf.name)?.kind ?? "category")}`;
    case "event":
      return eventSentence(t, leaf, vocabulary);
  }
}
