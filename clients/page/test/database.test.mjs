// The page while the database is away: it says so, stays usable, and works again by itself.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";

import { isAccessible, open, settled, visit } from "./browser.mjs";
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

/** A way to a real database that can be slow, and can be cut off. */
async function slowWay(to) {
  const way = { delay: 0, isCut: false };
  const sockets = new Set();
  const server = createServer((near) => {
    if (way.isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(to.port), to.hostname);
    for (const [from, into] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => into.destroy());
      from.on("data", (bytes) => setTimeout(() => into.write(bytes), from === far ? way.delay : 0));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  way.port = server.address().port;
  way.cut = () => {
    way.isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  way.close = () => {
    way.cut();
    server.close();
  };
  return way;
}

const database = process.env.CLIENTS_DATABASE_URL;

test("a slow database is waited for, one that dies is told of, and comes back by itself", { skip: !database && "needs --stores" }, async () => {
  const to = new URL(database);
  const way = await slowWay(to);
  const relay = await start({
    ADMIN_KEY: ADMIN,
    ONEMIN_API_KEYS: "family=key-of-the-family",
    RELAY_SECRET: "sixteen characters or more",
    DATABASE_URL: `postgres://${to.username}@127.0.0.1:${way.port}${to.pathname}`,
  });
  const made = await fetch(`${relay.url}/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "Anna of the slow database" }),
  });
  assert.ok(made.ok);
  const { page, complaints, close } = await visit(browser, `${relay.url}/#/sign-in`);
  await page.getByLabel("Key", { exact: true }).fill(ADMIN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await settled(page);
  assert.deepEqual(complaints, []);

  way.delay = 700;
  await page.getByRole("link", { name: "Keys", exact: true }).click();
  await page.locator(".busy").first().waitFor();
  await page.getByText("Anna of the slow database").waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  await isAccessible(page);

  way.delay = 0;
  way.cut();
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await page.getByRole("alert").getByRole("button", { name: "Try again" }).first().waitFor();
  await page.getByRole("link", { name: "Keys", exact: true }).click();
  const again = page.getByRole("alert").getByRole("button", { name: "Try again" });
  await again.waitFor();
  await isAccessible(page);

  way.isCut = false;
  for (let attempt = 0; attempt < 20 && (await again.count()) > 0; attempt += 1) {
    await again.click();
    await settled(page);
    await page.waitForTimeout(500);
  }
  await page.getByText("Anna of the slow database").waitFor();
  await close();
  await relay.stop();
  way.close();
});
