/**
 * Keeps the two sides of a rule in step. The text is the value. What is typed is read into rows; what is changed in the rows shows at
 * once and is written as text a moment later. The last side that was touched wins; answers to what has changed since are dropped.
 */
import { useEffect, useState, useSyncExternalStore } from "react";
import { keepNames, queryOf, treeOf, type Group } from "./query";
import { readRule, type Reading, type ToRead } from "./reading";

/** How long is waited for the next keystroke, and for a row that is being filled in. */
const PAUSE = 150;
const UNFINISHED = 700;

export interface Standing {
  query: Group;
  /** What the server said of the rule as it stands; none while it is asked, or when there is no rule. */
  reading: Reading | null;
  /** Whether the rows are not those of the text: it has errors, or could not be read yet. */
  behind: "no" | "reading" | "errors";
  /** Why the server could not be asked. */
  failed: Error | null;
  /** Rows, or parts of rows, that do not count yet. */
  unfinished: number;
  /** The rows were changed, and the text does not say it yet. */
  writing: boolean;
}

export class Steps {
  private standing: Standing = {
    query: queryOf(null),
    reading: null,
    behind: "reading",
    failed: null,
    unfinished: 0,
    writing: false,
  };
  private readonly listeners = new Set<() => void>();
  private changed: (text: string) => void = () => {};
  private owner: string | undefined;
  /** The text both sides agree on, and the tree that was last read or written. */
  private text: string | undefined;
  private tree = "null";
  /** What was last said of that text. */
  private said: Reading | null = null;
  private waiting: AbortController | undefined;
  private again: () => void = () => {};

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Standing => this.standing;

  /** Who is told of texts that the rows were written as. */
  listen(changed: (text: string) => void): void {
    this.changed = changed;
  }

  /** Somebody typed, or the text came from elsewhere. */
  readonly read = (text: string, owner: string | undefined): void => {
    if (this.text === text && this.owner === owner) return;
    const first = this.text === undefined;
    this.text = text;
    this.owner = owner;
    this.waiting?.abort();
    if (this.standing.writing) this.show({ writing: false });
    if (text.trim() === "") {
      this.tree = "null";
      this.said = null;
      this.show({ query: queryOf(null), reading: null, behind: "no", failed: null });
      return;
    }
    this.show({ reading: null, behind: this.standing.behind === "errors" ? "errors" : "reading" });
    this.later(first ? 0 : PAUSE, { rule: text }, (answer) => {
      this.said = answer;
      if (answer.tree === null) {
        this.show({ reading: answer, behind: "errors" });
        return;
      }
      this.tree = JSON.stringify(answer.tree);
      this.show({ query: keepNames(queryOf(answer.tree), this.standing.query), reading: answer, behind: "no" });
    });
  };

  /** Somebody changed the rows. */
  readonly edit = (by: (query: Group) => Group): void => {
    const query = by(this.standing.query);
    if (query === this.standing.query) return;
    this.show({ query });
    const { tree, unfinished } = treeOf(query);
    const key = JSON.stringify(tree);
    this.waiting?.abort();
    if (key === this.tree) {
      this.show({ reading: this.said, writing: false });
      return;
    }
    if (tree === null) {
      this.said = null;
      this.show({ reading: null, writing: false });
      this.write("", key);
      return;
    }
    this.show({ writing: true });
    this.later(unfinished > 0 ? UNFINISHED : PAUSE, { tree }, (answer) => {
      if (answer.rule !== null) {
        this.said = answer;
        this.write(answer.rule, key);
      }
      this.show({ reading: answer, writing: false });
    });
  };

  readonly retry = (): void => {
    this.show({ failed: null });
    this.again();
  };

  /** Asks nothing more; the next `read` begins anew. */
  readonly stop = (): void => {
    this.waiting?.abort();
    this.text = undefined;
  };

  private write(text: string, tree: string): void {
    this.tree = tree;
    if (text === this.text) return;
    this.text = text;
    this.changed(text);
  }

  private show(change: Partial<Standing>): void {
    const next = { ...this.standing, ...change };
    this.standing = change.query ? { ...next, unfinished: treeOf(change.query).unfinished } : next;
    for (const listener of this.listeners) listener();
  }

  private later(pause: number, question: ToRead, then: (answer: Reading) => void): void {
    const now = new AbortController();
    this.waiting = now;
    this.again = () => this.later(0, question, then);
    const owned = this.owner === undefined ? question : { ...question, owner: this.owner };
    const answer = (reading: Reading) => {
      if (now.signal.aborted) return;
      this.show({ failed: null });
      then(reading);
    };
    const fail = (failed: Error) => {
      if (!now.signal.aborted) this.show({ failed });
    };
    const timer = setTimeout(() => void readRule(owned, now.signal).then(answer, fail), pause);
    now.signal.addEventListener("abort", () => clearTimeout(timer));
  }
}

export function useInStep(value: string, onChange: (text: string) => void, owner: string | undefined) {
  const [steps] = useState(() => new Steps());
  useEffect(() => steps.listen(onChange), [steps, onChange]);
  useEffect(() => steps.read(value, owner), [steps, value, owner]);
  useEffect(() => steps.stop, [steps]);
  const standing = useSyncExternalStore(steps.subscribe, steps.snapshot);
  return { ...standing, edit: steps.edit, retry: steps.retry };
}
