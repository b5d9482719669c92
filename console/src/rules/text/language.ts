/** The audience language, as far as its colours need it (`DESIGN` section 5). */
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";

export const KEYWORDS: ReadonlySet<string> = new Set(
  `ago all and any at audience avg before between contains day days did different everyone exactly false first has hour hours in is
  known last least matches max min minute minutes month most never not of on once or sample second seconds since starts sum than then
  time times today true twice week weeks where with within`.split(/\s+/),
);

const LOGIC = new Set(["and", "or", "not"]);

export const ruleLanguage = StreamLanguage.define<Record<string, never>>({
  name: "rule",
  startState: () => ({}),
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/#.*/)) return "comment";
    if (stream.match(/"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/\d{4}-\d\d-\d\d|[-+]?\d+(\.\d+)?\s?%?/)) return "number";
    if (stream.match(/!=|<=|>=|[=<>]/)) return "operator";
    const word = stream.match(/[\p{L}\p{N}_][\p{L}\p{N}_\-./]*/u);
    if (!word || word === true) {
      stream.next();
      return null;
    }
    const lower = word[0].toLowerCase();
    if (LOGIC.has(lower)) return "controlKeyword";
    return KEYWORDS.has(lower) ? "keyword" : "variableName";
  },
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", '"'] } },
});

export const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.controlKeyword, color: "var(--bad)", fontWeight: "600" },
    { tag: tags.keyword, color: "var(--accent)" },
    { tag: tags.string, color: "var(--good)" },
    { tag: tags.number, color: "var(--focus)" },
    { tag: tags.operator, color: "var(--accent)" },
    { tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
  ]),
);
