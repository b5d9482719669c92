/** The first lines of a file, read in the browser: what kind it is, and what its columns are taken for. Nothing is sent. */

export type Role = "id" | "type" | "ttl" | "remove" | "list" | "ignored" | "typed" | "other";

export interface Column {
  name: string;
  role: Role;
}

export type Wonder = "noIds" | "needsType" | "separator" | "broken" | "empty" | "binary";

export interface Preview {
  format: "csv" | "ndjson";
  columns: Column[];
  rows: string[][];
  /** What somebody should look at before sending it. */
  wonders: Wonder[];
}

/** As many rows are shown. */
const ROWS = 5;
/** As much is read of a file. */
const BYTES = 64 * 1024;

/** As the server reads headers (`POST /api/v1/lists/…/members`); any other name must be one of its identifier types. */
const ROLES: ReadonlyMap<string, Role> = new Map([
  ["uid", "id"],
  ["id", "id"],
  ["user_id", "id"],
  ["source", "type"],
  ["type", "type"],
  ["id_type", "type"],
  ["ttl_minutes", "ttl"],
  ["expiration", "ttl"],
  ["ttl_in_minutes", "ttl"],
  ["remove", "remove"],
  ["delete", "remove"],
  ["segment", "list"],
  ["segment_code", "list"],
  ["list", "list"],
  ["audience", "list"],
  ["value", "ignored"],
]);

/** Fields of JSON lines that are of their own, beside those of {@link ROLES}. */
const JSON_IDS = new Set(["device_id", "ifa", "external_id", "eid", "tdid", "daid", "uid2", "euid", "items"]);
const JSON_LISTS = new Set(["segments", "data"]);

/** The first bytes as text; what is gzipped is opened. */
export async function beginning(file: Blob): Promise<string> {
  const magic = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const zipped = magic[0] === 0x1f && magic[1] === 0x8b;
  const opened = zipped ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.slice(0, BYTES).stream();
  const reader = opened.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < BYTES) {
    const { value, done } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return wholeLines(text);
}

/** Without the last line, which may be cut off. */
function wholeLines(text: string): string {
  const end = text.lastIndexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}

export function previewOf(text: string): Preview {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  const first = lines[0];
  if (first === undefined) return { format: "csv", columns: [], rows: [], wonders: ["empty"] };
  if (text.includes("\0")) return { format: "csv", columns: [], rows: [], wonders: ["binary"] };
  return first.trim().startsWith("{") ? ofJson(lines) : ofCsv(first, lines.slice(1));
}

function ofCsv(header: string, lines: readonly string[]): Preview {
  const columns = fields(header).map((name) => {
    const bare = name.trim();
    return { name: bare, role: ROLES.get(bare.toLowerCase()) ?? "typed" };
  });
  const rows = lines.slice(0, ROWS).map(fields);
  const wonders: Wonder[] = [];
  const has = (role: Role) => columns.some((column) => column.role === role);
  if (columns.length === 1 && /[;\t|]/.test(header)) wonders.push("separator");
  else if (!has("id") && !has("typed")) wonders.push("noIds");
  else if (has("id") && !has("type")) wonders.push("needsType");
  if (rows.some((row) => row.length !== columns.length)) wonders.push("broken");
  if (lines.length === 0) wonders.push("empty");
  return { format: "csv", columns, rows, wonders };
}

/** A line's fields; quotes may hold commas and doubled quotes. */
export function fields(line: string): string[] {
  const found: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (quoted && char === '"' && line.charAt(at + 1) === '"') {
      field += '"';
      at += 1;
    } else if (char === '"' && (quoted || field.trim() === "")) {
      quoted = !quoted;
      if (quoted) field = "";
    } else if (char === "," && !quoted) {
      found.push(field);
      field = "";
    } else field += char;
  }
  return [...found, field];
}

type Line = Record<string, unknown>;

function ofJson(lines: readonly string[]): Preview {
  const read = lines.slice(0, ROWS).map(objectOf);
  const objects = read.filter((line) => line !== undefined);
  const names = [...new Set(objects.flatMap((line) => Object.keys(line)))];
  const columns = names.map((name): Column => ({ name, role: jsonRole(name) }));
  const rows = objects.map((line) => names.map((name) => shown(line[name])));
  const wonders: Wonder[] = [];
  if (objects.length < read.length) wonders.push("broken");
  const needsType = (line: Line) =>
    (line.uid ?? line.id) !== undefined && (line.source ?? line.type ?? line.id_type) === undefined;
  if (objects.length > 0 && columns.every((column) => column.role !== "id" && column.role !== "typed"))
    wonders.push("noIds");
  else if (objects.some(needsType)) wonders.push("needsType");
  return { format: "ndjson", columns, rows, wonders };
}

function jsonRole(name: string): Role {
  if (JSON_IDS.has(name)) return "typed";
  if (JSON_LISTS.has(name)) return "list";
  return ROLES.get(name) ?? "other";
}

function objectOf(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
