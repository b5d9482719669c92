import { useTranslation } from "react-i18next";
import { Select } from "../../ui/Fields";
import { OPS, testWith, type Known, type Op } from "../kinds";
import { opName } from "../sentence";
import type { Test, Value } from "../tree";
import styles from "./Visual.module.css";
import { DateBox, NumberBox, SpanBox, TextBox, ValueBox, ValuesBox, numberIn } from "./values";

interface TestFieldsProps {
  /** What is tested: for the labels. */
  name: string;
  known: Known;
  test: Test;
  onChange: (test: Test) => void;
}

/** What is asked of a value: the operator and what it is compared with. */
export function TestFields({ name, known, test, onChange }: TestFieldsProps) {
  const { t } = useTranslation("rules");
  return (
    <>
      <Select
        label={t("question", { name })}
        hideLabel
        value={test.op}
        choices={OPS[known.kind].map((op) => ({ id: op, name: opName(t, op, known.kind) }))}
        onChange={(op) => onChange(testWith(known.kind, op as Op, test))}
      />
      <Compared name={name} known={known} test={test} onChange={onChange} />
    </>
  );
}

function Compared({ name, known, test, onChange }: TestFieldsProps) {
  const { t } = useTranslation("rules");
  const label = t("valueOf", { name });
  switch (test.op) {
    case "is_true":
    case "is_known":
      return null;
    case "between":
      return (
        <span className={styles.pair}>
          <OneValue
            label={t("from")}
            known={known}
            value={test.from}
            onChange={(from) => onChange({ ...test, from })}
          />
          <span>{t("and")}</span>
          <OneValue label={t("to")} known={known} value={test.to} onChange={(to) => onChange({ ...test, to })} />
        </span>
      );
    case "in": {
      const values = test.values.map(String);
      const back = (text: string): Value => (known.kind === "number" ? numberIn(text) : text);
      const keep = (texts: string[]) =>
        onChange({ op: "in", values: texts.map(back).filter((value) => !Number.isNaN(value)) });
      return <ValuesBox label={label} known={known} values={values} onChange={keep} />;
    }
    case "has_any":
    case "has_all":
      return (
        <ValuesBox
          label={label}
          known={known}
          values={test.values}
          onChange={(values) => onChange({ ...test, values })}
        />
      );
    case "matches_any":
      return (
        <ValuesBox
          label={label}
          known={undefined}
          values={test.values}
          onChange={(values) => onChange({ ...test, values })}
        />
      );
    case "contains":
    case "starts_with":
      return <TextBox label={label} value={test.value} onChange={(value) => onChange({ ...test, value })} />;
    case "within":
    case "before_ago":
      return <SpanBox label={t("howLong")} value={test.span} onChange={(span) => onChange({ ...test, span })} />;
    case "since":
      return <DateBox label={label} value={test.date} onChange={(date) => onChange({ ...test, date })} />;
    default:
      return (
        <OneValue label={label} known={known} value={test.value} onChange={(value) => onChange({ ...test, value })} />
      );
  }
}

interface OneValueProps {
  label: string;
  known: Known;
  value: Value;
  onChange: (value: Value) => void;
}

function OneValue({ label, known, value, onChange }: OneValueProps) {
  const { t } = useTranslation("rules");
  if (typeof value === "number") return <NumberBox label={label} value={value} onChange={onChange} />;
  if (typeof value === "object") {
    return <DateBox label={label} value={value.date} onChange={(date) => onChange({ date })} />;
  }
  if (typeof value === "string") return <ValueBox label={label} known={known} value={value} onChange={onChange} />;
  return (
    <Select
      label={label}
      hideLabel
      value={String(value)}
      choices={[
        { id: "true", name: t("yes") },
        { id: "false", name: t("no") },
      ]}
      onChange={(chosen) => onChange(chosen === "true")}
    />
  );
}
