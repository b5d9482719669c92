/** What the form has in its fields, and the YAML that stands for it. What the form does not know stays in the YAML as it is. */
import { isMap, isScalar, parseDocument, type Document } from "yaml";
import type { Fault } from "../../api/client";

export interface Form {
  owner: string;
  id: string;
  name: string;
  description: string;
  kind: "target" | "suppress";
  folder: string;
  /** With commas between them. */
  tags: string;
  made: "rule" | "list";
  rule: string;
  ttl: string;
  taxonomy: string;
  segment: string;
  from: string;
  to: string;
  floor: string;
  share: "none" | "all" | "some";
  /** Owners, with commas between them. */
  shareWith: string;
}

export type Field = keyof Form;

export function emptyForm(owner: string): Form {
  return {
    owner,
    id: "",
    name: "",
    description: "",
    kind: "target",
    folder: "",
    tags: "",
    made: "rule",
    rule: "",
    ttl: "",
    taxonomy: "",
    segment: "",
    from: "",
    to: "",
    floor: "",
    share: "none",
    shareWith: "",
  };
}

/** What is between commas. */
export function parts(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** An id made of a name: plain letters, digits and hyphens. */
export function idOf(name: string): string {
  return name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 64)
    .replace(/-+$/, "");
}

/** Whether the planner takes it as an id. */
export function isId(text: string): boolean {
  return text.length <= 100 && /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(text);
}

export function formOf(text: string): Form {
  const document = parse(text);
  const value = (name: string): string => {
    const found = document.get(name);
    return found === undefined || found === null ? "" : String(found);
  };
  const list = (name: string) => {
    const found = (document.toJS() as Record<string, unknown>)[name];
    return Array.isArray(found) ? found.map(String).join(", ") : "";
  };
  const inner = (name: string) => {
    const found = document.getIn(["segment", name]);
    return found === undefined || found === null ? "" : String(found);
  };
  const share = value("share");
  return {
    owner: value("owner"),
    id: value("id"),
    name: value("name"),
    description: value("description"),
    kind: value("kind") === "suppress" ? "suppress" : "target",
    folder: value("folder"),
    tags: list("tags"),
    made: document.get("list") === true ? "list" : "rule",
    rule: value("rule").trimEnd(),
    ttl: value("ttl"),
    taxonomy: inner("taxonomy"),
    segment: inner("id"),
    from: value("valid_from"),
    to: value("valid_to"),
    floor: value("floor"),
    share: list("share") !== "" ? "some" : share === "all" ? "all" : "none",
    shareWith: list("share"),
  };
}

/** The definition, on the ground of what it was before. */
export function textOf(form: Form, before = ""): string {
  const document = parse(before);
  const put = (name: string, value: unknown) => {
    const empty = value === "" || value === undefined || (Array.isArray(value) && value.length === 0);
    if (empty) document.delete(name);
    else document.set(name, Array.isArray(value) ? document.createNode(value, { flow: true }) : value);
  };
  put("id", form.id.trim());
  put("owner", form.owner.trim());
  put("name", form.name.trim());
  put("description", form.description.trim());
  put("kind", form.kind);
  const isList = form.made === "list";
  put("rule", isList ? "" : form.rule.trim());
  put("list", isList ? true : "");
  put("ttl", isList ? form.ttl.trim() : "");
  put("folder", form.folder.trim());
  put("tags", parts(form.tags));
  put("valid_from", form.from.trim());
  put("valid_to", form.to.trim());
  put("floor", number(form.floor));
  put("share", form.share === "some" ? parts(form.shareWith) : form.share === "all" ? "all" : "");
  if (form.taxonomy.trim() === "" && form.segment.trim() === "") document.delete("segment");
  else {
    // Within the segment, too, what is not known stays.
    if (!isMap(document.get("segment"))) document.set("segment", document.createNode({}, { flow: true }));
    document.setIn(["segment", "taxonomy"], number(form.taxonomy));
    document.setIn(["segment", "id"], form.segment.trim());
  }
  return document.toString({ lineWidth: 0 });
}

/** A number as such; what is none stays as it was typed, and is refused at its place. */
function number(text: string): number | string {
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}

function parse(text: string): Document {
  // `schema: core` reads dates as texts, as the planner does.
  const document = parseDocument(text, { schema: "core" });
  if (document.contents === null) document.contents = document.createNode({}) as unknown as typeof document.contents;
  return document;
}

const FIELDS: Readonly<Record<string, Field>> = {
  id: "id",
  owner: "owner",
  name: "name",
  description: "description",
  kind: "kind",
  folder: "folder",
  tags: "tags",
  rule: "rule",
  list: "made",
  ttl: "ttl",
  segment: "segment",
  valid_from: "from",
  valid_to: "to",
  floor: "floor",
  share: "share",
};

/** In which field of the form a place of the text is. */
export function fieldAt(text: string, line: number, column: number): Field | undefined {
  const document = parse(text);
  if (!isMap(document.contents)) return undefined;
  const starts = text.split("\n").slice(0, line - 1);
  const at = starts.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  let found: Field | undefined;
  for (const pair of document.contents.items) {
    if (!isScalar(pair.key) || !pair.key.range || pair.key.range[0] > at) continue;
    found = FIELDS[String(pair.key.value)];
    const within = pair.value;
    if (found === "segment" && isMap(within)) {
      const last = within.items.findLast((item) => isScalar(item.key) && item.key.range && item.key.range[0] <= at);
      if (last && isScalar(last.key) && last.key.value === "taxonomy") found = "taxonomy";
    }
  }
  return found;
}

/** What is wrong by field; what is wrong nowhere in particular is in `others`. */
export function faultsByField(
  text: string,
  faults: readonly Fault[],
): { fields: Partial<Record<Field, string>>; others: Fault[] } {
  const fields: Partial<Record<Field, string>> = {};
  const others: Fault[] = [];
  for (const fault of faults) {
    const here = !fault.file || fault.file === "body";
    const field = here && fault.line ? fieldAt(text, fault.line, fault.column ?? 1) : undefined;
    if (field === undefined) others.push(fault);
    else fields[field] = [fields[field], sentence(fault)].filter(Boolean).join(" ");
  }
  return { fields, others };
}

function sentence(fault: Fault): string {
  const text = fault.detail.charAt(0).toUpperCase() + fault.detail.slice(1);
  return fault.help ? `${text}: ${fault.help}.` : `${text}.`;
}
