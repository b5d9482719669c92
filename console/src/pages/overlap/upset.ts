/** The UpSet picture: a bar for each exclusive intersection, below it the dots of the audiences that it is of. */
import type { EChartsCoreOption } from "echarts/core";
import type { Colours } from "../../ui/Chart";
import type { OverlapAnswer } from "./regions";

/** What the picture says, in the reader's language. */
export interface UpsetWords {
  /** Of the set in a row: its letter, its name where there is room. */
  row: (set: number) => string;
  /** Of a count above its bar. */
  count: (part: OverlapAnswer["exclusive"][number]) => string;
  /** Of a column, when it is pointed at. */
  column: (sets: readonly number[]) => string;
  size: (set: number) => string;
}

/** What custom series are given to draw with; the parts of it that are used here. */
interface Pen {
  value: (dimension: number) => number;
  coord: (at: [number, number]) => [number, number];
}

const ROW = 26;
const BARS = 190;

/** As high as so many sets need. */
export function upsetHeight(sets: number): number {
  return BARS + 40 + sets * ROW + 24;
}

export function upset(
  answer: OverlapAnswer,
  shown: OverlapAnswer["exclusive"],
  words: UpsetWords,
  narrow: boolean,
): (colours: Colours) => EChartsCoreOption {
  const rows = answer.sets.map((_, set) => words.row(set));
  const left = narrow ? 40 : 330;
  const lower = BARS + 34;
  const category = { type: "category", axisTick: { show: false }, axisLine: { show: false } } as const;
  return (colours) => ({
    tooltip: {
      renderMode: "richText",
      confine: true,
      backgroundColor: colours.surface,
      textStyle: { color: colours.text },
    },
    grid: [
      { left, right: 12, top: 24, height: BARS },
      { left, right: 12, top: lower, height: rows.length * ROW },
      { left: 8, width: 120, top: lower, height: rows.length * ROW },
    ],
    xAxis: [
      { ...category, gridIndex: 0, data: shown.map((_, at) => at), axisLabel: { show: false } },
      { ...category, gridIndex: 1, data: shown.map((_, at) => at), axisLabel: { show: false } },
      { type: "value", gridIndex: 2, inverse: true, axisLabel: { show: false }, splitLine: { show: false } },
    ],
    yAxis: [
      { type: "value", gridIndex: 0, axisLabel: { show: false }, splitLine: { lineStyle: { color: colours.line } } },
      {
        ...category,
        gridIndex: 1,
        inverse: true,
        data: rows,
        axisLabel: { color: colours.text, width: narrow ? 24 : 180, overflow: "truncate" },
        splitArea: { show: true, areaStyle: { color: ["transparent", `${colours.line}`], opacity: 0.25 } },
      },
      { ...category, gridIndex: 2, inverse: true, data: rows, show: false },
    ],
    series: [
      {
        type: "bar",
        xAxisIndex: 0,
        yAxisIndex: 0,
        data: shown.map((part) => part.count ?? 0),
        barMaxWidth: 34,
        itemStyle: { color: colours.accent, borderRadius: [3, 3, 0, 0] },
        label: {
          show: true,
          position: "top",
          hideOverlap: true,
          color: colours.text,
          fontSize: 11,
          formatter: ({ dataIndex }: { dataIndex: number }) => {
            const part = shown[dataIndex];
            return part ? words.count(part) : "";
          },
        },
        tooltip: { formatter: ({ dataIndex }: { dataIndex: number }) => words.column(shown[dataIndex]?.sets ?? []) },
      },
      {
        type: "custom",
        xAxisIndex: 1,
        yAxisIndex: 1,
        data: shown.map((_, at) => [at, 0]),
        tooltip: { formatter: ({ dataIndex }: { dataIndex: number }) => words.column(shown[dataIndex]?.sets ?? []) },
        renderItem: (_: unknown, pen: Pen) => {
          const column = pen.value(0);
          return dots(column, shown[column]?.sets ?? [], rows.length, pen, colours);
        },
      },
      ...(narrow ? [] : [sizes(answer, words, colours)]),
    ],
  });
}

/** A column of dots, one for each set: full for those whose people they are, joined by a line. */
function dots(column: number, sets: readonly number[], rows: number, pen: Pen, colours: Colours) {
  const [x, top] = pen.coord([column, Math.min(...sets)]);
  const [, bottom] = pen.coord([column, Math.max(...sets)]);
  const line = {
    type: "line",
    shape: { x1: x, y1: top, x2: x, y2: bottom },
    style: { stroke: colours.accent, lineWidth: 3 },
  };
  const circles = Array.from({ length: rows }, (_, row) => ({
    type: "circle",
    shape: { cx: x, cy: pen.coord([column, row])[1], r: 6 },
    style: sets.includes(row)
      ? { fill: colours.accent }
      : { fill: colours.surface, stroke: colours.line, lineWidth: 1.5 },
  }));
  return { type: "group", children: [...(sets.length > 1 ? [line] : []), ...circles] };
}

function sizes(answer: OverlapAnswer, words: UpsetWords, colours: Colours) {
  return {
    type: "bar",
    xAxisIndex: 2,
    yAxisIndex: 2,
    data: answer.sets.map((set) => set.count ?? 0),
    barMaxWidth: 14,
    itemStyle: { color: colours.quiet, borderRadius: [3, 0, 0, 3] },
    tooltip: { formatter: ({ dataIndex }: { dataIndex: number }) => words.size(dataIndex) },
  };
}
