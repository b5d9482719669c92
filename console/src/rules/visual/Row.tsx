import { Ellipsis } from "lucide-react";
import { ToggleButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { ComboBox, type Choice } from "../../ui/Fields";
import { Menu, type Action } from "../../ui/Menu";
import { change, copyOf, move, neighbour, remove, replace, unwrap, wrap } from "../edits";
import { eventHasFields, hasFields, newEvent, newTrait, traitOf, type Vocabulary } from "../kinds";
import { isGroup, type Leaf, type LeafTree, type Node } from "../query";
import { sentence } from "../sentence";
import { EventFields, VerbField } from "./EventFields";
import { TestFields } from "./TestFields";
import { TextRow } from "./TextRow";
import styles from "./Visual.module.css";
import { useBuilder } from "./context";
import { NumberBox, TextBox } from "./values";

/** One condition: reads like a sentence, from left to right. */
export function Row({ leaf }: { leaf: Leaf }) {
  const { t } = useTranslation("rules");
  const { vocabulary, edit, isReadOnly } = useBuilder();
  const put = (value: LeafTree | null) => edit((query) => change(query, leaf.id, { value }));
  const formed = leaf.value === null || formHas(vocabulary, leaf.value);
  const asText = leaf.asText === true || !formed;
  return (
    <div
      className={styles.row}
      role="group"
      aria-label={sentence(t, leaf.value, leaf.not, vocabulary)}
      data-row={leaf.id}
    >
      <div className={styles.fields} inert={isReadOnly}>
        <Not node={leaf} />
        {asText ? <TextRow leaf={leaf} /> : <Fields leaf={leaf} put={put} />}
      </div>
      {!isReadOnly && <Tools node={leaf} formed={formed} />}
    </div>
  );
}

/** Whether there are fields for what a row says. */
function formHas(vocabulary: Vocabulary, leaf: LeafTree): boolean {
  if (leaf.is === "trait") return hasFields(traitOf(vocabulary, leaf.name)?.kind, leaf.test);
  return leaf.is !== "event" || eventHasFields(vocabulary, leaf);
}

function Fields({ leaf, put }: { leaf: Leaf; put: (value: LeafTree | null) => void }) {
  const { value } = leaf;
  return (
    <>
      {value?.is === "event" && <VerbField event={value} onChange={put} />}
      <Subject key="subject" leaf={leaf} />
      {value !== null && <Rest value={value} put={put} />}
    </>
  );
}

function Rest({ value, put }: { value: LeafTree; put: (value: LeafTree) => void }) {
  const { t } = useTranslation("rules");
  const { vocabulary } = useBuilder();
  switch (value.is) {
    case "everyone":
      return null;
    case "event":
      return <EventFields event={value} onChange={put} />;
    case "trait": {
      const known = traitOf(vocabulary, value.name);
      if (known === undefined) return null;
      return (
        <TestFields name={value.name} known={known} test={value.test} onChange={(test) => put({ ...value, test })} />
      );
    }
    case "audience":
      return (
        <span className={styles.wide}>
          <ComboBox
            label={t("whichAudience")}
            hideLabel
            placeholder={t("whichAudience")}
            value={value.id === "" ? null : value.id}
            choices={audienceChoices(vocabulary, value.id)}
            onChange={(id) => put({ is: "audience", id: id ?? "" })}
          />
        </span>
      );
    case "sample":
      return (
        <>
          <NumberBox label={t("percent")} value={value.percent} onChange={(percent) => put({ ...value, percent })} />
          <span>{t("percentOf")}</span>
          <TextBox label={t("sampleName")} value={value.name} onChange={(name) => put({ ...value, name })} />
        </>
      );
  }
}

function audienceChoices(vocabulary: Vocabulary, chosen: string): Choice[] {
  const choices = vocabulary.audiences.map(({ id, name }) => ({ id, name, note: id }));
  const known = chosen === "" || choices.some(({ id }) => id === chosen);
  return known ? choices : [...choices, { id: chosen, name: chosen }];
}

/** What the row is about: a trait, an event, an audience and so on, found by typing. */
function Subject({ leaf }: { leaf: Leaf }) {
  const { t } = useTranslation("rules");
  const { vocabulary, edit } = useBuilder();
  const choices: Choice[] = [
    ...vocabulary.traits.map(({ name, kind }) => ({ id: `t:${name}`, name, note: t(`kinds.${kind as "flag"}`) })),
    ...vocabulary.events.map(({ name }) => ({ id: `e:${name}`, name, note: t("kinds.event") })),
    { id: "is:audience", name: t("subjects.audience"), note: t("subjects.audienceNote") },
    { id: "is:sample", name: t("subjects.sample"), note: t("subjects.sampleNote") },
    { id: "is:everyone", name: t("subjects.everyone") },
    { id: "is:text", name: t("subjects.text"), note: t("subjects.textNote") },
  ];
  const choose = (id: string | null) => {
    if (id === null || id === subjectOf(leaf.value)) return;
    edit((query) => change(query, leaf.id, id === "is:text" ? { asText: true } : { value: newValue(vocabulary, id) }));
  };
  return (
    <span className={`${styles.wide} ${styles.subject}`}>
      <ComboBox
        label={t("subject")}
        hideLabel
        placeholder={t("chooseSubject")}
        value={subjectOf(leaf.value)}
        choices={choices}
        onChange={choose}
      />
    </span>
  );
}

function subjectOf(value: LeafTree | null): string | null {
  if (value === null) return null;
  if (value.is === "trait") return `t:${value.name}`;
  return value.is === "event" ? `e:${value.name}` : `is:${value.is}`;
}

function newValue(vocabulary: Vocabulary, id: string): LeafTree {
  if (id.startsWith("t:")) return newTrait(vocabulary, id.slice(2));
  if (id.startsWith("e:")) return newEvent(id.slice(2));
  if (id === "is:audience") return { is: "audience", id: "" };
  return id === "is:sample" ? { is: "sample", percent: 10, name: "" } : { is: "everyone" };
}

/** Turns a row or a group round. */
export function Not({ node }: { node: Node }) {
  const { t } = useTranslation("rules");
  const { edit } = useBuilder();
  return (
    <ToggleButton
      className={styles.not ?? ""}
      isSelected={node.not}
      onChange={(not) => edit((query) => change(query, node.id, { not }))}
      aria-label={t("negate")}
    >
      {t("not")}
    </ToggleButton>
  );
}

/** What can be done to a row or a group. */
export function Tools({ node, formed }: { node: Node; formed?: boolean }) {
  const { t } = useTranslation("rules");
  const { edit, focus, vocabulary } = useBuilder();
  const to = (by: -1 | 1) => () => {
    edit((query) => move(query, node.id, by));
    focus(node.id, "menu");
  };
  const actions: Action[] = [
    { id: "up", name: t("moveUp"), keys: "Alt+Shift+↑", run: to(-1) },
    { id: "down", name: t("moveDown"), keys: "Alt+Shift+↓", run: to(1) },
    {
      id: "copy",
      name: t("duplicate"),
      run: () => {
        const copy = copyOf(node);
        edit((query) => replace(query, node.id, (found) => [found, copy]));
        focus(copy.id, "menu");
      },
    },
    isGroup(node)
      ? {
          id: "unwrap",
          name: t("ungroup"),
          run: () => {
            edit((query) => unwrap(query, node.id));
            const first = node.rules[0];
            if (first) focus(first.id, "menu");
          },
        }
      : {
          id: "wrap",
          name: t("group"),
          run: () => {
            edit((query) => wrap(query, node.id));
            focus(node.id, "menu");
          },
        },
  ];
  if (!isGroup(node) && formed) {
    const asText = node.asText !== true;
    const name = asText ? t("asTextRow") : t("asFields");
    const run = () => edit((query) => change(query, node.id, { asText }));
    actions.push({ id: "text", name, run });
  }
  actions.push({
    id: "remove",
    name: t("removeRow"),
    run: () =>
      edit((query) => {
        focus(neighbour(query, node.id), "menu");
        return remove(query, node.id);
      }),
  });
  const label = isGroup(node)
    ? t("groupOf", { label: t(`links.${node.combinator}`, { n: node.n }) })
    : sentence(t, node.value, node.not, vocabulary);
  return (
    <span className={styles.tools} data-tools>
      <Menu label={t("actionsOf", { label })} picture={<Ellipsis size={18} aria-hidden />} actions={actions} />
    </span>
  );
}
