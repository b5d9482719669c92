/** The small fields of a row: numbers, days, lengths of time, values of the vocabulary. Their labels only screen readers hear. */
import { ChevronDown, X } from "lucide-react";
import { useState } from "react";
import {
  Button as AriaButton,
  ComboBox,
  Input,
  ListBox,
  ListBoxItem,
  Popover,
  Tag,
  TagGroup,
  TagList,
  Text,
  TextField,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { Select } from "../../ui/Fields";
import type { Known, ValueCount } from "../kinds";
import styles from "./Visual.module.css";

interface Box<T> {
  label: string;
  value: T;
  onChange: (value: T) => void;
}

/** As somebody writes a number, with a comma or a point; `NaN` while it is none. */
export function numberIn(text: string): number {
  const plain = text.trim().replace(/\s/g, "").replace(",", ".");
  return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : Number.NaN;
}

const written = (value: number) => (Number.isFinite(value) ? String(value) : "");

export function NumberBox({ label, value, onChange }: Box<number>) {
  const [text, setText] = useState(() => written(value));
  // What came from elsewhere replaces what is typed; what is typed stays as it is typed ("1." is still 1).
  const shown = Object.is(numberIn(text), value) ? text : written(value);
  return (
    <TextField
      aria-label={label}
      className={`field ${styles.narrow}`}
      value={shown}
      onChange={(typed) => {
        setText(typed);
        onChange(numberIn(typed));
      }}
      isInvalid={shown.trim() !== "" && Number.isNaN(value)}
    >
      <Input className="input" inputMode="decimal" autoComplete="off" />
    </TextField>
  );
}

export function TextBox({ label, value, onChange }: Box<string>) {
  return (
    <TextField aria-label={label} className={`field ${styles.wide}`} value={value} onChange={onChange}>
      <Input className="input" autoComplete="off" />
    </TextField>
  );
}

export function DateBox({ label, value, onChange }: Box<string>) {
  return (
    <TextField aria-label={label} className="field" type="date" value={value} onChange={onChange}>
      <Input className="input" />
    </TextField>
  );
}

const UNITS = ["second", "minute", "hour", "day", "week"] as const;
type Unit = (typeof UNITS)[number];
const SHORT: Record<string, Unit> = {
  s: "second",
  sec: "second",
  m: "minute",
  min: "minute",
  h: "hour",
  d: "day",
  w: "week",
};

function spanParts(span: string): { n: number; unit: Unit } {
  const [, digits = "", word = ""] = /^\s*(\S*?)\s*([a-z]+)\s*$/i.exec(span) ?? [];
  const name = word.toLowerCase();
  const unit = UNITS.find((unit) => name === unit || name === `${unit}s`) ?? SHORT[name] ?? "day";
  return { n: numberIn(digits), unit };
}

/** `7 days` */
export function SpanBox({ label, value, onChange }: Box<string>) {
  const { t } = useTranslation("rules");
  const { n, unit } = spanParts(value);
  const write = (n: number, unit: Unit) => onChange(`${n} ${unit}${n === 1 ? "" : "s"}`);
  return (
    <span className={styles.pair}>
      <NumberBox label={label} value={n} onChange={(n) => write(n, unit)} />
      <Select
        label={t("unit")}
        hideLabel
        value={unit}
        choices={UNITS.map((id) => ({ id, name: t(`units.${id}`) }))}
        onChange={(chosen) => write(n, chosen as Unit)}
      />
    </span>
  );
}

function Values({ values }: { values: readonly ValueCount[] }) {
  const format = useFormat();
  return (
    <ListBox items={values.map((each) => ({ id: each.value, ...each }))}>
      {({ value, count }: ValueCount) => (
        <ListBoxItem id={value} textValue={value} className={`option ${styles.value}`}>
          <Text slot="label">{value}</Text>
          {count !== undefined && (
            <Text slot="description" className="hint number">
              {format.number(count)}
            </Text>
          )}
        </ListBoxItem>
      )}
    </ListBox>
  );
}

/** Enter, while none of the list is pointed at: then what is typed is meant. */
function isEntered(event: { key: string; target: EventTarget }): boolean {
  return (
    event.key === "Enter" && event.target instanceof Element && !event.target.getAttribute("aria-activedescendant")
  );
}

interface ValueProps extends Box<string> {
  known: Known | undefined;
}

/** One value: chosen from those that are known, or any other that is typed. */
export function ValueBox({ label, value, onChange, known }: ValueProps) {
  const { t } = useTranslation("rules");
  const [typed, setTyped] = useState(value);
  const [of, setOf] = useState(value);
  // Something else was chosen elsewhere.
  if (of !== value) {
    setOf(value);
    setTyped(value);
  }
  const commit = () => {
    if (typed.trim() !== value) onChange(typed.trim());
  };
  return (
    <ComboBox
      aria-label={label}
      className={`field ${styles.wide}`}
      defaultItems={known?.values ?? []}
      allowsCustomValue
      allowsEmptyCollection={false}
      inputValue={typed}
      onInputChange={setTyped}
      onChange={(key) => key !== null && onChange(String(key))}
      onBlur={commit}
      onKeyDown={(event) => isEntered(event) && commit()}
      menuTrigger="focus"
    >
      <ComboInput placeholder={t("chooseValue")} />
      <Popover className="popover">
        <Values values={known?.values ?? []} />
      </Popover>
    </ComboBox>
  );
}

function ComboInput({ placeholder }: { placeholder: string }) {
  return (
    <div className="combo">
      <Input placeholder={placeholder} />
      <AriaButton className="button icon">
        <ChevronDown size={18} aria-hidden />
      </AriaButton>
    </div>
  );
}

interface ValuesProps {
  label: string;
  values: readonly string[];
  onChange: (values: string[]) => void;
  known: Known | undefined;
}

/** Several values: what was chosen stands in front, each can be taken away. */
export function ValuesBox({ label, values, onChange, known }: ValuesProps) {
  const { t } = useTranslation("rules");
  const [typed, setTyped] = useState("");
  const left = known?.values.filter(({ value }) => !values.includes(value)) ?? [];
  const add = (text: string) => {
    const value = text.trim();
    if (value !== "" && !values.includes(value)) onChange([...values, value]);
    setTyped("");
  };
  return (
    <div className={styles.values}>
      {values.length > 0 && (
        <TagGroup
          aria-label={t("chosen", { label })}
          onRemove={(keys) => onChange(values.filter((value) => !keys.has(value)))}
        >
          <TagList className={styles.tags ?? ""}>
            {values.map((value) => (
              <Tag key={value} id={value} textValue={value} className={styles.tag ?? ""}>
                {value}
                <AriaButton slot="remove" aria-label={t("removeValue", { value })} className={styles.tagRemove ?? ""}>
                  <X size={14} aria-hidden />
                </AriaButton>
              </Tag>
            ))}
          </TagList>
        </TagGroup>
      )}
      <ComboBox
        aria-label={label}
        value={null}
        className={`field ${styles.wide}`}
        defaultItems={left}
        allowsCustomValue
        inputValue={typed}
        onInputChange={setTyped}
        onChange={(key) => key !== null && add(String(key))}
        onBlur={() => add(typed)}
        onKeyDown={(event) => {
          if (isEntered(event)) add(typed);
          if (event.key === "Backspace" && typed === "") onChange(values.slice(0, -1));
        }}
        menuTrigger="focus"
      >
        <ComboInput placeholder={values.length === 0 ? t("chooseValues") : t("addValue")} />
        <Popover className="popover">
          <Values values={left} />
        </Popover>
      </ComboBox>
    </div>
  );
}
