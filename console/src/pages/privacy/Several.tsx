/** Many people at once, from a list that is pasted or a file. Each row has its own result. */
import { useMutation } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Eid } from "../../base/eid";
import { useFormat } from "../../base/format";
import { IdentifierType, nothingTyped, type Typed } from "../../base/Identifier";
import { Failed } from "../../base/states";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Dialogs";
import { Segments, TextArea } from "../../ui/Fields";
import { FileDrop } from "../../ui/FileDrop";
import { Card, Notice, Progress } from "../../ui/Layout";
import { DeletionMeans, ObjectionMeans, ScopeChoice } from "./Deeds";
import { erase, object, type Deleted, type Fate, type Scope } from "./deeds";
import { Proof } from "./Proof";
import { Results, type Result } from "./Results";
import { MOST_ROWS, rowsOf, type Row } from "./rows";
import { TypedConfirm } from "./TypedConfirm";

interface Done {
  results: Result[];
  deleted?: Deleted;
}

async function perform(rows: readonly Row[], deed: "object" | "delete", scope: Scope): Promise<Done> {
  const eids = rows.flatMap(({ eid }) => eid ?? []);
  if (deed === "delete") return { results: rows.map((row) => ({ row })), deleted: await erase(eids) };
  const fates = await object(eids, scope);
  const of = new Map<Eid, Fate>(eids.map((eid, at) => [eid, fates[at]]));
  return { results: rows.map((row) => ({ row, refused: row.eid && of.get(row.eid) })) };
}

export function Several() {
  const { t } = useTranslation(["privacy", "base"]);
  const format = useFormat();
  const [type, setType] = useState<Typed>(nothingTyped);
  const [text, setText] = useState("");
  const [deed, setDeed] = useState<"object" | "delete">("object");
  const [scope, setScope] = useState<Scope>("all");
  const [asking, setAsking] = useState(false);
  const [sent, setSent] = useState(false);
  const settled = useDeferredValue(text);
  const source = type.kind === "other" ? type.source : type.kind;
  const rows = useMemo(() => rowsOf(settled, source), [settled, source]);
  const fit = rows.filter(({ eid }) => eid !== undefined).length;
  const doing = useMutation({
    mutationFn: () => perform(rows, deed, scope),
    gcTime: 0,
    onSettled: () => setAsking(false),
  });
  const change =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      doing.reset();
      set(value);
    };
  const error = rows.length > MOST_ROWS ? t("tooMany", { most: format.number(MOST_ROWS) }) : undefined;
  return (
    <div className="stack">
      <Card title={t("list")}>
        <div className="halves">
          <div className="stack">
            <IdentifierType value={type} onChange={change(setType)} sent={sent} />
            <TextArea
              label={t("lines")}
              hint={t("linesHint")}
              error={error ?? (sent && rows.length === 0 ? t("linesMissing") : undefined)}
              value={text}
              onChange={change(setText)}
              rows={8}
              autoComplete="off"
              spellCheck="false"
            />
          </div>
          <FileDrop
            label={t("drop")}
            button={t("chooseFile")}
            accept={[".csv", ".txt", ".tsv"]}
            onFile={(file) => void file.text().then(change(setText))}
          />
        </div>
        {rows.length > 0 && (
          <p role="status">
            {t("rows", { count: rows.length })}{" "}
            {rows.length > fit && <strong>{t("unfitRows", { count: rows.length - fit })}</strong>}
          </p>
        )}
      </Card>
      <Card title={t("what")}>
        <Segments
          label={t("what")}
          value={deed}
          choices={[
            { id: "object", name: t("objection") },
            { id: "delete", name: t("deletion") },
          ]}
          onChange={change((id: string) => setDeed(id === "delete" ? "delete" : "object"))}
        />
        {deed === "object" ? (
          <>
            <ScopeChoice value={scope} onChange={change(setScope)} />
            <ObjectionMeans />
          </>
        ) : (
          <DeletionMeans />
        )}
        <div>
          <Button
            look={deed === "delete" ? "danger" : "primary"}
            isPending={doing.isPending}
            onPress={() => {
              setSent(true);
              if (fit > 0 && error === undefined) setAsking(true);
            }}
          >
            {deed === "delete" ? t("delete") : t("object")}
          </Button>
        </div>
        {doing.isPending && <Progress label={t("working")} />}
        {doing.error && <Failed error={doing.error} />}
      </Card>
      {doing.data && (
        <Card title={t("results")}>
          {doing.data.deleted && (
            <Notice tone="good" live>
              {t("deleted", { count: doing.data.deleted.profiles })}{" "}
              {t("blockedIds", { count: doing.data.deleted.identifiers })}{" "}
              {t("purgedBy", { at: format.time(doing.data.deleted.purged_by) })}
            </Notice>
          )}
          <Results results={doing.data.results} />
          {doing.data.deleted && <Proof entry={doing.data.deleted.entry} />}
        </Card>
      )}
      <Confirm
        title={t("objectionAskMany", { count: fit })}
        isOpen={asking && deed === "object"}
        onClose={() => setAsking(false)}
        onConfirm={() => doing.mutate()}
        action={t("object")}
        cancel={t("base:cancel")}
        pending={doing.isPending}
      >
        <p>{t(`scopes.${scope}.means`)}</p>
        <p>{t("objectionForGood")}</p>
      </Confirm>
      <TypedConfirm
        title={t("deletionAsk", { count: fit })}
        isOpen={asking && deed === "delete"}
        onClose={() => setAsking(false)}
        onConfirm={() => doing.mutate()}
        pending={doing.isPending}
      />
    </div>
  );
}
