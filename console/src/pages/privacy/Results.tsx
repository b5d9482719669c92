import { Check, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { Badge, Notice } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import type { Row } from "./rows";

export interface Result {
  row: Row;
  /** Why the server did not take it. */
  refused?: string | undefined;
}

/** So many rows are drawn. */
const SHOWN = 200;

/** What became of each row: those that were not taken come first. */
export function Results({ results }: { results: readonly Result[] }) {
  const { t } = useTranslation(["privacy", "base"]);
  const format = useFormat();
  const why = useReason();
  const failed = results.filter((result) => why(result) !== undefined);
  const taken = results.filter((result) => why(result) === undefined);
  return (
    <>
      <Notice tone={failed.length > 0 ? "warn" : "good"} live>
        {t("taken", { count: taken.length })} {failed.length > 0 && t("notTaken", { count: failed.length })}
      </Notice>
      <Table
        label={t("rowsTable")}
        idOf={({ row }) => String(row.line)}
        rows={[...failed, ...taken].slice(0, SHOWN)}
        columns={[
          { id: "line", name: t("line"), cell: ({ row }) => format.number(row.line) },
          { id: "type", name: t("type"), cell: ({ row }) => row.source },
          { id: "text", name: t("identifier"), cell: textOf },
          {
            id: "result",
            name: t("result"),
            cell: outcomeOf,
          },
        ]}
      />
      {results.length > SHOWN && (
        <p className="quiet">{t("moreRows", { shown: format.number(SHOWN), all: format.number(results.length) })}</p>
      )}
    </>
  );
}

/** Why a row was not taken, if it was not. */
function useReason(): (result: Result) => string | undefined {
  const { t } = useTranslation(["privacy", "base"]);
  return ({ row, refused }) => {
    if (row.unfit === "repeated") return t("repeated");
    return row.unfit ? t(`base:identifier.unfit.${row.unfit}`) : refused;
  };
}

function textOf({ row }: Result) {
  return <span className="mono">{row.text}</span>;
}

function outcomeOf(result: Result) {
  return <Outcome result={result} />;
}

function Outcome({ result }: { result: Result }) {
  const { t } = useTranslation("privacy");
  const reason = useReason()(result);
  if (reason === undefined) {
    return (
      <Badge tone="good">
        <Check size={14} aria-hidden /> {t("done")}
      </Badge>
    );
  }
  return (
    <>
      <Badge tone="bad">
        <X size={14} aria-hidden /> {t("notDone")}
      </Badge>{" "}
      {reason}
    </>
  );
}
