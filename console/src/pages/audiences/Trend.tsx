import type { Told } from "./filters";

const [WIDTH, HEIGHT] = [72, 22];

/** A line through the sizes of some generations; what it shows is said by `label`. Less than two sizes are no trend. */
export function Trend({ sizes, label }: { sizes: readonly (Told | null)[]; label: string }) {
  const points = sizes.flatMap((told, at) => (typeof told?.count === "number" ? [[at, told.count] as const] : []));
  if (points.length < 2) return null;
  const counts = points.map(([, count]) => count);
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  const x = (at: number) => 2 + (at / Math.max(1, sizes.length - 1)) * (WIDTH - 4);
  const y = (count: number) => (high === low ? HEIGHT / 2 : HEIGHT - 3 - ((count - low) / (high - low)) * (HEIGHT - 6));
  const line = points.map(([at, count]) => `${x(at).toFixed(1)},${y(count).toFixed(1)}`).join(" ");
  const [lastAt, last] = points.at(-1) ?? [0, 0];
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={label} style={{ color: "var(--accent)", flex: "none" }}>
      <polyline points={line} fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinejoin="round" />
      <circle cx={x(lastAt)} cy={y(last)} r={2} fill="currentColor" />
    </svg>
  );
}
