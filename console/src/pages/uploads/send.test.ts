import { describe, expect, test } from "vitest";
import { addressOf, daysOf, longest, rejectsAsCsv } from "./send";

const upload = { list: "acme/vip", mode: "add", file: new File([], "x.csv"), dryRun: false } as const;

describe("where a file is sent", () => {
  test("says mode, time to stay and type", () => {
    expect(addressOf({ ...upload, ttlDays: 30, idType: "crm" })).toBe(
      "/api/v1/lists/acme/vip/members?mode=add&dry_run=false&ttl_days=30&type=crm",
    );
  });

  test("says no time to stay for those who leave", () => {
    expect(addressOf({ ...upload, mode: "remove", dryRun: true, ttlDays: 30 })).toBe(
      "/api/v1/lists/acme/vip/members?mode=remove&dry_run=true",
    );
  });

  test("lets nothing that was typed reach into the path", () => {
    expect(addressOf({ ...upload, list: "acme/a?b" })).toContain("/lists/acme/a%3Fb/members?");
  });
});

test("rejects are told as CSV, quoted where they must be", () => {
  const rejects = [
    { line: 4, column: "uid", reason: "it is empty" },
    { line: 5, reason: 'no such type, known: "crm"' },
  ];
  expect(rejectsAsCsv(rejects, ["line", "column", "reason"])).toBe(
    'line,column,reason\r\n4,uid,it is empty\r\n5,,"no such type, known: ""crm"""\r\n',
  );
});

test("days are whole, and no more than the list keeps people", () => {
  expect(daysOf(" ", 180)).toBeUndefined();
  expect(daysOf("180", longest("target"))).toBe(180);
  expect(daysOf("181", longest("target"))).toBe("wrong");
  expect(daysOf("181", longest("suppress"))).toBe(181);
  expect(daysOf("0", 180)).toBe("wrong");
  expect(daysOf("1.5", 180)).toBe("wrong");
});
