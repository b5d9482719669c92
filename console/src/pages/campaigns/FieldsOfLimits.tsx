import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Select, TextField } from "../../ui/Fields";
import { Card } from "../../ui/Layout";
import type { FieldsProps } from "./CampaignFields";
import { whole } from "./definition";
import { definitions } from "./questions";
import { Rows } from "./Rows";

/** How often it may speak, and before whom. */
export function Limits({ form, onChange }: FieldsProps) {
  const { t } = useTranslation("campaigns");
  return (
    <Card title={t("words.howOften")}>
      <Rows
        label={t("form.caps")}
        rows={form.caps}
        onChange={(caps) => onChange({ caps })}
        empty={{ impressions: 3, per: "24h" }}
        words={{ add: t("form.addCap"), remove: (at) => t("form.removeCap", { at }) }}
      >
        {(cap, change) => (
          <>
            <WholeNumber
              label={t("form.impressions")}
              least={1}
              value={cap.impressions}
              onChange={(impressions) => change({ impressions })}
            />
            <TextField
              label={t("form.per")}
              placeholder="24h"
              hint={t("form.perHint")}
              value={cap.per}
              onChange={(per) => change({ per })}
            />
          </>
        )}
      </Rows>
      <TextField
        label={t("form.gap")}
        hint={t("form.gapHint")}
        placeholder="20m"
        value={form.min_gap}
        onChange={(min_gap) => onChange({ min_gap })}
      />
      <Group form={form} onChange={onChange} />
    </Card>
  );
}

function Group({ form, onChange }: FieldsProps) {
  const { t } = useTranslation("campaigns");
  const known = useQuery(definitions("group")).data ?? [];
  const group = form.group === "" ? "" : whole(form.group, form.owner);
  const ids = [...new Set([...known.map((one) => one.id), group])].filter(
    (id) => id !== "" && (form.owner === "" || id === group || id.startsWith(`${form.owner}/`)),
  );
  return (
    <>
      <Select
        label={t("form.group")}
        hint={t("form.groupHint")}
        choices={[{ id: "-", name: t("form.noGroup") }, ...ids.map((id) => ({ id, name: id }))]}
        value={group || "-"}
        onChange={(id) => onChange({ group: id === "-" ? "" : id })}
      />
      <WholeNumber
        label={t("form.priority")}
        hint={t("form.priorityHint")}
        value={form.priority}
        onChange={(priority) => onChange({ priority })}
      />
    </>
  );
}

interface WholeNumberProps {
  label: string;
  hint?: string;
  least?: number;
  value: number;
  onChange: (value: number) => void;
}

/** A whole number. While it is typed it may be empty or only a sign; the number of before counts until then. */
function WholeNumber({ label, hint, least = Number.NEGATIVE_INFINITY, value, onChange }: WholeNumberProps) {
  const [text, setText] = useState(String(value));
  const shown = text.trim() === "" || Number(text) === value ? text : String(value);
  return (
    <TextField
      label={label}
      {...(hint !== undefined && { hint })}
      type="number"
      value={shown}
      onChange={(typed) => {
        setText(typed);
        const number = Number(typed);
        if (typed.trim() !== "" && Number.isInteger(number) && number >= least) onChange(number);
      }}
      onBlur={() => setText(String(value))}
    />
  );
}
