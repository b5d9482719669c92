import { expect, test } from "vitest";
import { Problem } from "../../api/client";
import { faultOf, formatsFor, missing, requestOf, toggled, type Wish } from "./asking";

const wish: Wish = {
  audience: "acme/vip",
  format: "csv",
  destination: "partner",
  ids: ["email"],
  delta: true,
  objectors: true,
  days: "7",
  comment: "  ",
};

test("what a format or a kind of audience has no use for is not asked", () => {
  expect(requestOf(wish, "target")).toEqual({
    audience: "acme/vip",
    format: "csv",
    destination: "partner",
    delta: true,
    ids: ["email"],
    include_objectors: false,
    expires_days: 7,
  });
  const list = requestOf({ ...wish, format: "suppression", comment: " why " }, "suppress");
  expect(list).toMatchObject({ delta: false, include_objectors: true, expires_days: 7, comment: "why" });
  expect(requestOf({ ...wish, format: "roaring" }, "target")).toMatchObject({ delta: false, ids: [] });
});

test("a suppression list is offered only for audiences to leave alone", () => {
  expect(formatsFor("target")).not.toContain("suppression");
  expect(formatsFor("suppress")).toContain("suppression");
});

test("what is not said yet is named; days count for suppression lists alone", () => {
  expect(missing({ ...wish, audience: null, destination: null })).toEqual(["audience", "destination"]);
  expect(missing({ ...wish, days: "x" })).toEqual([]);
  for (const days of ["", "0", "91", "1.5", "x"]) {
    expect(missing({ ...wish, format: "suppression", days })).toEqual(["days"]);
  }
});

test("types of identifiers come and go; all of them are as good as none chosen", () => {
  expect(toggled(["a", "b", "c"], ["a", "b", "c"], "b")).toEqual(["a", "c"]);
  expect(toggled(["a", "b", "c"], ["c"], "a")).toEqual(["a", "c"]);
  expect(toggled(["a", "b", "c"], ["a", "c"], "b")).toEqual([]);
});

test("a refusal is shown at its field", () => {
  const errors = [{ detail: "no such destination", field: "/destination" }];
  const problem = new Problem({ status: 400, code: "invalid", detail: "x", errors });
  expect(faultOf(problem, "destination")).toBe("no such destination");
  expect(faultOf(problem, "ids")).toBeUndefined();
  expect(faultOf(new Error("x"), "destination")).toBeUndefined();
});
