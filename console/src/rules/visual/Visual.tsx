/** The rows of a rule. A chunk of its own: react-querybuilder carries them, every control is the kit's. */
import { memo, useEffect, useMemo, useRef } from "react";
import { QueryBuilder, type RuleGroupType } from "react-querybuilder";
import { move } from "../edits";
import type { Vocabulary } from "../kinds";
import type { Group } from "../query";
import { GroupOf, RuleOf } from "./GroupOf";
import { BuilderContext, type Builder, type Spot } from "./context";

export interface VisualProps {
  query: Group;
  edit: (by: (query: Group) => Group) => void;
  vocabulary: Vocabulary;
  owner: string | undefined;
  isReadOnly: boolean;
}

const controls = { ruleGroup: GroupOf, rule: RuleOf };
const COMBINATORS = ["all", "any", "at_least"].map((name) => ({ name, label: name }));
const FIELDS = [{ name: "leaf", label: "leaf" }];

const SPOTS: Record<Spot, string> = {
  subject: "input",
  menu: ":scope > [data-tools] button, :scope > * > [data-tools] button",
  add: ":scope > :last-child button",
};

function Visual({ query, edit, vocabulary, owner, isReadOnly }: VisualProps) {
  const frame = useRef<HTMLDivElement>(null);
  const wanted = useRef<{ id: string; spot: Spot }>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return undefined;
    const { id, spot } = wanted.current;
    // A menu that closes gives the focus back first.
    const timer = setTimeout(() => {
      wanted.current = undefined;
      const row = frame.current?.querySelector(`[data-row="${id}"]`);
      const target = row?.querySelector<HTMLElement>(SPOTS[spot]) ?? row?.querySelector<HTMLElement>(SPOTS.add);
      target?.focus();
    }, 60);
    return () => clearTimeout(timer);
  });
  useEffect(() => {
    const element = frame.current;
    if (!element || isReadOnly) return undefined;
    /** Alt, Shift and an arrow move the row or group that has the focus. */
    const onKey = (event: KeyboardEvent) => {
      const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
      const id = event.target instanceof Element ? event.target.closest("[data-row]")?.getAttribute("data-row") : null;
      if (by === 0 || !id || !event.altKey || !event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      edit((query) => move(query, id, by));
      wanted.current = { id, spot: "menu" };
    };
    element.addEventListener("keydown", onKey, { capture: true });
    return () => element.removeEventListener("keydown", onKey, { capture: true });
  }, [edit, isReadOnly]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    /** Enter in a row's field ends that field: it does not send the form that the rule stands in. */
    const onEnter = (event: KeyboardEvent) => {
      if (event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault();
    };
    element.addEventListener("keypress", onEnter);
    return () => element.removeEventListener("keypress", onEnter);
  }, []);
  const builder = useMemo<Builder>(
    () => ({ vocabulary, owner, isReadOnly, edit, focus: (id, spot) => (wanted.current = { id, spot }) }),
    [vocabulary, owner, isReadOnly, edit],
  );
  return (
    <BuilderContext value={builder}>
      <div ref={frame}>
        <QueryBuilder
          query={query as unknown as RuleGroupType}
          onQueryChange={() => {}}
          enableMountQueryChange={false}
          fields={FIELDS}
          combinators={COMBINATORS}
          controlElements={controls}
        />
      </div>
    </BuilderContext>
  );
}

/** What is typed in the text draws the rows again only once it is read. */
export default memo(Visual);
