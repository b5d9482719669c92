import type { UseQueryResult } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Chart, type Colours } from "../../ui/Chart";
import { Card } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { perSecond, type Point } from "./figures";
import { Waiting } from "./Waiting";

/** Lookups per second over the last hour. */
export function Traffic({ of }: { of: UseQueryResult<Schemas["Statistics"], Error> }) {
  const { t } = useTranslation("home");
  const points = useMemo(() => (of.data ? perSecond(of.data) : undefined), [of.data]);
  return (
    <Card title={t("traffic.title")} aside={<span className="quiet">{t("traffic.aside")}</span>}>
      {points === undefined ? (
        <Waiting of={of} />
      ) : points.every((point) => point.perSecond === 0) ? (
        <p className="quiet">{t("traffic.none")}</p>
      ) : (
        <Line points={points} />
      )}
    </Card>
  );
}

function Line({ points }: { points: readonly Point[] }) {
  const { t, i18n } = useTranslation(["home", "base"]);
  const format = useFormat();
  const clock = useMemo(
    () => new Intl.DateTimeFormat(i18n.language, { hour: "2-digit", minute: "2-digit" }),
    [i18n.language],
  );
  const label = t("traffic.title");
  const option = useCallback(
    (colours: Colours) => ({
      aria: { enabled: false },
      grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        valueFormatter: (value: unknown) => format.number(Number(value)),
      },
      xAxis: {
        type: "category",
        boundaryGap: false,
        data: points.map((point) => clock.format(point.at)),
        axisLabel: { color: colours.quiet, interval: 14 },
        axisLine: { lineStyle: { color: colours.line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: "value",
        axisLabel: { color: colours.quiet, formatter: (value: number) => format.number(value) },
        splitLine: { lineStyle: { color: colours.line } },
      },
      series: [
        {
          name: label,
          type: "line",
          showSymbol: false,
          data: points.map((point) => Math.round(point.perSecond * 100) / 100),
          lineStyle: { color: colours.accent, width: 2 },
          itemStyle: { color: colours.accent },
          areaStyle: { color: colours.accent, opacity: 0.12 },
        },
      ],
    }),
    [points, clock, format, label],
  );
  const rows = points.toReversed();
  return (
    <Chart
      label={t("traffic.label")}
      option={option}
      height={220}
      words={{ chart: t("base:asChart"), table: t("base:asTable") }}
      table={
        <Table
          label={label}
          rows={rows}
          idOf={(row) => String(row.at)}
          columns={[
            { id: "at", name: t("traffic.minute"), cell: (row) => clock.format(row.at) },
            {
              id: "rate",
              name: label,
              number: true,
              cell: (row) => format.number(Math.round(row.perSecond * 100) / 100),
            },
          ]}
        />
      }
    />
  );
}
