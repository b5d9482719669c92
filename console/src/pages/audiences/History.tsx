/** The versions of an audience, what differs between two of them, and the way back to one. */
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../base/format";
import { useMay } from "../../base/session";
import { Answer } from "../../base/states";
import type { PublishItem } from "../../rules/PublishDialog";
import { Button } from "../../ui/Button";
import { Confirm, tell } from "../../ui/Dialogs";
import { Select } from "../../ui/Fields";
import { Badge, Card, More } from "../../ui/Layout";
import { Table, type Column } from "../../ui/Table";
import { diff, versions, write, type Definition } from "./asking";
import styles from "./Audiences.module.css";

type Version = Schemas["VersionAnswer"];

interface HistoryProps {
  definition: Definition;
  onPublish: (item: PublishItem) => void;
}

export function History({ definition, onPublish }: HistoryProps) {
  const { t } = useTranslation(["audiences", "base"]);
  const format = useFormat();
  const may = useMay();
  const asked = useInfiniteQuery(versions(definition.id));
  const current = definition.published?.version;
  const columns: Column<Version>[] = [
    { id: "version", name: t("history.version"), cell: (row) => format.number(row.version) },
    { id: "time", name: t("history.time"), cell: (row) => format.time(row.time) },
    { id: "author", name: t("history.author"), cell: (row) => row.author },
    { id: "comment", name: t("history.comment"), cell: (row) => row.comment ?? "" },
    { id: "state", name: t("column.state"), cell: (row) => <State version={row} current={current} /> },
    {
      id: "again",
      name: t("history.again"),
      hideName: true,
      cell: (row) =>
        may("define") &&
        row.state === "published" &&
        row.version !== current && (
          <Button
            small
            onPress={() => onPublish({ kind: "audience", id: definition.id, version: row.version })}
            aria-label={t("history.againOf", { version: row.version })}
          >
            {t("history.again")}
          </Button>
        ),
    },
  ];
  return (
    <Card title={t("history.title")} aside={<Discard definition={definition} />}>
      <Answer query={asked}>
        {({ pages }) => {
          const all = pages.flatMap((page) => page.versions);
          return (
            <>
              <Table label={t("history.versions")} columns={columns} rows={all} idOf={(row) => String(row.version)} />
              {asked.hasNextPage && (
                <div>
                  <Button small onPress={() => void asked.fetchNextPage()} isPending={asked.isFetchingNextPage}>
                    {t("base:more")}
                  </Button>
                </div>
              )}
              {all.length > 1 && (
                <More title={t("history.compare")}>
                  <Compare key={all[0]?.version} id={definition.id} versions={all} />
                </More>
              )}
            </>
          );
        }}
      </Answer>
    </Card>
  );
}

function State({ version, current }: { version: Version; current: number | undefined }) {
  const { t } = useTranslation("audiences");
  if (version.version === current) return <Badge tone="good">{t("history.current")}</Badge>;
  return (
    <Badge>
      {t(version.state === "draft" ? "state.draft" : version.state === "archived" ? "state.archived" : "history.was")}
    </Badge>
  );
}

/** The draft becomes what is in force again: the API keeps every version, and takes none away. */
function Discard({ definition }: { definition: Definition }) {
  const { t } = useTranslation(["audiences", "base"]);
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const text = definition.published?.text;
  const discarding = useMutation({
    mutationFn: () => write({ id: definition.id, text: text ?? "", seen: definition.version ?? undefined }),
    onSuccess: () => {
      setAsking(false);
      void queries.invalidateQueries({ queryKey: ["definition"] });
      void queries.invalidateQueries({ queryKey: ["definitions"] });
      tell(t("discarded"));
    },
    onError: (error) => tell(error.message, "bad"),
  });
  if (!text || !definition.draft || definition.draft.text === text || !may("define")) return null;
  return (
    <>
      <Button small look="quiet" onPress={() => setAsking(true)}>
        {t("discard")}
      </Button>
      <Confirm
        title={t("discard")}
        isOpen={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => discarding.mutate()}
        action={t("discard")}
        cancel={t("base:cancel")}
        pending={discarding.isPending}
        danger
      >
        <p>{t("discardHelp")}</p>
      </Confirm>
    </>
  );
}

function Compare({ id, versions }: { id: string; versions: readonly Version[] }) {
  const { t } = useTranslation("audiences");
  const format = useFormat();
  const [from, setFrom] = useState(String(versions[1]?.version ?? 1));
  const [to, setTo] = useState(String(versions[0]?.version ?? 1));
  const choices = versions.map((version) => ({
    id: String(version.version),
    name: t("history.numbered", { version: version.version, time: format.time(version.time) }),
  }));
  return (
    <div className="stack">
      <div className={styles.pair}>
        <Select label={t("history.from")} choices={choices} value={from} onChange={setFrom} />
        <Select label={t("history.to")} choices={choices} value={to} onChange={setTo} />
      </div>
      {from === to ? (
        <p className="quiet">{t("history.same")}</p>
      ) : (
        <Differs id={id} from={Number(from)} to={Number(to)} />
      )}
    </div>
  );
}

function Differs({ id, from, to }: { id: string; from: number; to: number }) {
  const { t } = useTranslation("audiences");
  const asked = useQuery(diff(id, from, to));
  const columns: Column<Schemas["Field"]>[] = [
    { id: "field", name: t("history.field"), cell: (row) => <code>{row.field}</code> },
    { id: "before", name: t("history.before"), cell: (row) => <pre>{row.before ?? t("history.none")}</pre> },
    { id: "after", name: t("history.after"), cell: (row) => <pre>{row.after ?? t("history.none")}</pre> },
  ];
  return (
    <Answer query={asked}>
      {({ fields, lines }) =>
        fields.length === 0 ? (
          <p className="quiet">{t("history.nothing")}</p>
        ) : (
          <>
            <Table label={t("history.fields")} columns={columns} rows={fields} idOf={(row) => row.field} />
            <div className={`mono ${styles.lines}`} role="region" aria-label={t("history.lines")} tabIndex={0}>
              {lines.map((line, at) => (
                <LineOf key={at} line={line} />
              ))}
            </div>
          </>
        )
      }
    </Answer>
  );
}

/** A sign tells what the colour does. */
function LineOf({ line }: { line: Schemas["Line"] }) {
  const { t } = useTranslation("audiences");
  if (line.of === "both") return <div>{`  ${line.text}`}</div>;
  const [sign, look, word] =
    line.of === "before" ? ["−", styles.before, t("history.removed")] : ["+", styles.after, t("history.added")];
  return (
    <div className={look}>
      <span aria-hidden>{sign} </span>
      <span className="visually-hidden">{word}: </span>
      {line.text}
    </div>
  );
}
