import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { Told } from "../../base/Told";
import { useFormat } from "../../base/format";
import { Chart, type Colours } from "../../ui/Chart";
import { Table } from "../../ui/Table";
import type { Vocabulary } from "../kinds";

type Part = Schemas["ReachPart"];

/** The people by the values of a trait: bars, and the same as a table. */
export function Breakdown({ of }: { of: Schemas["ReachBreakdown"] }) {
  const { t } = useTranslation(["rules", "base"]);
  const format = useFormat();
  const { parts, trait } = of;
  const option = useCallback(
    (colours: Colours) => ({
      grid: { left: 8, right: 64, top: 4, bottom: 4, containLabel: true },
      tooltip: { renderMode: "richText", trigger: "item" },
      xAxis: { type: "value", show: false },
      yAxis: {
        type: "category",
        inverse: true,
        data: parts.map((part) => part.value),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: colours.text, width: 130, overflow: "truncate" },
      },
      series: [
        {
          type: "bar",
          data: parts.map((part) => part.count ?? 0),
          barMaxWidth: 18,
          itemStyle: { color: colours.accent, borderRadius: 3 },
          label: {
            show: true,
            position: "right",
            color: colours.quiet,
            formatter: ({ dataIndex }: { dataIndex: number }) => {
              const part = parts[dataIndex];
              if (part === undefined) return "";
              if (part.below_floor) return t("base:belowFloor");
              return part.share === null || part.share === undefined ? "" : format.share(part.share);
            },
          },
        },
      ],
    }),
    [parts, format, t],
  );
  const table = (
    <Table<Part>
      label={t("byTrait", { trait })}
      columns={[
        { id: "value", name: trait, cell: (part) => part.value },
        { id: "people", name: t("people"), number: true, cell: (part) => <Told told={part} /> },
        {
          id: "share",
          name: t("share"),
          number: true,
          cell: (part) => (typeof part.share === "number" ? format.share(part.share) : "–"),
        },
      ]}
      rows={parts}
      idOf={(part) => part.value}
    />
  );
  return (
    <section className="stack" style={{ gap: 4 }}>
      <h3>{t("byTrait", { trait })}</h3>
      <Chart
        label={t("byTrait", { trait })}
        option={option}
        table={table}
        words={{ chart: t("base:asChart"), table: t("base:asTable") }}
        height={Math.max(70, 26 * parts.length + 10)}
      />
      {of.left_out > 0 && <p className="quiet">{t("leftOut", { count: of.left_out })}</p>}
    </section>
  );
}

const KEY = "vaglio.breakdown";
/** The server takes eight; more than four nobody reads. */
const MOST = 4;

/** Categories of few values that most people have tell most at a glance. */
function usual(vocabulary: Vocabulary): string[] {
  const few = vocabulary.traits.filter(
    (trait) => trait.kind === "category" && !trait.sensitive && trait.values.length > 1 && trait.values.length <= 12,
  );
  return few
    .toSorted((a, b) => b.known - a.known)
    .slice(0, 2)
    .map(({ name }) => name);
}

function remembered(): string[] | undefined {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : undefined;
  } catch {
    return undefined;
  }
}

/** The traits that people are counted by: what was chosen last, else what is usual. */
export function useChosenTraits(vocabulary: Vocabulary | undefined): [string[], (names: string[]) => void] {
  const [chosen, setChosen] = useState(remembered);
  const choose = (names: string[]) => {
    const few = names.slice(-MOST);
    localStorage.setItem(KEY, JSON.stringify(few));
    setChosen(few);
  };
  if (vocabulary === undefined) return [[], choose];
  const known = new Set(vocabulary.traits.map(({ name }) => name));
  return [chosen?.filter((name) => known.has(name)) ?? usual(vocabulary), choose];
}
