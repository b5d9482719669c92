/** What to send, in which shape, where to. Each choice says what it means before it is made. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api, body } from "../../api/client";
import { vocabulary } from "../../api/queries";
import { Told } from "../../base/Told";
import { useWho } from "../../base/session";
import { Failed } from "../../base/states";
import { AudiencePicker } from "../../rules/AudiencePicker";
import { Button } from "../../ui/Button";
import { tell } from "../../ui/Dialogs";
import { Checkbox, RadioGroup, Select, TextField } from "../../ui/Fields";
import { Notice } from "../../ui/Layout";
import { IdTypes } from "./IdTypes";
import { exportsQuery, faultOf, formatsFor, isAlwaysWhole, missing, reachOf, requestOf, type Wish } from "./asking";
import looks from "./Exports.module.css";

interface ExportFormProps {
  destinations: readonly string[];
  /** The audience that another page sent somebody here with. */
  preset: string | null;
  onStarted: (job: string) => void;
}

export function ExportForm({ destinations, preset, onStarted }: ExportFormProps) {
  const { t } = useTranslation("exports");
  const queries = useQueryClient();
  const [wish, setWish] = useState<Wish>({
    audience: preset,
    format: "csv",
    destination: destinations.length === 1 ? (destinations[0] ?? null) : null,
    ids: [],
    delta: false,
    objectors: false,
    days: "7",
    comment: "",
  });
  const [tried, setTried] = useState(false);
  const kind = useQuery(vocabulary).data?.audiences.find((one) => one.id === wish.audience)?.kind;
  const start = useMutation({
    mutationFn: () => body(api.POST("/api/v1/exports", { body: requestOf(wish, kind) })),
    onSuccess: async (job) => {
      await queries.invalidateQueries({ queryKey: exportsQuery.queryKey });
      tell(t("started", { audience: job.audience }));
      setTried(false);
      onStarted(job.id);
    },
  });
  const change = (part: Partial<Wish>) => {
    setWish((before) => ({ ...before, ...part }));
    start.reset();
  };
  const lacks = tried ? missing(wish) : [];
  const format = formatsFor(kind).includes(wish.format) ? wish.format : "csv";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (missing(wish).length === 0) start.mutate();
  };
  return (
    <form className={looks.form} onSubmit={submit} noValidate>
      <AudiencePicker
        label={t("audience.label")}
        hint={wish.audience === null ? t("audience.hint") : <HowMany audience={wish.audience} />}
        value={wish.audience === null ? [] : [wish.audience]}
        max={1}
        onChange={(ids) => change({ audience: ids.at(-1) ?? null, ids: [] })}
        error={lacks.includes("audience") ? t("audience.missing") : faultOf(start.error, "audience")}
      />
      <Select
        label={t("format.label")}
        choices={formatsFor(kind).map((id) => ({ id, name: t(`formats.${id}.name`), note: t(`formats.${id}.note`) }))}
        value={format}
        onChange={(id) => change({ format: formatsFor(kind).find((one) => one === id) ?? "csv" })}
        hint={t(`formats.${format}.note`)}
        error={faultOf(start.error, "format")}
      />
      <Select
        label={t("destination.label")}
        choices={destinations.map((name) => ({ id: name, name }))}
        value={wish.destination}
        onChange={(destination) => change({ destination })}
        placeholder={t("destination.placeholder")}
        hint={t("destination.hint")}
        error={lacks.includes("destination") ? t("destination.missing") : faultOf(start.error, "destination")}
      />
      {format !== "roaring" && (
        <IdTypes
          audience={wish.audience}
          value={wish.ids}
          onChange={(ids) => change({ ids })}
          error={faultOf(start.error, "ids")}
        />
      )}
      {isAlwaysWhole(format) ? (
        <p className="quiet">{t("extent.alwaysWhole")}</p>
      ) : (
        <RadioGroup
          label={t("extent.label")}
          value={wish.delta ? "delta" : "whole"}
          onChange={(id) => change({ delta: id === "delta" })}
          choices={[
            { id: "whole", name: t("extent.whole"), note: t("extent.wholeNote") },
            { id: "delta", name: t("extent.delta"), note: t("extent.deltaNote") },
          ]}
        />
      )}
      <Objectors kind={kind} isSelected={wish.objectors} onChange={(objectors) => change({ objectors })} />
      {format === "suppression" && (
        <TextField
          label={t("days.label")}
          hint={t("days.hint")}
          inputMode="numeric"
          value={wish.days}
          onChange={(days) => change({ days })}
          error={lacks.includes("days") ? t("days.wrong") : faultOf(start.error, "expires_days")}
        />
      )}
      <TextField
        label={t("comment.label")}
        hint={t("comment.hint")}
        value={wish.comment}
        onChange={(comment) => change({ comment })}
      />
      {start.error && <Failed error={start.error} />}
      <div>
        <Button look="primary" type="submit" isPending={start.isPending}>
          {t("start")}
        </Button>
      </div>
    </form>
  );
}

function HowMany({ audience }: { audience: string }) {
  const { t } = useTranslation("exports");
  const { data, error } = useQuery(reachOf(audience));
  if (data === undefined) return error ? null : <>{t("audience.counting")}</>;
  return (
    <>
      {t("audience.size")} <Told told={data} />.
    </>
  );
}

interface ObjectorsProps {
  kind: string | undefined;
  isSelected: boolean;
  onChange: (selected: boolean) => void;
}

/** People who object belong to no owner: only a key for all of them may have them written. */
function Objectors({ kind, isSelected, onChange }: ObjectorsProps) {
  const { t } = useTranslation("exports");
  const all = useWho()?.owner === "*";
  if (kind === "target") return <Notice>{t("objectors.target")}</Notice>;
  if (kind !== "suppress") return null;
  return (
    <div className="stack" style={{ gap: 4 }}>
      <Checkbox isSelected={isSelected && all} onChange={onChange} isDisabled={!all}>
        {t("objectors.label")}
      </Checkbox>
      <span className="hint">{all ? t("objectors.hint") : t("objectors.notYours")}</span>
    </div>
  );
}
