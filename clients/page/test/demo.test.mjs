// The demonstration shows two weeks of use, and every view of it is accessible.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { WINDOWS, isAccessible, open, settled, visit } from "./browser.mjs";
import { start } from "./relay.mjs";

let browser, relay, admin, holder;
before(async () => {
  relay = await start({}, ["--demo"]);
  [, admin, holder] = /sign in with ([^\s,)]+), or as a holder with ([^\s)]+)/.exec(relay.log());
  browser = await open();
});
after(async () => {
  await browser.close();
  await relay.stop();
});

async function signIn(key, window) {
  const visitor = await visit(browser, `${relay.url}/#/sign-in`, window);
  await visitor.page.getByLabel("Key", { exact: true }).fill(key);
  await visitor.page.getByRole("button", { name: "Sign in" }).click();
  await visitor.page.getByRole("button", { name: "Sign out" }).waitFor();
  return visitor;
}

for (const window of WINDOWS) {
  test(`every view is accessible (${window.colorScheme}, ${window.viewport.width} pixels)`, async () => {
    const { page, complaints, close } = await signIn(admin, window);
    for (const view of ["", "requests", "keys", "models", "try", "connect", "settings"]) {
      await page.goto(`${relay.url}/#/${view}`);
      await settled(page);
      await isAccessible(page);
      const isShown = await page.evaluate(() => {
        const { left, right } = document.querySelector("nav [aria-current]").getBoundingClientRect();
        return left >= 0 && right <= innerWidth;
      });
      assert.ok(isShown, `where one is stands in the navigation: ${view}`);
    }
    await page.goto(`${relay.url}/#/keys`);
    await page.getByRole("button", { name: "Edit Anna" }).click();
    await isAccessible(page);
    assert.deepEqual(complaints, []);
    await close();
  });
}

test("two weeks of several keys and models, failures, and what was spent elsewhere", async () => {
  const { page, close } = await signIn(admin);
  await settled(page);
  assert.ok((await page.locator(".column rect:not(.edge)").count()) > 40);
  for (const name of ["Anna", "Coding agent", "Home Assistant", "Open WebUI"]) {
    await page.getByRole("rowheader", { name }).waitFor();
  }
  await page.getByText("failed: unavailable").waitFor();
  await page.getByRole("cell", { name: "43,500" }).waitFor();
  await close();
  const own = await signIn(holder);
  await own.page.getByRole("heading", { name: "Overview of Anna" }).waitFor();
  await own.close();
});
