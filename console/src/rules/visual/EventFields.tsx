import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Fields";
import { eventOf, newTest, propertyOf } from "../kinds";
import { verbOf, type Verb } from "../sentence";
import type { Compare, Count, EventTest, When, Where } from "../tree";
import { TestFields } from "./TestFields";
import styles from "./Visual.module.css";
import { useBuilder } from "./context";
import { DateBox, NumberBox, SpanBox } from "./values";

interface EventProps {
  event: EventTest;
  onChange: (event: EventTest) => void;
}

const VERBS: readonly Verb[] = ["did", "never", "first", "last"];

/** `did`, `never did`, `first did`, `last did`: stands before the event's name. */
export function VerbField({ event, onChange }: EventProps) {
  const { t } = useTranslation("rules");
  const choose = (verb: Verb) => {
    const pick = verb === "first" || verb === "last" ? verb : "all";
    const some: Count = { op: "at_least", n: 1 };
    const count: Count = verb === "never" ? { op: "never" } : event.count.op === "never" ? some : event.count;
    onChange({ ...event, pick, count });
  };
  return (
    <Select
      label={t("verb")}
      hideLabel
      value={verbOf(event)}
      choices={VERBS.map((id) => ({ id, name: t(`verbs.${id}`) }))}
      onChange={(verb) => choose(verb as Verb)}
    />
  );
}

/** What stands behind the event's name: where, how often, when. */
export function EventFields({ event, onChange }: EventProps) {
  return (
    <>
      <Wheres event={event} onChange={onChange} />
      {event.count.op !== "never" && (
        <CountFields event={event} count={event.count} onChange={(count) => onChange({ ...event, count })} />
      )}
      <WhenFields when={event.when} onChange={(when) => onChange({ ...event, when })} />
    </>
  );
}

function Wheres({ event, onChange }: EventProps) {
  const { t } = useTranslation("rules");
  const { vocabulary, isReadOnly } = useBuilder();
  const properties = eventOf(vocabulary, event.name)?.properties ?? [];
  if (properties.length === 0 && event.where.length === 0) return null;
  const put = (where: Where[]) => onChange({ ...event, where });
  const add = () => {
    const first = properties[0];
    if (!first) return;
    const kind = propertyOf(vocabulary, event.name, first.name)?.kind ?? "category";
    put([...event.where, { name: first.name, test: newTest(kind) }]);
  };
  return (
    <>
      {event.where.map((where, at) => (
        <WhereLine
          key={at}
          at={at}
          event={event}
          where={where}
          onChange={(changed) => put(event.where.map((each, of) => (of === at ? changed : each)))}
          onRemove={() => put(event.where.filter((_, of) => of !== at))}
          {...(at === event.where.length - 1 && { onAdd: add })}
        />
      ))}
      {!isReadOnly && event.where.length === 0 && (
        <Button small look="quiet" onPress={add}>
          <Plus size={16} aria-hidden /> {t("addWhere")}
        </Button>
      )}
    </>
  );
}

interface WhereProps {
  at: number;
  event: EventTest;
  where: Where;
  onChange: (where: Where) => void;
  onRemove: () => void;
  /** The last line has the button for one more. */
  onAdd?: () => void;
}

function WhereLine({ at, event, where, onChange, onRemove, onAdd }: WhereProps) {
  const { t } = useTranslation("rules");
  const { vocabulary, isReadOnly } = useBuilder();
  const properties = eventOf(vocabulary, event.name)?.properties ?? [];
  const known = propertyOf(vocabulary, event.name, where.name);
  const choose = (name: string) =>
    onChange({ name, test: newTest(propertyOf(vocabulary, event.name, name)?.kind ?? "category") });
  return (
    <div className={styles.line} role="group" aria-label={t("whereNumber", { number: at + 1 })}>
      <span className={styles.word}>{at === 0 ? t("where") : t("and")}</span>
      <Select
        label={t("property")}
        hideLabel
        value={where.name}
        choices={properties.map(({ name }) => ({ id: name, name }))}
        onChange={choose}
      />
      {known && (
        <TestFields
          name={where.name}
          known={known}
          test={where.test}
          onChange={(test) => onChange({ ...where, test })}
        />
      )}
      {!isReadOnly && (
        <Button small icon look="quiet" aria-label={t("removeWhere", { name: where.name })} onPress={onRemove}>
          <X size={16} aria-hidden />
        </Button>
      )}
      {!isReadOnly && onAdd && (
        <Button small look="quiet" onPress={onAdd}>
          <Plus size={16} aria-hidden /> {t("addAnd")}
        </Button>
      )}
    </div>
  );
}

type CountOp = Exclude<Count["op"], "never">;
const COUNTS: readonly CountOp[] = [
  "at_least",
  "at_most",
  "exactly",
  "between",
  "days",
  "distinct",
  "sum",
  "avg",
  "min",
  "max",
];
const COMPARES: readonly Compare[] = [">=", "<=", ">", "<", "=", "!="];

function countWith(op: CountOp, before: Count, numbers: readonly string[], all: readonly string[]): Count {
  const n = "n" in before ? before.n : 1;
  const property = "property" in before ? before.property : "";
  switch (op) {
    case "between":
      return { op, from: n, to: Number.NaN };
    case "sum":
    case "avg":
    case "min":
    case "max": {
      const kept = numbers.includes(property) ? property : (numbers[0] ?? "");
      return "compare" in before
        ? { ...before, op, property: kept }
        : { op, property: kept, compare: ">=", value: Number.NaN };
    }
    case "distinct":
      return { op, n: Math.max(n, 2), property: property || (all[0] ?? "") };
    default:
      return { op, n };
  }
}

