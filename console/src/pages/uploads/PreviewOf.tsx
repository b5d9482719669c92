import { useTranslation } from "react-i18next";
import { Badge, Notice } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import type { Column, Preview } from "./preview";

/** The first rows, and what each column is taken for. */
export function PreviewOf({ of }: { of: Preview }) {
  const { t } = useTranslation("uploads");
  const rows = of.rows.map((cells, at) => ({ cells, line: at + (of.format === "csv" ? 2 : 1) }));
  return (
    <div className="stack">
      <h3>{t("preview.title", { format: t(`preview.${of.format}`) })}</h3>
      {of.wonders.map((wonder) => (
        <Notice key={wonder} tone={wonder === "needsType" ? "plain" : "warn"} live>
          {t(`preview.wonders.${wonder}`)}
        </Notice>
      ))}
      {of.columns.length > 0 && (
        <>
          <Table
            label={t("preview.label")}
            rows={rows}
            idOf={(row) => String(row.line)}
            columns={[
              { id: "line", name: t("preview.line"), cell: (row) => row.line },
              ...of.columns.map((column, at) => ({
                id: String(at),
                name: column.name,
                cell: (row: { cells: string[] }) => row.cells[at] ?? "",
              })),
            ]}
          />
          <Roles columns={of.columns} />
          <p className="quiet">{t("preview.here")}</p>
        </>
      )}
    </div>
  );
}

function Roles({ columns }: { columns: readonly Column[] }) {
  const { t } = useTranslation("uploads");
  return (
    <ul>
      {columns.map((column, at) => (
        <li key={at}>
          <span className="mono">{column.name}</span>: {t(`preview.roles.${column.role}`)}{" "}
          {column.role === "other" && <Badge tone="warn">{t("preview.unknown")}</Badge>}
        </li>
      ))}
    </ul>
  );
}
