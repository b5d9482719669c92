import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { vocabulary } from "../../api/queries";
import { AudiencePicker } from "../../rules/AudiencePicker";
import { Checkbox, Select, TextArea, TextField } from "../../ui/Fields";
import { Card } from "../../ui/Layout";
import { POLICIES, STATUSES, policiesOf, whole, type CampaignForm } from "./definition";
import { Limits } from "./FieldsOfLimits";
import { Rows } from "./Rows";

export interface FieldsProps {
  form: CampaignForm;
  onChange: (change: Partial<CampaignForm>) => void;
}

/** Every field of a campaign, in the order in which one thinks of them. */
export function CampaignFields({ isNew, ...props }: FieldsProps & { isNew: boolean }) {
  return (
    <div className="halves">
      <Basics isNew={isNew} {...props} />
      <Flight {...props} />
      <SpeaksTo {...props} />
      <LeavesAlone {...props} />
      <Limits {...props} />
      <Policies {...props} />
      <Places {...props} />
    </div>
  );
}

function Basics({ form, onChange, isNew }: FieldsProps & { isNew: boolean }) {
  const { t } = useTranslation("campaigns");
  return (
    <Card title={t("form.basics")}>
      <TextField label={t("name")} value={form.name} onChange={(name) => onChange({ name })} />
      <div className="row" style={{ alignItems: "start" }}>
        <div style={{ flex: "1 1 8rem" }}>
          <TextField
            label={t("form.owner")}
            value={form.owner}
            onChange={(owner) => onChange({ owner })}
            isDisabled={!isNew}
            isRequired
          />
        </div>
        <div style={{ flex: "2 1 10rem" }}>
          <TextField
            label={t("form.id")}
            hint={isNew ? t("form.idHint") : undefined}
            value={form.id}
            onChange={(id) => onChange({ id })}
            isDisabled={!isNew}
            isRequired
          />
        </div>
      </div>
      <Select
        label={t("status")}
        choices={STATUSES.map((id) => ({ id, name: t(`statuses.${id}`), note: t(`form.statusNote.${id}`) }))}
        value={form.status}
        onChange={(id) => onChange({ status: STATUSES.find((one) => one === id) ?? form.status })}
      />
      <TextArea
        label={t("form.description")}
        rows={2}
        value={form.description}
        onChange={(description) => onChange({ description })}
      />
    </Card>
  );
}

function Flight({ form, onChange }: FieldsProps) {
  const { t } = useTranslation("campaigns");
  const zones = ["", ...Intl.supportedValuesOf("timeZone")];
  // What is written as an instant stays a text: a field of days cannot show it.
  const days = [form.from, form.to].every((one) => one === "" || one.length === 10);
  return (
    <Card title={t("words.when")}>
      <TextField
        label={t("form.from")}
        type={days ? "date" : "text"}
        value={form.from}
        onChange={(from) => onChange({ from })}
      />
      <TextField
        label={t("form.to")}
        hint={t("form.toHint")}
        type={days ? "date" : "text"}
        value={form.to}
        onChange={(to) => onChange({ to })}
      />
      <Select
        label={t("form.zone")}
        choices={zones.map((id) => ({ id: id || "-", name: id || t("form.zoneOfServer") }))}
        value={form.timezone || "-"}
        onChange={(id) => onChange({ timezone: id === "-" ? "" : id })}
        isDisabled={form.from === "" && form.to === ""}
      />
    </Card>
  );
}

function SpeaksTo({ form, onChange }: FieldsProps) {
  const { t } = useTranslation("campaigns");
  return (
    <Card title={t("words.speaksTo")}>
      <AudiencePicker
        label={t("form.include")}
        hint={t("form.includeHint")}
        kinds={["target"]}
        value={form.include}
        onChange={(include) => onChange({ include })}
      />
    </Card>
  );
}

