import { useQuery } from "@tanstack/react-query";
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
            <TextField
              label={t("form.impressions")}
              type="number"
              inputMode="numeric"
              value={String(cap.impressions)}
              onChange={(count) => change({ impressions: Math.max(1, Math.trunc(Number(count)) || 1) })}
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
      <TextField
        label={t("form.priority")}
        hint={t("form.priorityHint")}
        type="number"
        value={String(form.priority)}
        onChange={(value) => onChange({ priority: Math.trunc(Number(value)) || 0 })}
      />
    </>
  );
}
