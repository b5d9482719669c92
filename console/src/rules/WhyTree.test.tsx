import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { joined, reasons, type Why } from "./why";
import { WhyTree } from "./WhyTree";

const leaf = (rule: string, holds: boolean): Why => ({ rule, holds, fact: `${rule} is known` });

function of(by: "and" | "or", holds: boolean, ...parts: Why[]): Why {
  return { rule: parts.map((part) => part.rule).join(` ${by} `), holds, parts };
}

describe("what decided", () => {
  const [yes, no, other] = [leaf("age >= 18", true), leaf("fibre", false), leaf("premium", false)];
  const names = (why: Why) => reasons(why).map((part) => part.rule);

  test("of all that hold, each; of those that do not, what failed", () => {
    expect(names(of("and", true, yes, leaf("app_user", true)))).toEqual(["age >= 18", "app_user"]);
    expect(names(of("and", false, yes, no, other))).toEqual(["fibre", "premium"]);
  });

  test("of any, what held; when none did, each", () => {
    expect(names(of("or", true, no, yes))).toEqual(["age >= 18"]);
    expect(names(of("or", false, no, other))).toEqual(["fibre", "premium"]);
  });

  test("goes through what turns over and through audiences", () => {
    const not: Why = { rule: "not fibre", holds: true, parts: [no] };
    const audience: Why = { rule: "in audience acme/x", holds: true, parts: [of("and", true, yes, not)] };
    expect(names(audience)).toEqual(["age >= 18", "fibre"]);
  });
});

test("how a part is made of others is read from its text", () => {
  const [a, b] = [leaf('tariff = "x and y"', true), leaf("fibre", false)];
  expect(joined(of("and", false, a, b))).toEqual({ by: "all" });
  expect(joined(of("or", true, a, b))).toEqual({ by: "any" });
  const inner = of("and", false, a, b);
  expect(joined({ rule: `(${inner.rule}) or fibre`, holds: false, parts: [inner, b] })).toEqual({ by: "any" });
  expect(joined({ rule: `at least 2 of (${a.rule}, fibre)`, holds: false, parts: [a, b] })).toEqual({
    by: "atLeast",
    n: 2,
  });
  expect(joined({ rule: "not fibre", holds: true, parts: [b] })).toEqual({ by: "not" });
  expect(joined({ rule: "in audience a/b", holds: false, parts: [b] })).toEqual({ by: "rule" });
  expect(joined(a)).toEqual({ by: "nothing" });
});

test("the tree says what holds and the facts in words, and opens what did not decide", async () => {
  const known = { kind: "trait", name: "age", value: 41, from: "snapshot" } as const;
  const aside = of("and", false, leaf("fibre", false), leaf("premium", true));
  const why: Why = {
    rule: `age >= 18 or (${aside.rule})`,
    holds: true,
    parts: [{ rule: "age >= 18", holds: true, fact: "age is 41", known }, aside],
  };
  render(<WhyTree why={why} label="Why" />);
  const tree = screen.getByRole("list", { name: "Why" });
  expect(within(tree).getByText("age: 41")).toBeTruthy();
  const decided = within(tree).getByText("decided").closest("li");
  expect(decided?.textContent).toContain("holds");
  expect(decided?.textContent).toContain("age >= 18");
  expect(within(tree).getByText("premium").closest("ul")?.hidden).toBe(true);
  const closed = within(tree).getByRole("button", { name: "All of these" });
  expect(closed.getAttribute("aria-expanded")).toBe("false");
  await userEvent.click(closed);
  expect(closed.getAttribute("aria-expanded")).toBe("true");
  expect(within(tree).getByText("premium").closest("ul")?.hidden).toBe(false);
});
