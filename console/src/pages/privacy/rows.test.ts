import { expect, test } from "vitest";
import { rowsOf } from "./rows";

const USER = { source: "email", uid: "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=" };

test("lines are of the chosen type, or say theirs", () => {
  const rows = rowsOf('user@example.com\r\n\r\ncrm,C1\n"crm";"C2"\ncrm\tC3', "email");
  expect(rows.map(({ line, eid }) => [line, eid])).toEqual([
    [1, USER],
    [3, { source: "crm", uid: "C1" }],
    [4, { source: "crm", uid: "C2" }],
    [5, { source: "crm", uid: "C3" }],
  ]);
});

test("a head is passed over, and a mark at the start of a file", () => {
  expect(rowsOf("\uFEFFsource,uid\ncrm,C1", "email")).toEqual([
    { line: 2, source: "crm", text: "C1", eid: { source: "crm", uid: "C1" } },
  ]);
});

test("what is none, and what stood there before, is told by its line", () => {
  const rows = rowsOf("user@example.com\nnobody\nUSER@example.com\n,C1\ncrm,", "email");
  expect(rows.map(({ line, unfit }) => [line, unfit])).toEqual([
    [1, undefined],
    [2, "email"],
    [3, "repeated"],
    [4, "source"],
    [5, "empty"],
  ]);
});
