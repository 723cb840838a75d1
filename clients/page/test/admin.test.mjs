// The page of a relay with accounts: signing in, keys, usage, what another site may not do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import OpenAI from "openai";

import { WINDOWS, isAccessible, open, settled, visit } from "./browser.mjs";
import { start } from "./relay.mjs";

const ADMIN = "the-admin-key-of-the-page-tests";
const HOSTILE = "<img src=x onerror=alert(1)>";

let browser, relay;
before(async () => {
  relay = await start({ ADMIN_KEY: ADMIN, ONEMIN_API_KEYS: "family=key-of-the-family" });
  browser = await open();
});
after(async () => {
  await browser.close();
  await relay.stop();
});

async function signIn(key, options) {
  const visitor = await visit(browser, `${relay.url}/#/sign-in`, options);
  await visitor.page.getByLabel("Key", { exact: true }).fill(key);
  await visitor.page.getByRole("button", { name: "Sign in" }).click();
  await visitor.page.getByRole("button", { name: "Sign out" }).waitFor();
  return visitor;
}

/** Creates a key on the page and gives its secret. */
async function create(page, name, fields = {}) {
  await page.getByRole("link", { name: "Keys", exact: true }).click();
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill(name);
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label).fill(value);
  await page.getByRole("button", { name: "Create key" }).click();
  const secret = await page.locator(".secret code").first().textContent();
  assert.match(secret, /^sk-relay-[0-9A-Za-z]{42}$/);
  return secret;
}

const client = (apiKey) => new OpenAI({ baseURL: `${relay.url}/v1`, apiKey, maxRetries: 0 });
const hello = (apiKey, extra = {}) =>
  client(apiKey).chat.completions.create({ model: "gpt-4o-mini", messages: [{ role: "user", content: "Say hello" }], ...extra });

/** What the management API says, as a program asks it. */
const asked = async (path) => (await fetch(relay.url + path, { headers: { authorization: `Bearer ${ADMIN}` } })).json();

/** Waits until the ledger has a request of a key: it is written within a quarter of a second. */
async function recorded(name) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { data } = await asked(`/v1/usage/requests?key=${encodeURIComponent(name)}`);
    if (data.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`no request of ${name} was recorded`);
}

test("a key is created, used, seen, revoked and refused", async () => {
  const { page, complaints, close } = await signIn(ADMIN);
  const secret = await create(page, HOSTILE);
  await page.getByRole("button", { name: "Done" }).click();
  await hello(secret);
  await recorded(HOSTILE);
  await page.getByRole("link", { name: "Requests", exact: true }).click();
  await page.getByRole("cell", { name: HOSTILE }).first().waitFor();
  await page.getByRole("cell", { name: "gpt-4o-mini" }).first().waitFor();
  await isAccessible(page);
  await page.locator("tbody button").first().click();
  await page.getByRole("dialog").getByText("reported by 1min.ai").waitFor();
  await isAccessible(page);
  await page.getByRole("button", { name: "Close" }).click();

  await page.getByRole("link", { name: "Keys", exact: true }).click();
  await page.getByRole("button", { name: `More… about ${HOSTILE}` }).click();
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByText("disabled", { exact: true }).waitFor();
  await assert.rejects(hello(secret), { status: 401 });
  assert.deepEqual(complaints, []);
  await close();
});

