/** What can be written next: names and values of the vocabulary, words of the language. */
import {
  snippetCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { eventOf, propertyOf, traitOf, type Known, type Vocabulary } from "../kinds";
import { KEYWORDS } from "./language";

/** Written bare where it reads back as itself, in quotes elsewhere. */
export function quoted(text: string): string {
  const bare = /^[\p{L}_][\p{L}\p{N}_\-./]*$/u.test(text) && !KEYWORDS.has(text.toLowerCase());
  return bare ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

const word = (label: string): Completion => ({ label, type: "keyword" });
const words = (text: string) => text.split("|").map(word);

const CONDITIONS: Completion[] = [
  snippetCompletion("did ${event}", { label: "did", type: "keyword" }),
  snippetCompletion("never did ${event}", { label: "never did", type: "keyword" }),
  snippetCompletion("in audience ${audience}", { label: "in audience", type: "keyword" }),
  snippetCompletion('in sample ${10}% of "${name}"', { label: "in sample", type: "keyword" }),
  snippetCompletion("at least ${2} of (${})", { label: "at least", detail: "2 of (…)", type: "keyword" }),
  ...words("not|first did|last did|everyone"),
];
const BEHIND_EVENT: Completion[] = [
  snippetCompletion("within ${7} days", { label: "within", detail: "7 days", type: "keyword" }),
  snippetCompletion("before ${30} days ago", { label: "before", detail: "30 days ago", type: "keyword" }),
  snippetCompletion("between ${7} days and ${30} days ago", { label: "between", type: "keyword" }),
  snippetCompletion("at least ${2} times", { label: "at least", detail: "2 times", type: "keyword" }),
  snippetCompletion("at most ${2} times", { label: "at most", detail: "2 times", type: "keyword" }),
  snippetCompletion("on at least ${2} different days", { label: "on at least", type: "keyword" }),
  ...words("where|once|twice|today|since|and|or"),
];
const TESTS: Record<Known["kind"], Completion[]> = {
  flag: words("is known|and|or"),
  number: words("between|>=|<=|>|<|=|!=|is known"),
  category: [
    snippetCompletion("in (${})", { label: "in", detail: "(…)", type: "keyword" }),
    ...words("=|!=|contains|starts with|matches any of|is known"),
  ],
  tags: [
    ...words("has|contains|starts with|is known"),
    snippetCompletion("has any (${})", { label: "has any", type: "keyword" }),
    snippetCompletion("has all (${})", { label: "has all", type: "keyword" }),
  ],
  date: words("within|before|since|between|<|<=|>|>=|is known"),
};

function values(known: Known): Completion[] {
  return known.values.map(({ value, count }, at) => ({
    label: value,
    apply: quoted(value),
    type: "enum",
    boost: -at / 100,
    ...(count !== undefined && { detail: String(count) }),
  }));
}

const NAME = String.raw`("(?:[^"\\]|\\.)*"|[\p{L}\p{N}_][\p{L}\p{N}_\-./]*)`;
const bare = (name: string) => (name.startsWith('"') ? name.slice(1, -1) : name);

/** What fits behind a text, by what it ends in. */
function optionsBehind(before: string, vocabulary: Vocabulary): Completion[] {
  const ends = (pattern: string) => new RegExp(`${pattern}$`, "iu").exec(before);
  if (ends(String.raw`\bin audience\s+`)) {
    return vocabulary.audiences.map(({ id, name }) => ({
      label: id,
      apply: quoted(id),
      displayLabel: name,
      detail: id,
      type: "class",
    }));
  }
  if (ends(String.raw`\bdid\s+`))
    return vocabulary.events.map(({ name }) => ({ label: name, apply: quoted(name), type: "function" }));
  const event = /.*\bdid\s+("[^"]*"|[^\s(),"]+)(?:(?!\bdid\b|\)\s*(?:and|or)\b)[\s\S])*$/isu.exec(before)?.[1];
  const inWhere =
    event !== undefined && /\bwhere\b(?:(?!\bdid\b|\bwithin\b|\bsince\b|\bbefore\b|\btimes\b)[\s\S])*$/iu.test(before);
  const find = (name: string) =>
    (inWhere && event !== undefined ? propertyOf(vocabulary, bare(event), bare(name)) : undefined) ??
    traitOf(vocabulary, bare(name));
  const list = ends(String.raw`${NAME}\s+(?:in|has any|has all)\s*\([^()]*`);
  const compared = list ?? ends(String.raw`${NAME}\s*(?:=|!=|\bhas)\s*`);
  if (compared?.[1]) {
    const known = find(compared[1]);
    if (known) return known.kind === "flag" ? words("true|false") : values(known);
  }
  if (event !== undefined && ends(String.raw`\bwhere\s+`)) return properties(vocabulary, bare(event));
  const last = ends(String.raw`${NAME}\s+`)?.[1];
  if (last !== undefined && !KEYWORDS.has(last.toLowerCase())) {
    if (last === event) return BEHIND_EVENT;
    const known = find(last);
    if (known) return TESTS[known.kind];
    return inWhere ? BEHIND_EVENT : words("and|or");
  }
  if (inWhere && event !== undefined && ends(String.raw`\band\s+`)) {
    return [...properties(vocabulary, bare(event)), ...conditions(vocabulary)];
  }
  return conditions(vocabulary);
}

function properties(vocabulary: Vocabulary, event: string): Completion[] {
  return (
    eventOf(vocabulary, event)?.properties.map(({ name, kind }) => ({
      label: name,
      apply: quoted(name),
      detail: kind,
      type: "property",
    })) ?? []
  );
}

function conditions(vocabulary: Vocabulary): Completion[] {
  const traits = vocabulary.traits.map(({ name, kind }) => ({
    label: name,
    apply: quoted(name),
    detail: kind,
    type: "variable",
    boost: 1,
  }));
  return [...traits, ...CONDITIONS];
}

/** CodeMirror's question, answered from the vocabulary as it is then. */
export function completionFrom(vocabulary: () => Vocabulary | undefined) {
  return (context: CompletionContext): CompletionResult | null => {
    const known = vocabulary();
    const started = context.matchBefore(/[\p{L}\p{N}_][\p{L}\p{N}_\-./]*|"[^"]*/u);
    if (known === undefined || (started === null && !context.explicit)) return null;
    const from = started?.from ?? context.pos;
    const options = optionsBehind(context.state.sliceDoc(0, from), known);
    return { from, options, validFor: /^[\p{L}\p{N}_\-./]*$/u };
  };
}
