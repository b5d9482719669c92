/** The rule as text. A chunk of its own: CodeMirror. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Annotation, Compartment, EditorState } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { useEffect, useEffectEvent, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Vocabulary } from "../kinds";
import type { Reading } from "../reading";
import { completionFrom } from "./complete";
import { colours, ruleLanguage } from "./language";
import { placesIn } from "./places";
import { theme } from "./theme";

export interface TextEditorProps {
  /** The id of the element that names it, and of the one that describes it. */
  labelledBy: string;
  describedBy: string;
  value: string;
  onChange: (text: string) => void;
  reading: Reading | null;
  vocabulary: Vocabulary | undefined;
  isReadOnly: boolean;
}

/** Marks what came from outside: nobody is told of it again. */
const fromOutside = Annotation.define<boolean>();

/** The page's policy allows styles with its nonce. */
function nonce() {
  const found = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
  return found ? [EditorView.cspNonce.of(found)] : [];
}

/** The part of two texts that differs: the rest, and the cursor in it, stays. */
export function difference(before: string, after: string): { from: number; to: number; insert: string } {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  let same = 0;
  while (same < shorter - from && before.at(-1 - same) === after.at(-1 - same)) same += 1;
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}

export default function TextEditor(props: TextEditorProps) {
  const { labelledBy, describedBy, value, reading, vocabulary, isReadOnly } = props;
  const { t } = useTranslation("rules");
  const frame = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const known = useRef<Vocabulary>(undefined);
  const changed = useEffectEvent((text: string) => props.onChange(text));
  const first = useEffectEvent(() => value);
  const words = useEffectEvent(() => ({ placeholder: t("textPlaceholder") }));
  const changing = useRef(new Compartment());
  useEffect(() => {
    known.current = vocabulary;
  }, [vocabulary]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const editor = new EditorView({
      parent: element,
      state: EditorState.create({
        doc: first(),
        extensions: [
          ...nonce(),
          theme,
          ruleLanguage,
          colours,
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ override: [completionFrom(() => known.current)], icons: false }),
          placeholder(words().placeholder),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            "aria-labelledby": labelledBy,
            "aria-describedby": describedBy,
            spellcheck: "false",
            autocapitalize: "off",
          }),
          changing.current.of([]),
          // Tab is the page's: it leaves the editor.
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
          EditorView.updateListener.of((update) => {
            const outside = update.transactions.some((transaction) => transaction.annotation(fromOutside));
            if (update.docChanged && !outside) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = undefined;
    };
  }, [labelledBy, describedBy]);
  useEffect(() => {
    const editable = [EditorState.readOnly.of(isReadOnly), EditorView.editable.of(!isReadOnly)];
    view.current?.dispatch({ effects: changing.current.reconfigure(isReadOnly ? [...editable, focusable] : editable) });
  }, [isReadOnly]);
  useEffect(() => {
    const editor = view.current;
    const before = editor?.state.doc.toString();
    if (!editor || before === undefined || before === value) return;
    editor.dispatch({ changes: difference(before, value), annotations: fromOutside.of(true) });
  }, [value]);
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    // Of a text that is on its way here nothing is said yet.
    const isSame = editor.state.doc.toString() === value;
    const found = reading === null || !isSame ? [] : placesIn(value, reading);
    const diagnostics = found.map(({ from, to, severity, message, help, instead }): Diagnostic => {
      const apply = (editor: EditorView, from: number, to: number) => {
        if (instead !== undefined) editor.dispatch({ changes: { from, to, insert: instead }, userEvent: "input.fix" });
      };
      const actions = instead === undefined ? [] : [{ name: t("write", { text: instead }), apply }];
      return { from, to, severity, message: [message, ...help].join("\n"), actions };
    });
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [reading, value, t]);
  return <div ref={frame} />;
}

/** What may not be edited can still have the focus: to be read and copied. */
const focusable = EditorView.contentAttributes.of({ tabindex: "0", "aria-readonly": "true" });
