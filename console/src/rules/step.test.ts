import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { change, remove } from "./edits";
import { treeOf } from "./query";
import type { Reading } from "./reading";
import { Steps } from "./step";
import type { Tree } from "./tree";

const vip: Tree = { is: "trait", name: "vip", test: { op: "is_true" } };
const young: Tree = { is: "trait", name: "young", test: { op: "is_true" } };
const trees: Record<string, Tree> = {
  vip,
  young,
  "not vip": { is: "not", of: vip },
  "vip and young": { is: "all", of: [vip, young] },
};

let asked: unknown[] = [];
/** A server that knows four rules. */
function answer(question: { rule?: string; tree?: Tree }): Reading {
  asked.push(question);
  const key = JSON.stringify(question.tree);
  const text = question.rule ?? Object.keys(trees).find((text) => JSON.stringify(trees[text]) === key) ?? null;
  const tree = (text !== null && trees[text]) || null;
  const errors = tree === null ? [{ detail: "what is that?" }] : [];
  return { rule: tree === null ? null : text, tree, errors, warnings: [] };
}

let steps: Steps;
let texts: string[];
const rows = () => treeOf(steps.snapshot().query).tree;
const row = (at: number) => steps.snapshot().query.rules[at]?.id ?? "";

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  texts = [];
  vi.stubGlobal("fetch", (_: string, init: RequestInit) =>
    Promise.resolve(Response.json(answer(JSON.parse(String(init.body)) as { rule?: string; tree?: Tree }))),
  );
  steps = new Steps();
  // As the page does: what is written becomes the value, which is read again.
  steps.listen((text) => {
    texts.push(text);
    steps.read(text, "acme");
  });
});
afterEach(() => vi.useRealTimers());

const pass = (ms = 1_000) => vi.advanceTimersByTimeAsync(ms);

describe("the two sides of a rule", () => {
  test("the rows follow the text, once it rests", async () => {
    steps.read("vip", "acme");
    await pass();
    expect(rows()).toEqual(vip);
    for (const text of ["vip a", "vip an", "vip and", "vip and young"]) {
      steps.read(text, "acme");
      await pass(40);
    }
    await pass();
    expect(rows()).toEqual(trees["vip and young"]);
    expect(asked).toEqual([
      { rule: "vip", owner: "acme" },
      { rule: "vip and young", owner: "acme" },
    ]);
    expect(texts).toEqual([]);
  });

  test("the text follows the rows, and goes round no further", async () => {
    steps.read("vip", "acme");
    await pass();
    steps.edit((query) => change(query, row(0), { not: true }));
    expect(rows()).toEqual(trees["not vip"]);
    await pass();
    expect(texts).toEqual(["not vip"]);
    expect(asked).toHaveLength(2);
  });

  test("rows that come back to what they were ask nothing", async () => {
    steps.read("vip", "acme");
    await pass();
    steps.edit((query) => change(query, row(0), { not: true }));
    await pass(50);
    steps.edit((query) => change(query, row(0), { not: false }));
    await pass();
    expect(asked).toHaveLength(1);
    expect(texts).toEqual([]);
  });

  test("what is typed while rows are being written wins", async () => {
    steps.read("vip", "acme");
    await pass();
    steps.edit((query) => change(query, row(0), { not: true }));
    await pass(100);
    steps.read("young", "acme");
    await pass();
    expect(texts).toEqual([]);
    expect(rows()).toEqual(young);
  });

  test("a text with errors leaves the last good rows, and says so", async () => {
    steps.read("vip", "acme");
    await pass();
    steps.read("vip or", "acme");
    await pass();
    expect(rows()).toEqual(vip);
    expect(steps.snapshot().behind).toBe("errors");
    expect(steps.snapshot().reading?.errors).toHaveLength(1);
    steps.read("young", "acme");
    await pass();
    expect(steps.snapshot().behind).toBe("no");
  });

  test("no rows are no text, and the other way round", async () => {
    steps.read("vip", "acme");
    await pass();
    steps.edit((query) => remove(query, row(0)));
    await pass();
    expect(texts).toEqual([""]);
    steps.read("young", "acme");
    await pass();
    steps.read("  ", "acme");
    expect(rows()).toBeNull();
    expect(asked).toHaveLength(2);
  });

  test("a server that does not answer can be asked again", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    steps.read("vip", "acme");
    await pass();
    expect(steps.snapshot().failed?.message).toMatch(/does not answer/);
    vi.stubGlobal("fetch", (_: string, init: RequestInit) =>
      Promise.resolve(Response.json(answer(JSON.parse(String(init.body)) as { rule?: string }))),
    );
    steps.retry();
    await pass();
    expect(rows()).toEqual(vip);
    expect(steps.snapshot().failed).toBeNull();
  });

  test("it is known while the rows say what the text does not yet", async () => {
    steps.read("vip", "acme");
    await pass();
    expect(steps.snapshot().writing).toBe(false);
    steps.edit((query) => change(query, row(0), { not: true }));
    expect(steps.snapshot().writing).toBe(true);
    expect(texts).toEqual([]);
    await pass();
    expect(texts).toEqual(["not vip"]);
    expect(steps.snapshot().writing).toBe(false);
    steps.edit((query) => change(query, row(0), { not: false }));
    steps.read("young", "acme");
    expect(steps.snapshot().writing).toBe(false);
  });
});
