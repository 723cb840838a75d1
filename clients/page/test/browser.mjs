// Debian's Chromium, and what every test asks of a page: no error in its console, no report of its content security
// policy, no request to another host, nothing that axe-core finds.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export const open = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: QUIET });

/** A page with an empty profile. `complaints` gathers what the browser complained of. */
export async function visit(browser, url, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && host !== new URL(url).host) complaints.push(`a foreign host: ${host}`);
  });
  await page.goto(url);
  await page.waitForSelector("h1");
  return { page, complaints, close: () => context.close() };
}

/** Waits until nothing is loading any more. */
export const settled = (page) => page.waitForFunction(() => !document.querySelector(".busy, [aria-busy]"));

/** What axe-core finds, and whether the page is wider than its window. */
export async function isAccessible(page) {
  await settled(page);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  assert.deepEqual(found, [], `axe-core at ${page.url()}`);
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(excess <= 0, `${page.url()} is ${excess} pixels too wide`);
}

export const WINDOWS = [
  { colorScheme: "light", viewport: { width: 1200, height: 800 } },
  { colorScheme: "dark", viewport: { width: 360, height: 740 } },
];
