/** What a browser is told to refuse, and what other sites' pages cannot do with somebody's session. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { enter, expect, open, planner, test } from "./guard";
import { asked, keyOf } from "./server";

const directives = (header: string): Map<string, string> =>
  new Map(
    header.split(";").map((part) => {
      const [name = "", ...values] = part.trim().split(/\s+/);
      return [name, values.join(" ")];
    }),
  );

for (const path of ["/", "/audiences", "/there/is/no/such/page"]) {
  test(`a strict content security policy at ${path}`, async ({ request }) => {
    const answer = await request.get(path, { headers: { accept: "text/html" } });
    const header = answer.headers()["content-security-policy"] ?? "";
    const policy = directives(header);
    expect(header).not.toMatch(/unsafe-(inline|eval|hashes)|data: .*script|\*(?!\.)/);
    const scripts = policy.get("script-src") ?? policy.get("default-src");
    expect(scripts).toBeTruthy();
    expect(scripts).not.toContain("http");
    expect(policy.get("object-src") ?? policy.get("default-src")).toBe("'none'");
    expect(policy.get("frame-ancestors")).toBe("'none'");
    expect(policy.get("base-uri")).toMatch(/'(none|self)'/);
    expect(policy.get("form-action")).toMatch(/'(none|self)'/);
    expect(answer.headers()["x-content-type-options"]).toBe("nosniff");

    const html = await answer.text();
    const scriptTags = [...html.matchAll(/<script\b[^>]*>/g)].map(([tag]) => tag);
    expect(scriptTags.filter((tag) => !/\ssrc=/.test(tag))).toEqual([]);
    expect(html).not.toMatch(/\son\w+=|\sstyle=|javascript:/);
  });
}

test("every answer has a nonce of its own", async ({ request }) => {
  const nonce = async () => /nonce="([^"]+)"/.exec(await (await request.get("/")).text())?.[1];
  const [first, second] = [await nonce(), await nonce()];
  expect(first).toMatch(/^[\w+/=-]{16,}$/);
  expect(second).not.toBe(first);
});

test("the session is out of scripts' and other sites' reach, and the key is kept nowhere", async ({
  context,
  page,
  watch,
}) => {
  const key = keyOf("planner");
  test.skip(key === undefined, "the server is asked without keys");
  watch.allow(/status of 401/);
  await open(page, "/audiences");
  await page.getByLabel("Key").fill(key ?? "");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeAttached();

  const cookies = await context.cookies();
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
  expect(cookies[0]?.value).not.toContain(key);
  const kept = await page.evaluate(() => ({
    cookie: document.cookie,
    stored: JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }),
    address: window.location.href,
    named: window.name,
  }));
  expect(kept.cookie).toBe("");
  const secret = (key ?? "").split("_").slice(2).join("_");
  expect(JSON.stringify(kept)).not.toContain(secret);

  await page.getByRole("button", { name: "You" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  const stale = await page.request.get(`${planner}/api/v1/whoami`, {
    headers: { cookie: `${cookies[0]?.name}=${cookies[0]?.value}` },
  });
  expect(stale.status(), "who signed out is out, also with the old cookie").toBe(401);
});

test.describe("another site's page", () => {
  let elsewhere: Server;

  /** What it tries: everything a page can send without asking first, and one thing that has to be asked for. */
  const attack = `<!doctype html><title>elsewhere</title><body>
    <form id="form" method="post" enctype="text/plain" target="sink" action="${planner}/api/v1/publish">
      <input name='{"items":[{"kind":"audience","id":"telco/planted"}],"comment":"' value='"}'></form>
    <form id="put" method="post" target="sink" action="${planner}/api/v1/keys"><input name="role" value="operator"></form>
    <iframe name="sink"></iframe><iframe id="frame" src="${planner}/audiences"></iframe>
    <script>
      const planted = JSON.stringify({ audiences: [{ id: "planted", owner: "telco", name: "planted", kind: "target", rule: "everyone and age > 1" }] });
      const send = (path, init) => fetch("${planner}" + path, { credentials: "include", ...init }).then((a) => a.status, () => "refused");
      window.tried = Promise.all([
        send("/api/v1/definitions?publish=true", { method: "POST", mode: "no-cors", body: planted }),
        send("/api/v1/definitions?publish=true", { method: "POST", body: planted }),
        send("/api/v1/audiences/telco/planted", { method: "PUT", headers: { "content-type": "application/json" }, body: "{}" }),
        send("/api/v1/session", { method: "DELETE" }),
        send("/api/v1/session", { method: "POST", mode: "no-cors", body: '{"key":"x"}' }),
        send("/api/v1/whoami", {}),
        new Promise((done) => { const image = new Image(); image.onload = image.onerror = () => done("image"); image.src = "${planner}/api/v1/definitions.yaml"; }),
      ]).then((answers) => { document.forms.form.submit(); return answers; });
    </script>`;

  test.beforeAll(async () => {
    elsewhere = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(attack));
    await new Promise<void>((listening) => elsewhere.listen(0, "127.0.0.1", listening));
  });
  test.afterAll(() => {
    elsewhere.closeAllConnections();
    elsewhere.close();
  });

  // `localhost` is another site than 127.0.0.1; another port of 127.0.0.1 is another origin of the same site, to which
  // the browser does send the cookie.
  for (const host of ["localhost", "127.0.0.1"]) {
    test(`${host} changes and reads nothing, and frames nothing`, async ({ context, page, watch }) => {
      watch.allow(/.*/);
      await enter(context, "planner");
      await page.goto(`http://${host}:${(elsewhere.address() as AddressInfo).port}/`);
      const answers = await page.evaluate(() => (window as unknown as { tried: Promise<unknown[]> }).tried);
      // An opaque answer is 0: it cannot be read. What may be read would be a number of 200 or more.
      expect(answers).toEqual([0, "refused", "refused", "refused", 0, "refused", "image"]);
      await expect
        .poll(() =>
          page
            .frames()
            .find((frame) => frame.name() === "sink")
            ?.url(),
        )
        .not.toBe("about:blank");

      const frame = await (await page.locator("#frame").elementHandle())?.contentFrame();
      expect(frame?.url()).toMatch(/^chrome-error:/);

      const { audiences } = await asked<{ audiences: { id: string }[] }>("planner", "/api/v1/vocabulary");
      expect(audiences.map(({ id }) => id)).not.toContain("telco/planted");
      const still = await context.request.get(`${planner}/api/v1/whoami`);
      expect(still.status(), "still signed in").toBe(200);
    });
  }
});
