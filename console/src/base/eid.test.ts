import { describe, expect, test } from "vitest";
import { readIdentifier } from "./eid";

// The published hashes that `src/collect/identifiers.rs` is held to, too.
const USER = "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=";
const JANE = "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8=";
const PHONE = "EObwtHBUqDNZR33LNSMdtt5cafsYFuGmuY4ZLenlue4=";

const uid = (source: string, text: string) => readIdentifier(source, text).eid?.uid;
const unfit = (source: string, text: string) => readIdentifier(source, text).unfit;

describe("an identifier before it is sent", () => {
  test.each([
    ["email", "user@example.com", USER],
    ["email", " USER@Example.COM\n", USER],
    ["Email", "JANE.SAOIRSE@gmail.com", JANE],
    ["email", "janesaoirse@gmail.com", JANE],
    ["email", "Jane.Saoirse+news.x@GMAIL.com", JANE],
    ["phone", "+12345678901", PHONE],
    ["phone", "+1 (234) 567-8901", PHONE],
    ["phone", "0012345678901", PHONE],
    ["phone", "+1.234.567.8901", PHONE],
  ])("is the published hash: %s %s", (source, text, hash) => {
    expect(uid(source, text)).toBe(hash);
  });

  test("may be the hash already", () => {
    expect(uid("email", USER)).toBe(USER);
    expect(uid("phone", PHONE)).toBe(PHONE);
    expect(unfit("email", USER.slice(0, 20))).toBe("email");
    expect(unfit("email", "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514")).toBe("email");
  });

  test("only gmail loses dots and suffixes", () => {
    expect(uid("email", "a.b@example.com")).not.toBe(uid("email", "ab@example.com"));
    expect(uid("email", "a+b@example.com")).not.toBe(uid("email", "a@example.com"));
  });

  test("is never an address or number as it was typed", () => {
    for (const [source, text] of [
      ["email", "ann@example.org"],
      ["phone", "+39 333 1234567"],
    ] as const) {
      expect(JSON.stringify(readIdentifier(source, text))).not.toMatch(/ann|333/);
    }
  });

  test.each(["user", "@example.com", "user@", "a@b@c", "a b@example.com", "+x@gmail.com", "...@gmail.com"])(
    "is no e-mail: %s",
    (text) => expect(unfit("email", text)).toBe("email"),
  );

  test.each(["2345678901", "+0123456789", "+12345", "+1234567890123456", "+1234x678901"])("is no phone: %s", (text) =>
    expect(unfit("phone", text)).toBe("phone"),
  );

  test("device ids are checked and in lower case, others stay as they are", () => {
    expect(uid("ifa", "123E4567-e89b-12d3-a456-426614174000")).toBe("123e4567-e89b-12d3-a456-426614174000");
    expect(unfit("ifa", "123e4567e89b12d3a456426614174000")).toBe("ifa");
    expect(unfit("ifa", "00000000-0000-0000-0000-000000000000")).toBe("zeroIfa");
    expect(readIdentifier(" CRM ", " C1 ")).toEqual({ eid: { source: "crm", uid: "C1" } });
    expect(unfit("crm", "  ")).toBe("empty");
    expect(unfit("", "C1")).toBe("source");
    expect(unfit("crm", "x".repeat(513))).toBe("long");
  });
});
