// The page while the database is away: it says so, stays usable, and works again by itself.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";

import { isAccessible, open, visit } from "./browser.mjs";
import { start } from "./relay.mjs";

const ADMIN = "the-admin-key-of-the-page-tests";

let browser;
before(async () => { browser = await open(); });
after(() => browser.close());

/** A port that takes connections and says nothing, or one that nobody listens on. */
async function port(isSilent) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  if (!isSilent) close();
  return { port, close };
}

for (const [name, isSilent] of [["dead", false], ["silent", true]]) {
  test(`with a ${name} database the page says what is wrong`, async () => {
    const database = await port(isSilent);
    const relay = await start({
      ADMIN_KEY: ADMIN,
      ONEMIN_API_KEYS: "family=key-of-the-family",
      RELAY_SECRET: "sixteen characters or more",
      DATABASE_URL: `postgres://postgres@127.0.0.1:${database.port}/postgres`,
    });
    const { page, close } = await visit(browser, `${relay.url}/#/sign-in`);
    await page.getByLabel("Key", { exact: true }).fill(ADMIN);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("alert").getByRole("button", { name: "Try again" }).first().waitFor();
    await isAccessible(page);
    await page.getByRole("link", { name: "Models", exact: true }).click();
    await page.getByRole("code").getByText("gpt-4o-mini", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Settings", exact: true }).click();
    await page.getByText("trouble", { exact: true }).first().waitFor();
    await page.getByText("DATABASE_URL").first().waitFor();
    assert.ok(!(await page.textContent("main")).includes(ADMIN));
    await isAccessible(page);
    await close();
    await relay.stop();
    database.close();
  });
}
