/** Where a remark stands in a text, and what would mend it. */
import type { Reading } from "../reading";

export interface Place {
  from: number;
  to: number;
  severity: "error" | "warning";
  message: string;
  help: readonly string[];
  /** What to write there instead. */
  instead: string | undefined;
}

/** Lines and columns count characters from 1; a text is made of UTF-16 units. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const characters = [...(lines[line - 1] ?? "")].slice(0, Math.max(0, column - 1));
  return Math.min(text.length, before + characters.join("").length);
}

const WORD = /^(?:"(?:[^"\\]|\\.)*"?|[\p{L}\p{N}_][\p{L}\p{N}_\-./]*|\S)/u;

function endOf(text: string, from: number, length: number | null | undefined): number {
  const rest = text.slice(from);
  if (length) return Math.min(text.length, from + [...rest].slice(0, length).join("").length);
  return from + (WORD.exec(rest)?.[0].length ?? 0);
}

/** `did you mean \`x\`?` */
export function meant(help: readonly string[]): string | undefined {
  for (const line of help) {
    const found = /did you mean `([^`]+)`/i.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Said {
  message: string;
  help: readonly string[];
  line?: number | null;
  column?: number | null;
  length?: number | null;
}

/** Everything that was said of a text, at its characters. */
export function placesIn(text: string, reading: Reading): Place[] {
  const place = (said: Said, severity: Place["severity"]): Place => {
    const from = offsetOf(text, said.line ?? 1, said.column ?? 1);
    const to = said.line ? endOf(text, from, said.length) : text.length;
    // At the end of the text there is nothing to underline but what is before it.
    const start = from === to ? Math.max(0, text.trimEnd().length - 1) : from;
    return {
      from: start,
      to: Math.max(to, start),
      severity,
      message: said.message,
      help: said.help,
      instead: meant(said.help),
    };
  };
  const errors = reading.errors.map((fault) => {
    const help = fault.help ? fault.help.split("\n") : [];
    return place({ ...fault, message: fault.detail, help }, "error");
  });
  const warnings = reading.warnings.map((remark) => place(remark, "warning"));
  return [...errors, ...warnings].toSorted((a, b) => a.from - b.from);
}
