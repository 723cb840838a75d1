// The page below a path of a reverse proxy that takes the path off, as docs/page.md says.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";

import { isAccessible, open, settled, visit } from "./browser.mjs";
import { start } from "./relay.mjs";

const ADMIN = "the-admin-key-of-the-page-tests";
const PATH = "/ai/relay";

let browser, relay, proxy, url;
before(async () => {
  relay = await start({ ADMIN_KEY: ADMIN, ONEMIN_API_KEYS: "family=key-of-the-family" });
  const to = new URL(relay.url);
  proxy = createServer((asked, answer) => {
    if (!asked.url.startsWith(`${PATH}/`)) {
      answer.writeHead(404).end("nothing here");
      return;
    }
    const passed = request({ host: to.hostname, port: to.port, method: asked.method, path: asked.url.slice(PATH.length), headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    asked.pipe(passed);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${proxy.address().port}${PATH}`;
  browser = await open();
});
after(async () => {
  await browser.close();
  proxy.closeAllConnections();
  proxy.close();
  await relay.stop();
});

test("recipes, sign-in, keys, CSV and a trial work below a path", async () => {
  const { page, complaints, close } = await visit(browser, `${url}/`);
  assert.match(await page.textContent("main"), new RegExp(`${url}/v1`));
  await page.goto(`${url}/#/sign-in`);
  await page.getByLabel("Key", { exact: true }).fill(ADMIN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await settled(page);
  await page.reload();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const csv = await page.evaluate(async () => (await fetch(document.querySelector("a[download]").href)).status);
  assert.equal(csv, 200);
  const [cookie] = await page.context().cookies();
  assert.equal(cookie.path, `${PATH}/admin`);

  await page.getByRole("link", { name: "Keys", exact: true }).click();
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("Anna");
  await page.getByRole("button", { name: "Create key" }).click();
  const secret = await page.locator(".secret code").first().textContent();
  await page.getByRole("dialog").getByText(`${url}/v1`).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Key", { exact: true }).fill(secret);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview of Anna" }).waitFor();
  await page.getByRole("link", { name: "Try", exact: true }).click();
  await page.getByLabel("Message").fill("Hello");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText(/credits · .* tokens in/).waitFor();
  await isAccessible(page);
  assert.deepEqual(complaints, []);
  await close();
});
