/** What publishing this would do: who joins, leaves, stays; what rests on it; whether it must be confirmed. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { Told } from "../../base/Told";
import { Loading } from "../../base/states";
import { Card, Notice } from "../../ui/Layout";
import { Table, type Column } from "../../ui/Table";
import { isProblem, preview } from "./asking";
import styles from "./Audiences.module.css";

type Moves = Schemas["PreviewMoves"] & { id: string; change: string };

export function Preview({ text, ready }: { text: string; ready: boolean }) {
  const { t } = useTranslation("audiences");
  const asked = useQuery({ ...preview({ definitions: text }), enabled: ready, placeholderData: (before) => before });
  return (
    <Card title={t("preview.title")}>
      {!ready ? (
        <p className="quiet">{t("preview.notReady")}</p>
      ) : asked.error ? (
        <p className="quiet" role="status">
          {isProblem(asked.error, 400) ? t("preview.wrong") : asked.error.message}
        </p>
      ) : asked.data === undefined ? (
        <Loading lines={3} />
      ) : (
        <Answered answer={asked.data} />
      )}
    </Card>
  );
}

function Answered({ answer }: { answer: Schemas["PreviewAnswer"] }) {
  const { t } = useTranslation("audiences");
  const [own, ...others] = [...answer.audiences].toSorted((a, b) => rank(a) - rank(b));
  const rest: Moves[] = [...others, ...answer.campaigns];
  return (
    <div className="stack">
      {own && <MovesTable rows={[own]} label={t("preview.moves")} />}
      {rest.length > 0 && (
        <>
          <h3>{t("preview.rest")}</h3>
          <MovesTable rows={rest} label={t("preview.rest")} named />
        </>
      )}
      {answer.needs_confirmation && <Notice tone="warn">{t("preview.confirm")}</Notice>}
      {answer.lint.length > 0 && (
        <Notice tone="warn">
          <strong>{t("preview.lint")}</strong>
          <ul>
            {answer.lint.map((remark, at) => (
              <li key={at}>
                {remark.message}
                {remark.help.length > 0 && <span className="quiet"> ({remark.help.join("; ")})</span>}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </div>
  );
}

/** What is changed itself comes before what rests on it. */
function rank(moves: Moves): number {
  return moves.change === "depends" ? 1 : 0;
}

function MovesTable({ rows, label, named }: { rows: readonly Moves[]; label: string; named?: boolean }) {
  const { t } = useTranslation("audiences");
  const columns: Column<Moves>[] = [
    ...(named
      ? [{ id: "id", name: t("column.name"), cell: (row: Moves) => <span className="mono">{row.id}</span> }]
      : [{ id: "after", name: t("preview.after"), cell: (row: Moves) => <Told told={row.after} /> }]),
    { id: "join", name: t("preview.join"), number: true, cell: (row) => <Told told={row.join} /> },
    { id: "leave", name: t("preview.leave"), number: true, cell: (row) => <Told told={row.leave} /> },
    { id: "stay", name: t("preview.stay"), number: true, cell: (row) => <Told told={row.stay} /> },
  ];
  return <Table label={label} columns={columns} rows={rows} idOf={(row) => row.id} />;
}

/** Which audiences and campaigns rest on one: what would change if it were gone. */
export function Users({ id }: { id: string }) {
  const { t } = useTranslation("audiences");
  const asked = useQuery(preview({ remove: [id] }));
  if (asked.isPending) return <Loading lines={2} />;
  if (asked.error) return <p className="quiet">{t("users.unknown")}</p>;
  const audiences = asked.data.audiences.filter((one) => one.id !== id).map((one) => one.id);
  const campaigns = asked.data.campaigns.map((one) => one.id);
  if (audiences.length + campaigns.length === 0) return <p className="quiet">{t("users.none")}</p>;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <Ids title={t("users.campaigns", { count: campaigns.length })} ids={campaigns} below="/campaigns" />
      <Ids title={t("users.audiences", { count: audiences.length })} ids={audiences} below="/audiences" />
    </div>
  );
}

function Ids({ title, ids, below }: { title: string; ids: readonly string[]; below: string }) {
  if (ids.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ul className={styles.list}>
        {ids.map((id) => (
          <li key={id}>
            <Link href={`${below}/${id}`}>{id}</Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
