/** Pictures of figures. ECharts is loaded when the first one is shown; every picture can be read as a table, too. */
import type { EChartsCoreOption } from "echarts/core";
import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from "react";
import { Button } from "./Button";
import { useTheme } from "./theme";

/** A part of a picture. */
export interface Picked {
  name: string;
  dataIndex: number;
  seriesIndex: number;
}

interface ChartProps {
  /** What it shows, for those who do not see it. */
  label: string;
  /** May be built from the theme's colours. Memoise it: a new one redraws. */
  option: (colours: Colours) => EChartsCoreOption;
  /** The same figures as a `Table`. */
  table: ReactNode;
  /** What the two views are called. */
  words: { chart: string; table: string };
  height?: number;
  /** A part was clicked: its `name` and `dataIndex`. The same must be reachable from the table. */
  onPick?: (part: Picked) => void;
}

/** The theme's colours, as ECharts needs them. */
export interface Colours {
  text: string;
  quiet: string;
  line: string;
  surface: string;
  accent: string;
  good: string;
  warn: string;
  bad: string;
  /** For categories: told apart by those who see colours differently, 3 : 1 against the ground. */
  series: readonly string[];
}

function coloursOf(element: Element): Colours {
  const probe = document.createElement("span");
  // Where motion is reduced every change takes a hundredth of a millisecond, and is not done when it is read.
  probe.style.setProperty("transition", "none", "important");
  element.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const named = ["text", "quiet", "line", "surface", "accent", "good", "warn", "bad"] as const;
  const colours = Object.fromEntries(named.map((name) => [name, read(name)])) as Record<(typeof named)[number], string>;
  probe.remove();
  const dark = document.documentElement.dataset.theme === "dark";
  const series = dark
    ? ["#62cdbf", "#f0c064", "#8db8ff", "#ff9d94", "#c9a6f5", "#a7d672", "#e7a6c8", "#9fb3b0"]
    : ["#0b665f", "#b06f00", "#1456c4", "#a4231d", "#6d3fb0", "#4b7a12", "#a33670", "#51605f"];
  return { ...colours, series };
}

export function Chart({ label, option, table, words, height = 280, onPick }: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  const theme = useTheme();
  return (
    <div className="stack" style={{ gap: 8 }}>
      {asTable ? (
        table
      ) : (
        <Picture key={theme} label={label} option={option} height={height} {...(onPick && { onPick })} />
      )}
      <div>
        <Button small look="quiet" onPress={() => setAsTable(!asTable)}>
          {asTable ? words.chart : words.table}
        </Button>
      </div>
    </div>
  );
}

function Picture({
  label,
  option,
  height,
  onPick,
}: Pick<ChartProps, "label" | "option" | "onPick"> & { height: number }) {
  const frame = useRef<HTMLDivElement>(null);
  const pick = useEffectEvent((part: Picked) => onPick?.(part));
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let end = () => {};
    let gone = false;
    void import("./echarts").then(({ init }) => {
      if (gone) return;
      const chart = init(element);
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      // `richText`: tooltips drawn on the canvas, because the page's policy allows no style attributes in HTML.
      chart.setOption({ animation: !still, ...option(coloursOf(element)) });
      chart.on("click", (part) =>
        pick({ name: part.name, dataIndex: part.dataIndex, seriesIndex: part.seriesIndex ?? 0 }),
      );
      const watch = new ResizeObserver(() => chart.resize());
      watch.observe(element);
      end = () => {
        watch.disconnect();
        chart.dispose();
      };
    });
    return () => {
      gone = true;
      end();
    };
  }, [option]);
  return <div ref={frame} role="img" aria-label={label} className="chart" style={{ height }} />;
}
