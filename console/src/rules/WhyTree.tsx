/** Why a rule holds for somebody or does not: its parts as nested lists, with the facts, and what decided. */
import { Check, ChevronDown, ChevronRight, X } from "lucide-react";
import { useId, useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useFormat } from "../base/format";
import { Badge } from "../ui/Layout";
import { deciding, joined, type Known, type Why } from "./why";
import looks from "./WhyTree.module.css";

/** `label` says to screen readers whose tree it is. */
export function WhyTree({ why, label }: { why: Why; label: string }) {
  return (
    <ul className={looks.tree} aria-label={label}>
      <Part why={why} decides />
    </ul>
  );
}

function Part({ why, decides }: { why: Why; decides: boolean }) {
  const { t } = useTranslation("rules");
  const [open, setOpen] = useState(decides);
  const id = useId();
  const parts = why.parts ?? [];
  const leaf = parts.length === 0;
  const made = deciding(why);
  return (
    <li className={decides ? `${looks.part} ${looks.decides}` : looks.part}>
      <div className={looks.line}>
        <span className={`${looks.truth} ${why.holds ? looks.holds : looks.fails}`}>
          {why.holds ? <Check size={16} aria-hidden /> : <X size={16} aria-hidden />}
          {why.holds ? t("why.holds") : t("why.fails")}
        </span>
        {leaf ? (
          <code>{why.rule}</code>
        ) : (
          <AriaButton
            className={looks.opener ?? ""}
            aria-expanded={open}
            aria-controls={id}
            onPress={() => setOpen(!open)}
          >
            {open ? <ChevronDown size={16} aria-hidden /> : <ChevronRight size={16} aria-hidden />}
            <Made why={why} />
          </AriaButton>
        )}
        {decides && leaf && <Badge tone="accent">{t("why.decided")}</Badge>}
      </div>
      <Fact why={why} />
      {!leaf && (
        <ul id={id} className={looks.parts} hidden={!open}>
          {parts.map((part, at) => (
            <Part key={at} why={part} decides={decides && made.includes(part)} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** What a part is made of, in words: its parts follow. */
function Made({ why }: { why: Why }) {
  const { t } = useTranslation("rules");
  const how = joined(why);
  switch (how.by) {
    case "all":
      return <>{t("why.all")}</>;
    case "any":
      return <>{t("why.any")}</>;
    case "not":
      return <>{t("why.not")}</>;
    case "atLeast":
      return <>{t("why.atLeast", { count: how.n })}</>;
    default:
      return <code>{why.rule}</code>;
  }
}

function Fact({ why }: { why: Why }) {
  const { t } = useTranslation("rules");
  const only = why.parts?.length === 1 && joined(why).by === "rule" ? why.parts[0] : undefined;
  if (why.known) {
    return (
      <p className={looks.fact}>
        <InWords known={why.known} />
      </p>
    );
  }
  if (why.fact) {
    const told = { "not shown": t("why.hidden"), "its rule is told above": t("why.above") }[why.fact];
    return <p className={looks.fact}>{told ?? why.fact}</p>;
  }
  // An audience outside its dates holds for nobody, whatever its rule says.
  if (only && only.holds !== why.holds) return <p className={looks.fact}>{t("why.dates")}</p>;
  return null;
}

/** A fact as the chosen language says it. */
function InWords({ known }: { known: Known }) {
  const { t } = useTranslation("rules");
  const format = useFormat();
  const live = "from" in known && known.from !== "snapshot" ? ` (${t("why.live")})` : "";
  if (known.kind === "trait") {
    const { name, value } = known;
    if (value === undefined) return <>{t("why.unknown", { name }) + live}</>;
    if (typeof value === "boolean") return <>{t(value ? "why.yes" : "why.no", { name }) + live}</>;
    if (typeof value === "number") return <>{t("why.value", { name, value: format.number(value) }) + live}</>;
    return <>{t("why.value", { name, value: Array.isArray(value) ? value.join(", ") : value }) + live}</>;
  }
  if (known.kind === "list") {
    const until = known.until === undefined ? undefined : format.time(known.until);
    if (known.member) return <>{(until ? t("why.listUntil", { until }) : t("why.listed")) + live}</>;
    return <>{(until ? t("why.listOver", { until }) : t("why.notListed")) + live}</>;
  }
  if (known.count === 0) return <>{t("why.never", { name: known.name })}</>;
  const times = known.latest
    .map(({ at, from }) => format.time(at) + (from === "live" ? ` (${t("why.live")})` : ""))
    .join("; ");
  const more = known.count > known.latest.length ? " …" : "";
  return <>{`${t("why.happened", { name: known.name, count: known.count })}: ${times}${more}`}</>;
}

/** The facts that decided, in one line. */
export function Reasons({ reasons }: { reasons: readonly Why[] }) {
  return (
    <ul className={looks.reasons}>
      {reasons.map((why, at) => (
        <li key={at}>{why.known ? <InWords known={why.known} /> : <code>{why.rule}</code>}</li>
      ))}
    </ul>
  );
}
