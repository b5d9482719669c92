import { useTranslation } from "react-i18next";
import { Link } from "react-aria-components";
import { useFormat } from "../../base/format";
import { Told, useTold } from "../../base/Told";
import { Bars } from "../../ui/Bars";
import { Badge, Notice } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { rowsOf, type FunnelAnswer, type FunnelRow } from "./funnel";

/** From everybody to those who can be spoken to: what is left after each step, and where the others went. */
export function Funnel({ answer }: { answer: FunnelAnswer }) {
  const { t } = useTranslation("campaigns");
  const format = useFormat();
  const told = useTold();
  const rows = rowsOf(answer);
  const share = (of: number | undefined) => (of === undefined ? "–" : format.share(of));
  return (
    <div className="stack">
      <Bars
        label={t("funnel.title")}
        name={t("funnel.step")}
        value={t("funnel.left")}
        bars={rows.map((row) => ({
          id: row.step,
          name: t(`funnel.steps.${row.step}`),
          share: row.ofAll ?? 0,
          text: row.ofAll === undefined ? told(row.left) : `${told(row.left)} · ${format.share(row.ofAll)}`,
          tone: row.step === "seen" ? "plain" : "accent",
        }))}
      />
      <Table
        label={t("funnel.table")}
        rows={rows}
        idOf={(row: FunnelRow) => row.step}
        columns={[
          {
            id: "step",
            name: t("funnel.step"),
            cell: (row) => (
              <>
                {t(`funnel.steps.${row.step}`)}
                <div className="quiet" style={{ fontWeight: 400 }}>
                  {t(`funnel.why.${row.step}`)}
                </div>
              </>
            ),
          },
          { id: "left", name: t("funnel.left"), number: true, cell: (row) => <Told told={row.left} /> },
          {
            id: "lost",
            name: t("funnel.lost"),
            number: true,
            cell: (row) => (row.lost ? <Told told={row.lost} /> : "–"),
          },
          { id: "before", name: t("funnel.ofBefore"), number: true, cell: (row) => share(row.ofBefore) },
          { id: "all", name: t("funnel.ofAll"), number: true, cell: (row) => share(row.ofAll) },
        ]}
      />
      {answer.excludes.length > 0 && <Excludes answer={answer} />}
      {answer.lint.map((remark) => (
        <Notice
          key={`${remark.code} ${remark.line} ${remark.column}`}
          tone={remark.severity === "error" ? "bad" : "warn"}
        >
          <strong>{remark.message}</strong> <span className="quiet">{remark.help.join(" ")}</span>
        </Notice>
      ))}
      <p className="quiet">
        {t("funnel.counted", {
          people: format.number(answer.profiles),
          generation: answer.generation,
          time: format.time(answer.as_of),
        })}
      </p>
    </div>
  );
}

/** Which exclusion took whom: together with others, and alone. */
function Excludes({ answer }: { answer: FunnelAnswer }) {
  const { t } = useTranslation("campaigns");
  return (
    <>
      <h3>{t("funnel.excludes")}</h3>
      <p className="quiet">{t("funnel.excludesHelp")}</p>
      <Table
        label={t("funnel.excludes")}
        rows={answer.excludes}
        idOf={(one) => one.audience}
        columns={[
          {
            id: "audience",
            name: t("audience"),
            cell: (one) => <Link href={`/audiences/${one.audience}`}>{one.audience}</Link>,
          },
          {
            id: "hard",
            name: t("funnel.kind"),
            cell: (one) => <Badge tone={one.hard ? "bad" : "warn"}>{t(one.hard ? "words.hard" : "words.soft")}</Badge>,
          },
          { id: "lost", name: t("funnel.takes"), number: true, cell: (one) => <Told told={one.lost} /> },
          { id: "alone", name: t("funnel.alone"), number: true, cell: (one) => <Told told={one.lost_by_it_alone} /> },
        ]}
      />
    </>
  );
}
