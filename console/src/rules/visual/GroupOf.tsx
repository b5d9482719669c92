import { Plus } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { RuleGroupProps, RuleProps } from "react-querybuilder";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Fields";
import { append, change } from "../edits";
import { isGroup, newGroup, newLeaf, type Group, type Leaf, type Link, type Node } from "../query";
import { Not, Row, Tools } from "./Row";
import styles from "./Visual.module.css";
import { useBuilder } from "./context";
import { NumberBox } from "./values";

/**
 * react-querybuilder hands down the rows that `query.ts` made. A row is drawn again when it says something else, not with every keystroke
 * in another one: lists of traits and audiences take their time.
 */
export const RuleOf = memo(
  ({ rule }: RuleProps) => <Row leaf={rule as unknown as Leaf} />,
  (before, after) => before.rule === after.rule,
);
RuleOf.displayName = "RuleOf";

export function GroupOf(props: RuleGroupProps) {
  const group = props.ruleGroup as unknown as Group;
  const { schema, path } = props;
  const { ruleGroup: Inner, rule: Each } = schema.controls;
  const below = (node: Node, at: number) => {
    const shared = { ...props, id: node.id, path: [...path, at] };
    return isGroup(node) ? <Inner {...shared} ruleGroup={node} /> : <Each {...shared} rule={node} />;
  };
  return <Rows group={group} isOuter={path.length === 0} below={below} />;
}

interface RowsProps {
  group: Group;
  isOuter: boolean;
  below: (node: Node, at: number) => React.ReactNode;
}

const LINKS: readonly Link[] = ["all", "any", "at_least"];

function Rows({ group, isOuter, below }: RowsProps) {
  const { t } = useTranslation("rules");
  const { edit, focus, isReadOnly } = useBuilder();
  const add = (node: Node, focused: Node) => {
    edit((query) => append(query, group.id, node));
    focus(focused.id, "subject");
  };
  const addGroup = () => {
    const row = newLeaf();
    add(newGroup(group.combinator === "any" ? "all" : "any", [row]), row);
  };
  const addRow = () => {
    const row = newLeaf();
    add(row, row);
  };
  const label = `${group.not ? `${t("not")} ` : ""}${t(`links.${group.combinator}`, { n: group.n })}`;
  return (
    <div className={isOuter ? styles.outer : styles.group} role="group" aria-label={label} data-row={group.id}>
      <div className={styles.head}>
        <div className={styles.fields} inert={isReadOnly}>
          {isOuter && <span>{t("peopleFor")}</span>}
          <Not node={group} />
          <Select
            label={t("link")}
            hideLabel
            value={group.combinator}
            choices={LINKS.map((id) => ({ id, name: t(`links.${id}`, { n: "N" }) }))}
            onChange={(link) => edit((query) => change(query, group.id, { combinator: link as Link }))}
          />
          {group.combinator === "at_least" && (
            <NumberBox
              label={t("howMany")}
              value={group.n}
              onChange={(n) => Number.isInteger(n) && n > 0 && edit((query) => change(query, group.id, { n }))}
            />
          )}
        </div>
        {!isOuter && !isReadOnly && <Tools node={group} />}
      </div>
      {group.rules.length > 0 && (
        <ul className={styles.rows}>
          {group.rules.map((node, at) => (
            <li key={node.id}>{below(node, at)}</li>
          ))}
        </ul>
      )}
      {!isReadOnly && (
        <div className={styles.adders}>
          <Button small onPress={addRow}>
            <Plus size={16} aria-hidden /> {t("addRow")}
          </Button>
          <Button small look="quiet" onPress={addGroup}>
            <Plus size={16} aria-hidden /> {t("addGroup")}
          </Button>
        </div>
      )}
    </div>
  );
}