function CountFields({ event, count, onChange }: { event: EventTest; count: Count; onChange: (count: Count) => void }) {
  const { t } = useTranslation("rules");
  const { vocabulary } = useBuilder();
  const properties = eventOf(vocabulary, event.name)?.properties ?? [];
  const all = properties.map(({ name }) => name);
  const numbers = properties.filter(({ kind }) => kind === "number").map(({ name }) => name);
  const possible = COUNTS.filter((op) => {
    if (op === count.op) return true;
    if (op === "distinct") return all.length > 0;
    return !["sum", "avg", "min", "max"].includes(op) || numbers.length > 0;
  });
  return (
    <span className={styles.pair}>
      <Select
        label={t("howOften")}
        hideLabel
        value={count.op}
        choices={possible.map((id) => ({ id, name: t(`counts.${id}`) }))}
        onChange={(op) => onChange(countWith(op as CountOp, count, numbers, all))}
      />
      <Counted count={count} onChange={onChange} names={count.op === "distinct" ? all : numbers} />
    </span>
  );
}

interface CountedProps {
  count: Count;
  onChange: (count: Count) => void;
  /** The properties it can be of. */
  names: readonly string[];
}

function Counted({ count, onChange, names }: CountedProps) {
  const { t } = useTranslation("rules");
  const property = (value: string, put: (name: string) => void) => (
    <Select
      label={t("property")}
      hideLabel
      value={value}
      choices={names.map((name) => ({ id: name, name }))}
      onChange={put}
    />
  );
  switch (count.op) {
    case "never":
      return null;
    case "between":
      return (
        <>
          <NumberBox label={t("from")} value={count.from} onChange={(from) => onChange({ ...count, from })} />
          <span>{t("and")}</span>
          <NumberBox label={t("to")} value={count.to} onChange={(to) => onChange({ ...count, to })} />
          <span>{t("times")}</span>
        </>
      );
    case "distinct":
      return (
        <>
          <NumberBox label={t("number")} value={count.n} onChange={(n) => onChange({ ...count, n })} />
          {property(count.property, (property) => onChange({ ...count, property }))}
        </>
      );
    case "sum":
    case "avg":
    case "min":
    case "max":
      return (
        <>
          {property(count.property, (property) => onChange({ ...count, property }))}
          <Select
            label={t("question", { name: count.property })}
            hideLabel
            value={count.compare}
            choices={COMPARES.map((id) => ({ id, name: t(`ops.${id}`) }))}
            onChange={(compare) => onChange({ ...count, compare: compare as Compare })}
          />
          <NumberBox label={t("number")} value={count.value} onChange={(value) => onChange({ ...count, value })} />
        </>
      );
    default:
      return (
        <>
          <NumberBox label={t("number")} value={count.n} onChange={(n) => onChange({ ...count, n })} />
          <span>{count.op === "days" ? t("differentDays") : t("times")}</span>
        </>
      );
  }
}

const WHENS: readonly When["op"][] = ["ever", "within", "before_ago", "between_ago", "since", "between_dates", "today"];

function whenWith(op: When["op"], before: When): When {
  const span = "span" in before ? before.span : "30 days";
  const date = "date" in before ? before.date : before.op === "between_dates" ? before.from : "";
  switch (op) {
    case "ever":
    case "today":
      return { op };
    case "within":
    case "before_ago":
      return { op, span };
    case "between_ago":
      return { op, from: "7 days", to: span === "7 days" ? "30 days" : span };
    case "since":
      return { op, date };
    case "between_dates":
      return { op, from: date, to: "" };
  }
}

function WhenFields({ when, onChange }: { when: When; onChange: (when: When) => void }) {
  const { t } = useTranslation("rules");
  return (
    <span className={styles.pair}>
      <Select
        label={t("when")}
        hideLabel
        value={when.op}
        choices={WHENS.map((id) => ({ id, name: t(`whens.${id}`) }))}
        onChange={(op) => onChange(whenWith(op as When["op"], when))}
      />
      <Window when={when} onChange={onChange} />
    </span>
  );
}

function Window({ when, onChange }: { when: When; onChange: (when: When) => void }) {
  const { t } = useTranslation("rules");
  switch (when.op) {
    case "ever":
    case "today":
      return null;
    case "within":
      return <SpanBox label={t("howLong")} value={when.span} onChange={(span) => onChange({ ...when, span })} />;
    case "before_ago":
      return (
        <>
          <SpanBox label={t("howLong")} value={when.span} onChange={(span) => onChange({ ...when, span })} />
          <span>{t("ago")}</span>
        </>
      );
    case "between_ago":
      return (
        <>
          <SpanBox label={t("from")} value={when.from} onChange={(from) => onChange({ ...when, from })} />
          <span>{t("and")}</span>
          <SpanBox label={t("to")} value={when.to} onChange={(to) => onChange({ ...when, to })} />
          <span>{t("ago")}</span>
        </>
      );
    case "since":
      return <DateBox label={t("from")} value={when.date} onChange={(date) => onChange({ ...when, date })} />;
    case "between_dates":
      return (
        <>
          <DateBox label={t("from")} value={when.from} onChange={(from) => onChange({ ...when, from })} />
          <span>{t("and")}</span>
          <DateBox label={t("to")} value={when.to} onChange={(to) => onChange({ ...when, to })} />
        </>
      );
  }
}
