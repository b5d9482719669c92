/** Asks for one identifier of a person. It lives in the page's memory alone: not in its address, not in the browser's stores. */
import { useTranslation } from "react-i18next";
import { Select, TextField } from "../ui/Fields";
import { readIdentifier, type Read } from "./eid";

const KINDS = ["email", "phone", "ifa", "other"] as const;
type Kind = (typeof KINDS)[number];

export interface Typed {
  kind: Kind;
  /** Where `kind` is `other`: what the type is called here, such as `crm` or `uidapi.com`. */
  source: string;
  text: string;
}

export const nothingTyped: Typed = { kind: "email", source: "", text: "" };

export function readTyped({ kind, source, text }: Typed): Read {
  return readIdentifier(kind === "other" ? source : kind, text);
}

interface IdentifierTypeProps {
  value: Typed;
  onChange: (value: Typed) => void;
  /** Something was sent: from now on what is missing is told. */
  sent: boolean;
}

/** Of which type identifiers are. */
export function IdentifierType({ value, onChange, sent }: IdentifierTypeProps) {
  const { t } = useTranslation();
  const missing = sent && value.kind === "other" && value.source.trim() === "";
  return (
    <>
      <Select
        label={t("identifier.type")}
        value={value.kind}
        choices={KINDS.map((id) => ({ id, name: t(`identifier.${id}`) }))}
        onChange={(kind) => onChange({ ...value, kind: kind as Kind })}
      />
      {value.kind === "other" && (
        <TextField
          label={t("identifier.source")}
          hint={t("identifier.sourceHint")}
          error={missing ? t("identifier.unfit.source") : undefined}
          value={value.source}
          onChange={(source) => onChange({ ...value, source })}
          autoComplete="off"
          spellCheck="false"
        />
      )}
    </>
  );
}

/** An identifier: its type and the value, and what of it is sent. */
export function Identifier({ value, onChange, sent }: IdentifierTypeProps) {
  const { t } = useTranslation();
  const read = readTyped(value);
  const error =
    sent && read.unfit !== undefined && read.unfit !== "source" ? t(`identifier.unfit.${read.unfit}`) : undefined;
  const secret = value.kind === "email" || value.kind === "phone";
  return (
    <>
      <IdentifierType value={value} onChange={onChange} sent={sent} />
      <TextField
        label={t(`identifier.value.${value.kind}`)}
        hint={secret ? t("identifier.hashedHere") : t("identifier.asTyped")}
        error={error}
        value={value.text}
        onChange={(text) => onChange({ ...value, text })}
        autoComplete="off"
        spellCheck="false"
      />
      {secret && read.eid && (
        <p className="hint">
          {t("identifier.isSent")} <span className="mono">{read.eid.uid}</span>
        </p>
      )}
    </>
  );
}
