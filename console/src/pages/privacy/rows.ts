/** A pasted list or a file -> identifiers, a line each. */
import { readIdentifier, type Eid, type Unfit } from "../../base/eid";

export const MOST_ROWS = 10_000;

export interface Row {
  /** Its number in the text, from 1. */
  line: number;
  /** The type that it is read as. */
  source: string;
  /** As it was written, for whoever wrote it to find it again. */
  text: string;
  /** Nothing where it is none, or stood there before. */
  eid?: Eid;
  unfit?: Unfit | "repeated";
}

/**
 * A line is an identifier of the chosen type, or `type,identifier` (also with a semicolon or a tab between them).
 * A head and empty lines are passed over.
 */
export function rowsOf(text: string, source: string): Row[] {
  const seen = new Set<string>();
  const rows: Row[] = [];
  for (const [at, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    const head = rows.length === 0 && /^"?(source|type)"?\s*[,;\t]\s*"?(uid|value|identifier)"?$/i.test(line);
    if (line === "" || head) continue;
    const [first = "", second] = split(line);
    const written = second === undefined ? { source, text: first } : { source: first, text: second };
    const { eid, unfit } = readIdentifier(written.source, written.text);
    const row: Row = { line: at + 1, ...written };
    if (!eid) rows.push({ ...row, unfit });
    else if (seen.has(`${eid.source}\n${eid.uid}`)) rows.push({ ...row, unfit: "repeated" });
    else rows.push({ ...row, eid });
    if (eid) seen.add(`${eid.source}\n${eid.uid}`);
  }
  return rows;
}

function split(line: string): [string, string?] {
  const found = /^([^,;\t]*)[,;\t](.*)$/.exec(line);
  if (!found) return [bare(line)];
  return [bare(found[1] ?? ""), bare(found[2] ?? "")];
}

function bare(text: string): string {
  return text
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .trim();
}
