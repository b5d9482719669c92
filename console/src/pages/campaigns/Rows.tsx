import { Plus, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../../ui/Button";
import looks from "./Rows.module.css";

interface RowsProps<T> {
  label: string;
  rows: readonly T[];
  onChange: (rows: T[]) => void;
  /** What a new row has in it. */
  empty: T;
  words: { add: string; remove: (at: number) => string };
  children: (row: T, change: (part: Partial<T>) => void) => ReactNode;
}

/** Rows of a few fields each, that can be added and taken away. */
export function Rows<T>({ label, rows, onChange, empty, words, children }: RowsProps<T>) {
  return (
    <div role="group" aria-label={label} className="stack" style={{ gap: 8 }}>
      {rows.map((row, at) => (
        <div key={at} className={looks.row}>
          {children(row, (part) => onChange(rows.map((one, other) => (other === at ? { ...one, ...part } : one))))}
          <Button
            icon
            look="quiet"
            aria-label={words.remove(at + 1)}
            onPress={() => onChange(rows.filter((_, other) => other !== at))}
          >
            <Trash2 size={18} aria-hidden />
          </Button>
        </div>
      ))}
      <div>
        <Button small onPress={() => onChange([...rows, empty])}>
          <Plus size={16} aria-hidden /> {words.add}
        </Button>
      </div>
    </div>
  );
}
