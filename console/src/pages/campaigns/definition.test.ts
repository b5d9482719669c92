import { describe, expect, test } from "vitest";
import { EMPTY, isReadable, phaseOf, policiesOf, readCampaign, writeCampaign } from "./definition";

const YAML = `id: upgrade
owner: acme
name: A new phone
status: active
# agreed with sales
flight: { from: 2026-10-23, to: 2027-01-21, timezone: Europe/Rome }
deals:
- { exchange: index, id: "123", exclusive: true }
include: [phone, globex/shared]
exclude:
- { audience: haters, hard: true }
- buyers
caps:
- { impressions: 3, per: 24h }
- { impressions: 10, per: flight }
min_gap: 20m
folder: mobile
tags: [q4]
pacing_of_tomorrow: { even: true }
`;

describe("a campaign's form", () => {
  test("reads what a definition says, with whole ids", () => {
    const form = readCampaign(YAML);
    expect(form).toMatchObject({
      from: "2026-10-23",
      timezone: "Europe/Rome",
      include: ["acme/phone", "globex/shared"],
      exclude: [
        { audience: "acme/haters", hard: true },
        { audience: "acme/buyers", hard: false },
      ],
      caps: [
        { impressions: 3, per: "24h" },
        { impressions: 10, per: "flight" },
      ],
      deals: [{ exchange: "index", id: "123", exclusive: true }],
      priority: 0,
      no_profile: "",
    });
  });

  test("changes nothing when nothing was changed", () => {
    expect(readCampaign(writeCampaign(YAML, readCampaign(YAML)))).toEqual(readCampaign(YAML));
    expect(writeCampaign(YAML, readCampaign(YAML))).toContain("# agreed with sales");
  });

  test("keeps what it does not know, and what was not touched", () => {
    const text = writeCampaign(YAML, { ...readCampaign(YAML), name: "Another", caps: [], priority: 5 });
    expect(text).toContain("name: Another");
    expect(text).toContain("priority: 5");
    expect(text).not.toContain("caps");
    expect(text).toContain("tags: [ q4 ]");
    expect(text).toContain("pacing_of_tomorrow: { even: true }");
    expect(text).toContain("folder: mobile");
    // What was not touched keeps its own way of naming audiences.
    expect(text).toContain("- buyers");
  });

  test("softening an exclusion is written, and texts that look like numbers stay texts", () => {
    const form = readCampaign(YAML);
    const softer = writeCampaign(YAML, {
      ...form,
      exclude: form.exclude.map(({ audience }) => ({ audience, hard: false })),
      refs: [{ system: "dv360", line_item: "998" }],
    });
    expect(readCampaign(softer).exclude.some((one) => one.hard)).toBe(false);
    expect(softer).toContain('line_item: "998"');
  });

  test.each(['name: "abc', "include: [a, b", "name: *nobody", "hello", "- a\n- b", "a: b: c"])(
    "leaves alone what cannot be read: %s",
    (text) => {
      expect(isReadable(text)).toBe(false);
      expect(writeCampaign(text, { ...readCampaign(text), name: "other" })).toBe(text);
    },
  );

  test("a new one begins with what was filled in alone", () => {
    const text = writeCampaign("", { ...EMPTY, id: "new", owner: "acme", include: ["acme/phone"] });
    expect(text).toBe("id: new\nowner: acme\nstatus: draft\ninclude:\n  - acme/phone\n");
  });
});

test("strangers are spoken to only where everybody is, unless it is said", () => {
  expect(policiesOf({ ...EMPTY })).toEqual({ noProfile: "target", onFailure: "suppress" });
  expect(policiesOf({ ...EMPTY, include: ["a/b"] }).noProfile).toBe("suppress");
  expect(policiesOf({ ...EMPTY, include: ["a/b"], no_profile: "unknown" }).noProfile).toBe("unknown");
});

test("a flight counts its days where it runs, the last one included", () => {
  const flight = { status: "active", from: "2026-11-01", to: "2026-11-30", timezone: "Pacific/Auckland" } as const;
  expect(phaseOf(flight, new Date("2026-10-31T12:00:00Z"))).toBe("active");
  expect(phaseOf(flight, new Date("2026-10-31T10:00:00Z"))).toBe("before");
  expect(phaseOf(flight, new Date("2026-11-30T10:00:00Z"))).toBe("active");
  expect(phaseOf(flight, new Date("2026-11-30T12:00:00Z"))).toBe("after");
  expect(phaseOf({ ...flight, status: "paused" }, new Date())).toBe("paused");
});
