/**
 * A rule as react-querybuilder carries it: groups of rows. Every tree becomes a query and comes back as itself; a query that is
 * being edited may also have rows that say nothing yet.
 */
import { isFinished, whole } from "./finished";
import type { Tree } from "./tree";

export type Link = "all" | "any" | "at_least";
export type LeafTree = Exclude<Tree, { is: Link | "not" }>;

export interface Group {
  id: string;
  combinator: Link;
  /** Whoever the group is true of is not meant. */
  not: boolean;
  /** Of `at_least`. */
  n: number;
  rules: Node[];
}

export interface Leaf {
  id: string;
  /** react-querybuilder wants a field and an operator; what is asked is the value's. */
  field: "leaf";
  operator: "=";
  not: boolean;
  /** None until it is chosen what the row is about. */
  value: LeafTree | null;
  /** The row is edited as text. */
  asText?: boolean;
}

export type Node = Group | Leaf;

export function isGroup(node: Node): node is Group {
  return "rules" in node;
}

let made = 0;
export function newId(): string {
  made += 1;
  return `row-${made}`;
}

export function newLeaf(value: LeafTree | null = null, not = false): Leaf {
  return { id: newId(), field: "leaf", operator: "=", not, value };
}

export function newGroup(combinator: Link = "all", rules: Node[] = [], not = false, n = 1): Group {
  return { id: newId(), combinator, not, n, rules };
}

/** The rows of a tree; the outermost is always a group. */
export function queryOf(tree: Tree | null): Group {
  if (tree === null) return newGroup();
  const node = nodeOf(tree);
  return isGroup(node) ? node : newGroup("all", [node]);
}

/** A part of a tree as a row or a group. */
export function nodeOf(tree: Tree, not = false): Node {
  switch (tree.is) {
    case "all":
    case "any":
      return newGroup(
        tree.is,
        tree.of.map((part) => nodeOf(part)),
        not,
      );
    case "at_least":
      return newGroup(
        "at_least",
        tree.of.map((part) => nodeOf(part)),
        not,
        tree.n,
      );
    case "not":
      // `not not`: the outer one is a group's around the inner.
      return not ? newGroup("all", [nodeOf(tree.of, true)], true) : nodeOf(tree.of, true);
    default:
      return newLeaf(tree, not);
  }
}

export interface Written {
  /** What the finished rows say; none when there is no such row. */
  tree: Tree | null;
  /** How many rows, or parts of rows, do not count yet. */
  unfinished: number;
}

/** What a query says. */
export function treeOf(node: Node): Written {
  if (!isGroup(node)) return leafTree(node);
  const parts = node.rules.map(treeOf);
  const of = parts.flatMap((part) => (part.tree === null ? [] : [part.tree]));
  const own = groupTree(node, of);
  const unfinished = parts.reduce((sum, part) => sum + part.unfinished, 0);
  return { tree: own !== null && node.not ? { is: "not", of: own } : own, unfinished };
}

function groupTree(group: Group, of: Tree[]): Tree | null {
  if (group.combinator === "at_least") return of.length === 0 ? null : { is: "at_least", n: group.n, of };
  // `all` or `any` of one is that one.
  if (of.length < 2) return of[0] ?? null;
  return { is: group.combinator, of };
}

function leafTree(leaf: Leaf): Written {
  if (leaf.value === null || !isFinished(leaf.value)) return { tree: null, unfinished: 1 };
  const { value, left } = whole(leaf.value);
  return { tree: leaf.not ? { is: "not", of: value } : value, unfinished: left };
}

/**
 * The same query with the names that its rows had before, where a row at the same place says the same or is of the same sort: so that
 * what is on the screen stays there when the text changes elsewhere.
 */
export function keepNames(fresh: Group, before: Group): Group {
  return { ...fresh, id: before.id, rules: fresh.rules.map((node, at) => keepName(node, before.rules[at])) };
}

function keepName(node: Node, before: Node | undefined): Node {
  if (before === undefined || isGroup(node) !== isGroup(before)) return node;
  if (isGroup(node)) return isGroup(before) ? keepNames(node, before) : node;
  return { ...node, id: before.id };
}
