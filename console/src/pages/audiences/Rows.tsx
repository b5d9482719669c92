import { TriangleAlert } from "lucide-react";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Told as ToldText } from "../../base/Told";
import { useFormat } from "../../base/format";
import { Badge } from "../../ui/Layout";
import { Table, type Column } from "../../ui/Table";
import type { Definition } from "./asking";
import styles from "./Audiences.module.css";
import type { Told } from "./filters";
import { KindBadge, StateBadges, placeOf } from "./Marks";
import { Trend } from "./Trend";

interface RowsProps {
  definitions: readonly Definition[];
  /** By generation, the oldest first. */
  sizes: ReadonlyMap<string, readonly (Told | null)[]>;
  /** Why an audience must be looked at. */
  flags: ReadonlyMap<string, string>;
}

export function Rows({ definitions, sizes, flags }: RowsProps) {
  const { t } = useTranslation("audiences");
  const columns: Column<Definition>[] = [
    { id: "name", name: t("column.name"), cell: (row) => <Name definition={row} /> },
    { id: "kind", name: t("column.kind"), cell: (row) => <KindBadge kind={row.sort} /> },
    { id: "size", name: t("column.size"), number: true, cell: (row) => <Size sizes={sizes.get(row.id) ?? []} /> },
    { id: "state", name: t("column.state"), cell: (row) => <StateBadges definition={row} /> },
    { id: "change", name: t("column.change"), cell: (row) => <Change definition={row} /> },
    {
      id: "warnings",
      name: t("column.warnings"),
      cell: (row) => <Warnings definition={row} last={sizes.get(row.id)?.at(-1)} flag={flags.get(row.id)} />,
    },
  ];
  return <Table label={t("title")} columns={columns} rows={definitions} idOf={(row) => row.id} />;
}

function Name({ definition }: { definition: Definition }) {
  return (
    <div className={styles.name}>
      <Link href={`/audiences/${definition.id}`}>{definition.name ?? definition.id}</Link>
      <div className="quiet mono">{definition.id}</div>
      {(definition.folder || (definition.tags?.length ?? 0) > 0) && (
        <div className="quiet">{[definition.folder, ...(definition.tags ?? [])].filter(Boolean).join(" · ")}</div>
      )}
    </div>
  );
}

function Size({ sizes }: { sizes: readonly (Told | null)[] }) {
  const { t } = useTranslation("audiences");
  const format = useFormat();
  const last = sizes.at(-1);
  const known = sizes.flatMap((told) => (typeof told?.count === "number" ? [told.count] : []));
  const words = known.map((count) => format.number(count)).join(", ");
  return (
    <span className={styles.size}>
      <Trend sizes={sizes} label={t("trend", { sizes: words })} />
      {last ? <ToldText told={last} /> : <span className="quiet">{t("noSize")}</span>}
    </span>
  );
}

function Change({ definition }: { definition: Definition }) {
  const { t } = useTranslation("audiences");
  const format = useFormat();
  if (definition.origin === "file") {
    return <span className="quiet">{t("keptInFile", { place: placeOf(definition) })}</span>;
  }
  if (!definition.time) return <span className="quiet">{t("noTime")}</span>;
  return (
    <div className={styles.changed} title={format.time(definition.time)}>
      {format.ago(definition.time)}
      <div className="quiet">{definition.author}</div>
    </div>
  );
}

function Warnings({
  definition,
  last,
  flag,
}: {
  definition: Definition;
  last: Told | null | undefined;
  flag: string | undefined;
}) {
  const { t } = useTranslation("audiences");
  const empty = definition.state === "published" && last?.count === 0;
  if (!flag && !empty) return null;
  return (
    <div className="stack" style={{ gap: 4, alignItems: "flex-start" }}>
      {empty && (
        <Badge tone="warn">
          <TriangleAlert size={14} aria-hidden /> {t("nobody")}
        </Badge>
      )}
      {flag && (
        <span>
          <TriangleAlert size={14} aria-hidden /> {flag}
        </span>
      )}
    </div>
  );
}
