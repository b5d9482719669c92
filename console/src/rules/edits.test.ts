import { describe, expect, test } from "vitest";
import { append, change, copyOf, move, neighbour, remove, unwrap, wrap } from "./edits";
import { isGroup, newGroup, newLeaf, type Group, type Node } from "./query";

/** `a b (c d) e` */
function world() {
  const rows = ["a", "b", "c", "d", "e"].map((id) => newLeaf({ is: "audience", id }));
  const [a, b, c, d, e] = rows as [Node, Node, Node, Node, Node];
  const inner = newGroup("any", [c, d]);
  return { query: newGroup("all", [a, b, inner, e]), a, b, c, d, e, inner };
}

function shape(node: Node): string {
  if (isGroup(node)) return `(${node.rules.map(shape).join(" ")})`;
  return node.value?.is === "audience" ? node.value.id : "?";
}

function all(group: Group, id: string, by: -1 | 1): string[] {
  const seen: string[] = [];
  for (let query = group; ;) {
    const next = move(query, id, by);
    if (next === query) return seen;
    seen.push(shape(next));
    query = next;
  }
}

describe("rows", () => {
  test("move down through groups to the end, and up again", () => {
    const { query, a, e } = world();
    expect(all(query, a.id, 1)).toEqual([
      "(b a (c d) e)",
      "(b (a c d) e)",
      "(b (c a d) e)",
      "(b (c d a) e)",
      "(b (c d) a e)",
      "(b (c d) e a)",
    ]);
    expect(all(query, e.id, -1)).toEqual([
      "(a b (c d e))",
      "(a b (c e d))",
      "(a b (e c d))",
      "(a b e (c d))",
      "(a e b (c d))",
      "(e a b (c d))",
    ]);
  });

  test("can be put into a group and taken out", () => {
    const { query, b, inner } = world();
    expect(shape(wrap(query, b.id))).toBe("(a (b) (c d) e)");
    expect(shape(unwrap(query, inner.id))).toBe("(a b c d e)");
  });

  test("are removed, wherever they are, and the focus goes on", () => {
    const { query, c, d, e, inner } = world();
    expect(shape(remove(query, c.id))).toBe("(a b (d) e)");
    expect(shape(remove(query, inner.id))).toBe("(a b e)");
    expect(neighbour(query, c.id)).toBe(d.id);
    expect(neighbour(query, d.id)).toBe(c.id);
    expect(neighbour(query, e.id)).toBe(inner.id);
    expect(neighbour(remove(query, c.id), d.id)).toBe(inner.id);
  });

  test("are added and changed without touching the others", () => {
    const { query, d, a, inner } = world();
    const more = append(query, inner.id, newLeaf());
    expect(shape(more)).toBe("(a b (c d ?) e)");
    expect(more.rules[0]).toBe(a);
    expect(change(query, query.id, { not: true }).not).toBe(true);
    const negated = change(query, d.id, { not: true });
    expect(isGroup(negated.rules[2] as Node) && (negated.rules[2] as Group).rules[1]?.not).toBe(true);
    expect(query.rules[2]).toBe(inner);
  });

  test("copied have names of their own", () => {
    const { inner } = world();
    const copy = copyOf(inner) as Group;
    expect(shape(copy)).toBe(shape(inner));
    expect(copy.id).not.toBe(inner.id);
    expect(copy.rules[0]?.id).not.toBe(inner.rules[0]?.id);
  });
});
