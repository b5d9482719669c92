import type { ReactNode } from "react";
import type { Tone } from "./Layout";

/** A row of bars: how much of the longest it is, and the figure in words. */
export interface Bar {
  id: string;
  name: ReactNode;
  /** 0 to 1, of the frame's width. */
  share: number;
  text: ReactNode;
  tone?: Tone;
}

/** Bars below each other, as a table: who does not see them reads the same figures. */
export function Bars({
  label,
  bars,
  name,
  value,
}: {
  label: string;
  bars: readonly Bar[];
  name: string;
  value: string;
}) {
  return (
    <table className="bars" aria-label={label}>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{name}</th>
          <th scope="col">{value}</th>
        </tr>
      </thead>
      <tbody>
        {bars.map((bar) => (
          <tr key={bar.id}>
            <th scope="row">{bar.name}</th>
            <td>
              <span className="number">{bar.text}</span>
              <span className="bar-frame" aria-hidden>
                <span
                  className={`bar ${bar.tone ?? "accent"}`}
                  style={{ width: `${Math.min(100, Math.max(bar.share > 0 ? 1 : 0, bar.share * 100))}%` }}
                />
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