function LeavesAlone({ form, onChange }: FieldsProps) {
  const { t } = useTranslation("campaigns");
  const known = useQuery(vocabulary).data?.audiences;
  return (
    <Card title={t("words.leavesAlone")}>
      <AudiencePicker
        label={t("form.exclude")}
        hint={t("form.excludeHint")}
        value={form.exclude.map((one) => one.audience)}
        onChange={(ids) =>
          onChange({
            exclude: ids.map((id) => form.exclude.find((one) => one.audience === id) ?? { audience: id, hard: false }),
          })
        }
      />
      {form.exclude.length > 0 && (
        <div role="group" aria-label={t("form.hard")} className="stack" style={{ gap: 0 }}>
          <span className="label">{t("form.hard")}</span>
          <span className="hint">{t("form.hardHint")}</span>
          {form.exclude.map((one) => (
            <Checkbox
              key={one.audience}
              isSelected={one.hard}
              onChange={(hard) =>
                onChange({ exclude: form.exclude.map((other) => (other === one ? { ...one, hard } : other)) })
              }
            >
              {known?.find((named) => named.id === one.audience)?.name ?? whole(one.audience, form.owner)}
            </Checkbox>
          ))}
        </div>
      )}
    </Card>
  );
}

function Policies({ form, onChange }: FieldsProps) {
  const { t } = useTranslation("campaigns");
  const usual = policiesOf({ ...form, no_profile: "", on_failure: "" });
  const choices = (sentences: "noProfile" | "onFailure", without: string, but?: string) => [
    { id: "-", name: t("form.usual", { policy: without }) },
    ...POLICIES.filter((id) => id !== but).map((id) => ({
      id,
      name: t(`form.policy.${id}`),
      note: t(`words.${sentences}.${id}`),
    })),
  ];
  const chosen = (id: string) => POLICIES.find((one) => one === id) ?? "";
  const hard = form.exclude.some((one) => one.hard);
  return (
    <Card title={t("words.doubt")}>
      <Select
        label={t("words.stranger")}
        choices={choices("noProfile", t(`form.policy.${usual.noProfile}`))}
        value={form.no_profile || "-"}
        onChange={(id) => onChange({ no_profile: chosen(id) })}
      />
      <Select
        label={t("words.failure")}
        hint={hard ? t("form.neverHard") : undefined}
        choices={choices("onFailure", t(`form.policy.${usual.onFailure}`), hard ? "target" : undefined)}
        value={form.on_failure || "-"}
        onChange={(id) => onChange({ on_failure: chosen(id) })}
      />
    </Card>
  );
}

function Places({ form, onChange }: FieldsProps) {
  const { t } = useTranslation("campaigns");
  return (
    <Card title={t("words.where")}>
      <p className="quiet">{t("words.noDeals")}</p>
      <Rows
        label={t("deals")}
        rows={form.deals}
        onChange={(deals) => onChange({ deals })}
        empty={{ exchange: "", id: "", exclusive: false }}
        words={{ add: t("form.addDeal"), remove: (at) => t("form.removeDeal", { at }) }}
      >
        {(deal, change) => (
          <>
            <TextField
              label={t("words.exchange")}
              value={deal.exchange}
              onChange={(exchange) => change({ exchange })}
            />
            <TextField label={t("words.deal")} value={deal.id} onChange={(id) => change({ id })} />
            <Checkbox isSelected={deal.exclusive} onChange={(exclusive) => change({ exclusive })}>
              {t("words.exclusive")}
            </Checkbox>
          </>
        )}
      </Rows>
      <Rows
        label={t("words.refs")}
        rows={form.refs}
        onChange={(refs) => onChange({ refs })}
        empty={{ system: "", line_item: "" }}
        words={{ add: t("form.addRef"), remove: (at) => t("form.removeRef", { at }) }}
      >
        {(ref, change) => (
          <>
            <TextField label={t("form.system")} value={ref.system} onChange={(system) => change({ system })} />
            <TextField
              label={t("form.lineItem")}
              value={ref.line_item}
              onChange={(line_item) => change({ line_item })}
            />
          </>
        )}
      </Rows>
    </Card>
  );
}
