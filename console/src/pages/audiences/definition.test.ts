import { describe, expect, test } from "vitest";
import { emptyForm, faultsByField, fieldAt, formOf, idOf, isId, textOf } from "./definition";

const TEXT = `id: gold
owner: acme
name: "Gold, and more"
kind: target
rule: |
  age > 30
  and not minor
segment: { taxonomy: 4, id: "0560", cattax: 7 }
tags: [q4, new]
share: [globex, initech]
valid_from: 2026-12-01
later: { we: do not know }
`;

describe("a definition in the form", () => {
  test("has every field where it belongs", () => {
    expect(formOf(TEXT)).toEqual({
      ...emptyForm("acme"),
      id: "gold",
      name: "Gold, and more",
      rule: "age > 30\nand not minor",
      taxonomy: "4",
      segment: "0560",
      tags: "q4, new",
      share: "some",
      shareWith: "globex, initech",
      from: "2026-12-01",
    });
  });

  test("comes out as it went in, with what the form does not know", () => {
    const again = textOf(formOf(TEXT), TEXT);
    expect(formOf(again)).toEqual(formOf(TEXT));
    expect(again).toContain("later: { we: do not know }");
    expect(again).toContain('id: "0560", cattax: 7');
  });

  test("loses what was taken out of it", () => {
    const form = { ...formOf(TEXT), tags: "", taxonomy: "", segment: "", share: "all" as const, from: "" };
    const text = textOf(form, TEXT);
    expect(text).not.toMatch(/tags|segment|valid_from|globex/);
    expect(text).toContain("share: all");
  });

  test("keeps an id of digits a text, and a floor a number", () => {
    const form = { ...emptyForm("acme"), id: "42", name: "yes", taxonomy: "4", segment: "560", floor: "100" };
    const text = textOf(form);
    expect(text).toContain('id: "42"');
    expect(text).toContain('id: "560"');
    expect(text).toContain("floor: 100");
    expect(formOf(text)).toMatchObject({ id: "42", name: "yes", segment: "560", floor: "100" });
  });

  test("is a rule or a list, never both", () => {
    const list = textOf({ ...formOf(TEXT), made: "list", ttl: "30 days" }, TEXT);
    expect(list).toContain("list: true");
    expect(list).not.toContain("rule");
    expect(textOf({ ...formOf(list), made: "rule", rule: "minor" }, list)).not.toMatch(/list|ttl/);
  });
});

describe("errors", () => {
  test("are told at their field", () => {
    expect(fieldAt(TEXT, 6, 4)).toBe("rule");
    expect(fieldAt(TEXT, 8, 13)).toBe("taxonomy");
    expect(fieldAt(TEXT, 8, 26)).toBe("segment");
    const faults = [
      { detail: "there is no trait `agee`", help: "write `age`", line: 6, column: 3, field: "/definitions" },
      { detail: "elsewhere", file: "other.yaml", line: 6, column: 3 },
    ];
    const told = faultsByField(TEXT, faults);
    expect(told.fields).toEqual({ rule: "There is no trait `agee`: write `age`." });
    expect(told.others).toHaveLength(1);
  });
});

test("ids are made from names", () => {
  expect(idOf("  Più giovani, 18–34!  ")).toBe("piu-giovani-18-34");
  expect(isId(idOf("Need a new phone now"))).toBe(true);
  expect(isId("")).toBe(false);
  expect(isId("a b")).toBe(false);
});