test("a holder sees own usage only, and the session ends with the key", async () => {
  const admin = await signIn(ADMIN);
  const secret = await create(admin.page, "Anna");
  await admin.page.getByRole("button", { name: "Done" }).click();
  await hello(secret);
  await recorded("Anna");
  const { page, complaints, close } = await signIn(secret);
  await page.getByRole("heading", { name: "Overview of Anna" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Keys", exact: true }).count(), 0);
  await settled(page);
  await isAccessible(page);
  await page.getByRole("link", { name: "Requests", exact: true }).click();
  await page.locator("tbody tr").first().waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
  assert.equal(await page.getByText(HOSTILE).count(), 0);
  const status = await page.evaluate(async () => (await fetch("/admin/api/keys")).status);
  assert.equal(status, 403);
  complaints.length = 0;

  await admin.page.getByRole("button", { name: "More… about Anna" }).click();
  await admin.page.getByRole("button", { name: "Delete" }).click();
  await admin.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await admin.page.getByRole("button", { name: "More… about Anna" }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await page.getByText("The session has ended. Sign in again.").waitFor();
  await admin.close();
  await close();
});

test("a budget that is reached shows, and is a 402", async () => {
  const { page, close } = await signIn(ADMIN);
  const secret = await create(page, "Small budget", { "Per day": "1" });
  await page.getByRole("button", { name: "Done" }).click();
  await hello(secret).catch(() => {});
  await assert.rejects(hello(secret), { status: 402 });
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await settled(page);
  await page.getByRole("link", { name: "Keys", exact: true }).click();
  await page.getByText("budget reached").waitFor();
  await isAccessible(page);
  await close();
  const holder = await signIn(secret);
  await holder.page.getByText("Reached:").waitFor();
  await holder.close();
});

test("the chart, its table, the CSV and the API have one sum", async () => {
  const { page, close } = await signIn(ADMIN);
  await settled(page);
  await page.getByText("The same as a table").click();
  const shown = await page.locator("details tbody tr").last().locator("td").last().textContent();
  const csv = await page.evaluate(async () => (await fetch(document.querySelector("a[download]").href)).text());
  const [head, ...lines] = csv.trim().split(/\r?\n/).map((line) => line.split(","));
  const at = head.indexOf("credits");
  const sum = lines.reduce((total, line) => total + Number(line[at]), 0);
  const { data } = await asked("/v1/usage?by=day,model");
  const known = data.reduce((total, { credits }) => total + credits, 0);
  assert.ok(known > 0);
  assert.ok(Math.abs(sum - known) < 1e-6, `${sum} and ${known}`);
  assert.equal(Number(shown.replaceAll(",", "")), known < 100 ? known : Math.round(known));
  await close();
});

test("a holder tries models without pasting the key again, also after a reload", async () => {
  const admin = await signIn(ADMIN);
  const secret = await create(admin.page, "Berta", { "Per day": "100000" });
  await admin.close();
  const { page, complaints, close } = await signIn(secret);
  await page.goto(`${relay.url}/#/try`);
  await page.reload();
  await settled(page);
  assert.equal(await page.locator("input[name=key]").count(), 0, "no key is asked for");
  await page.getByLabel("Message").fill("Say hello");
  await page.keyboard.press("Enter");
  await page.getByText(/credits · .* tokens in/).waitFor();
  await page.getByText("Image", { exact: true }).click();
  await page.getByLabel("Prompt").fill("A small house");
  await page.getByRole("button", { name: "Generate" }).click();
  await page.getByRole("img", { name: "A small house" }).waitFor();
  await recorded("Berta");
  const { data } = await asked("/v1/keys");
  const { hash } = data.find(({ name }) => name === "Berta");
  const closed = await fetch(`${relay.url}/v1/keys/${hash}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
    body: '{"disabled":true}',
  });
  assert.ok(closed.ok);
  assert.deepEqual(complaints, []);
  await page.getByText("Chat", { exact: true }).click();
  await page.getByLabel("Message").fill("And now?");
  await page.keyboard.press("Enter");
  await page.getByText("The session has ended. Sign in again.").waitFor();
  await close();
});

test("another site can neither use nor change a session", async () => {
  const { page, close } = await signIn(ADMIN);
  const cookie = (await page.context().cookies()).find(({ name }) => name === "relay_session");
  assert.ok(cookie.httpOnly && cookie.sameSite === "Strict");
  assert.ok(!cookie.value.includes(ADMIN));
  const headers = { cookie: `relay_session=${cookie.value}`, "content-type": "application/json" };
  const make = (more) => fetch(`${relay.url}/admin/api/keys`, { method: "POST", headers: { ...headers, ...more }, body: '{"name":"x"}' });
  for (const more of [{}, { origin: "http://other.example" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) {
    assert.equal((await make(more)).status, 403, JSON.stringify(more));
  }
  assert.equal((await fetch(`${relay.url}/v1/keys`, { headers })).status, 401, "the cookie counts on the page's paths only");
  assert.equal((await fetch(`${relay.url}/v1/usage`, { headers })).status, 401);
  const before = (await asked("/v1/keys")).data.length;
  assert.ok((await make({ origin: relay.url })).ok);
  assert.equal((await asked("/v1/keys")).data.length, before + 1);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
  await close();
});

test("wrong keys are slowed down", async () => {
  const attempt = (key) => fetch(`${relay.url}/admin/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: relay.url },
    body: JSON.stringify({ key }),
  });
  // All within one minute of the clock.
  const second = new Date().getSeconds();
  if (second > 45) await new Promise((resolve) => setTimeout(resolve, (61 - second) * 1000));
  const statuses = [];
  for (let count = 0; count < 6; count += 1) statuses.push((await attempt("wrong")).status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
  const last = await attempt(ADMIN);
  assert.equal(last.status, 429);
  assert.ok(Number(last.headers.get("retry-after")) > 0);
});
