import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Answer, Empty } from "../../base/states";
import { Chart, type Colours } from "../../ui/Chart";
import { Segments } from "../../ui/Fields";
import { Card, Stat } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { verdicts } from "./questions";
import { useReason } from "./useReason";
import { reasonsByDay, type ReasonDays } from "./verdictDays";

const SPANS = [7, 14, 30] as const;

/** What was answered of a campaign, day by day, and whom it left alone on purpose. */
export function Verdicts({ campaign }: { campaign: string }) {
  const { t } = useTranslation("campaigns");
  const [address, go] = useSearchParams();
  const days = SPANS.find((span) => String(span) === address.get("days")) ?? 7;
  const asked = useQuery(verdicts(days, campaign));
  return (
    <div className="stack">
      <div>
        <Segments
          label={t("verdicts.span")}
          choices={SPANS.map((span) => ({ id: String(span), name: t("verdicts.days", { count: span }) }))}
          value={String(days)}
          onChange={(span) => go({ view: "verdicts", days: span }, { replace: true })}
        />
      </div>
      <Answer query={asked}>
        {(statistics) =>
          statistics.totals.length === 0 ? (
            <Empty title={t("verdicts.none")}>
              <p>{t("verdicts.noneHelp")}</p>
            </Empty>
          ) : (
            <>
              <ByDay statistics={statistics} />
              <LeftAlone statistics={statistics} />
            </>
          )
        }
      </Answer>
    </div>
  );
}

function ByDay({ statistics }: { statistics: Schemas["Statistics"] }) {
  const { t } = useTranslation(["campaigns", "base"]);
  const format = useFormat();
  const reason = useReason();
  const found = reasonsByDay(statistics);
  const day = (of: string) => format.day(of);
  return (
    <Card title={t("verdicts.byDay")}>
      <p className="quiet">{t("verdicts.utc")}</p>
      <Chart
        label={t("verdicts.label")}
        option={useDrawn(statistics)}
        height={340}
        words={{ chart: t("base:asChart"), table: t("base:asTable") }}
        table={
          <Table
            label={t("verdicts.table")}
            rows={found.reasons}
            idOf={(row) => row.code}
            columns={[
              { id: "reason", name: t("verdicts.reason"), cell: (row) => reason(row.code) },
              { id: "sum", name: t("verdicts.sum"), number: true, cell: (row) => format.number(row.sum) },
              ...found.days.map((of, at) => ({
                id: of,
                name: day(of),
                number: true,
                cell: (row: ReasonDays["reasons"][number]) => format.number(row.counts[at] ?? 0),
              })),
            ]}
          />
        }
      />
    </Card>
  );
}

function useDrawn(statistics: Schemas["Statistics"]) {
  const format = useFormat();
  const { t, i18n } = useTranslation("campaigns");
  return useCallback(
    (colours: Colours) => {
      const { days, reasons } = reasonsByDay(statistics);
      const short = new Intl.DateTimeFormat(i18n.language, { day: "numeric", month: "short", timeZone: "UTC" });
      return {
        tooltip: {
          trigger: "axis",
          renderMode: "richText",
          confine: true,
          backgroundColor: colours.surface,
          textStyle: { color: colours.text },
          valueFormatter: (value: unknown) => format.number(Number(value)),
        },
        legend: { type: "plain", top: 0, textStyle: { color: colours.text } },
        grid: { left: 56, right: 12, top: 24 + 26 * Math.ceil(reasons.length / 3), bottom: 28 },
        xAxis: {
          type: "category",
          data: days.map((of) => short.format(new Date(of))),
          axisLabel: { color: colours.quiet },
        },
        yAxis: {
          type: "value",
          minInterval: 1,
          axisLabel: { color: colours.quiet, formatter: (value: number) => format.short(value) },
          splitLine: { lineStyle: { color: colours.line } },
        },
        series: reasons.map((row, at) => ({
          type: "bar",
          stack: "all",
          barMaxWidth: 48,
          name: t(`reasons.${row.code}` as "reasons.target", { defaultValue: row.code }),
          data: row.counts,
          itemStyle: {
            color: colours.series[at % colours.series.length],
            borderColor: colours.surface,
            borderWidth: 1,
          },
        })),
      };
    },
    [statistics, format, t, i18n.language],
  );
}

const LEFT = ["excluded", "capped", "pressure", "objected"] as const;

/** Suppressed opportunities, and what they are not. */
function LeftAlone({ statistics }: { statistics: Schemas["Statistics"] }) {
  const { t } = useTranslation("campaigns");
  const format = useFormat();
  const left = statistics.suppressed_opportunities;
  if (!left) return null;
  return (
    <Card title={t("verdicts.leftAlone")}>
      <div className="row" style={{ gap: "8px 32px", alignItems: "start" }}>
        <Stat label={t("verdicts.leftAll")} value={format.number(left.total)} />
        {LEFT.map((why) => (
          <Stat key={why} label={t(`reasons.${why}`)} value={format.number(left[why])} />
        ))}
      </div>
      <p>{t("verdicts.leftMeans")}</p>
      <p className="quiet">{t("verdicts.leftNot")}</p>
    </Card>
  );
}
