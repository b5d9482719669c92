import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { Button, ButtonLink } from "../../ui/Button";
import { Card, Notice, Stat } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { rejectsAsCsv, type Uploaded } from "./send";
import styles from "./Uploads.module.css";

/** What became of a file, or would become of it. */
export function Result({ of, again }: { of: Uploaded; again?: () => void }) {
  const { t } = useTranslation("uploads");
  const format = useFormat();
  const figures = ["lines", "joined", "removed", "matched", "unmatched", "rejected"] as const;
  const types = Object.entries(of.by_type).map(([type, counts]) => ({ type, counts }));
  const frame = useRef<HTMLDivElement>(null);
  const takesOver = again !== undefined;
  // The form is gone, and with it the button that had the focus.
  useEffect(() => {
    if (takesOver) frame.current?.focus();
  }, [takesOver]);
  return (
    <div ref={frame} tabIndex={-1} className={styles.result}>
      <Card title={t(of.dry_run ? "result.tried" : "result.done", { list: of.list })}>
        <Notice tone={of.rejected > 0 ? "warn" : "good"} live>
          {t(of.dry_run ? "result.wouldBe" : "result.is")}
          {of.rejected > 0 && ` ${t(of.mode === "replace" ? "result.mendFirst" : "result.others")}`}
        </Notice>
        <div className={styles.figures}>
          {figures.map((figure) => (
            <Stat
              key={figure}
              label={t(`result.${figure}`)}
              value={format.number(of[figure])}
              note={t(`result.${figure}Help`)}
            />
          ))}
        </div>
        {of.repeated > 0 && <p className="quiet">{t("result.repeated", { count: of.repeated })}</p>}
        {types.length > 0 && (
          <Table
            label={t("result.byType")}
            rows={types}
            idOf={(row) => row.type}
            columns={[
              { id: "type", name: t("result.type"), cell: (row) => (row.type === "?" ? t("result.noType") : row.type) },
              {
                id: "matched",
                name: t("result.matched"),
                number: true,
                cell: (row) => format.number(row.counts.matched),
              },
              {
                id: "unmatched",
                name: t("result.unmatched"),
                number: true,
                cell: (row) => format.number(row.counts.unmatched),
              },
              {
                id: "rejected",
                name: t("result.rejected"),
                number: true,
                cell: (row) => format.number(row.counts.rejected),
              },
            ]}
          />
        )}
        <Rejects of={of} />
        {again && (
          <div className="row">
            <Button look="primary" onPress={again}>
              {t("result.again")}
            </Button>
            <ButtonLink href={`/audiences/${of.list}`}>{t("result.see")}</ButtonLink>
          </div>
        )}
      </Card>
    </div>
  );
}

function Rejects({ of }: { of: Uploaded }) {
  const { t } = useTranslation("uploads");
  const format = useFormat();
  if (of.rejects.length === 0) return null;
  const save = () => {
    const text = rejectsAsCsv(of.rejects, [t("result.line"), t("result.column"), t("result.reason")]);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `${of.list.replace("/", "-")}-rejects.csv`;
    link.click();
    // Some browsers read it only after the click was handled.
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="row spread">
        <h3>{t("result.rejects")}</h3>
        <Button small onPress={save}>
          {t("result.save")}
        </Button>
      </div>
      {of.rejected > of.rejects.length && (
        <p className="quiet">
          {t("result.firstOnly", { shown: format.number(of.rejects.length), all: format.number(of.rejected) })}
        </p>
      )}
      <div className={styles.rejects}>
        <Table
          label={t("result.rejects")}
          rows={of.rejects}
          idOf={(row) => `${row.line} ${row.column ?? ""}`}
          columns={[
            { id: "line", name: t("result.line"), cell: (row) => format.number(row.line) },
            { id: "column", name: t("result.column"), cell: (row) => row.column ?? "–" },
            { id: "reason", name: t("result.reason"), cell: (row) => row.reason },
          ]}
        />
      </div>
    </div>
  );
}
