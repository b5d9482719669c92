/** What is done to the rows of a query: each returns a new one, the old one stays as it was. */
import { isGroup, newGroup, newId, type Group, type Leaf, type Node } from "./query";

/** Puts something else, or nothing, where a row or group is. */
export function replace(group: Group, id: string, by: (node: Node) => Node[]): Group {
  const rules = group.rules.flatMap((node) => {
    if (node.id === id) return by(node);
    return [isGroup(node) ? replace(node, id, by) : node];
  });
  return { ...group, rules };
}

/** Changes a row or a group, the outermost included. */
export function change(group: Group, id: string, to: Partial<Omit<Group, "id">> | Partial<Omit<Leaf, "id">>): Group {
  if (group.id === id) return { ...group, ...to } as Group;
  return replace(group, id, (node) => [{ ...node, ...to } as Node]);
}

export function append(group: Group, into: string, node: Node): Group {
  if (group.id === into) return { ...group, rules: [...group.rules, node] };
  return { ...group, rules: group.rules.map((each) => (isGroup(each) ? append(each, into, node) : each)) };
}

export function remove(group: Group, id: string): Group {
  return replace(group, id, () => []);
}

export function copyOf(node: Node): Node {
  return isGroup(node) ? { ...node, id: newId(), rules: node.rules.map(copyOf) } : { ...node, id: newId() };
}

/** Puts a group of its own around a row. */
export function wrap(group: Group, id: string): Group {
  return replace(group, id, (node) => [newGroup("any", [node])]);
}

/** Takes a group's rows out of it. */
export function unwrap(group: Group, id: string): Group {
  return replace(group, id, (node) => (isGroup(node) ? node.rules : [node]));
}

/** What is to have the focus when a row is gone: the one behind it, else the one before it, else its group. */
export function neighbour(group: Group, id: string): string {
  const parent = parentOf(group, id) ?? group;
  const at = parent.rules.findIndex((node) => node.id === id);
  return (parent.rules[at + 1] ?? parent.rules[at - 1] ?? parent).id;
}

function parentOf(group: Group, id: string): Group | undefined {
  if (group.rules.some((node) => node.id === id)) return group;
  for (const node of group.rules) {
    const found = isGroup(node) ? parentOf(node, id) : undefined;
    if (found) return found;
  }
  return undefined;
}

/**
 * Moves a row or group by one place: past its neighbour, into a group that is there, or out of its own group at the end of it.
 * The same query when there is nowhere to go.
 */
export function move(group: Group, id: string, by: -1 | 1): Group {
  const parent = parentOf(group, id);
  const at = parent?.rules.findIndex((node) => node.id === id) ?? -1;
  const node = parent?.rules[at];
  if (parent === undefined || node === undefined) return group;
  const other = parent.rules[at + by];
  const without = remove(group, id);
  if (other === undefined) {
    if (parent.id === group.id) return group;
    return replace(without, parent.id, (around) => (by < 0 ? [node, around] : [around, node]));
  }
  return replace(without, other.id, (beside) => {
    if (isGroup(beside)) return [{ ...beside, rules: by < 0 ? [...beside.rules, node] : [node, ...beside.rules] }];
    return by < 0 ? [node, beside] : [beside, node];
  });
}
