// The page of a relay with nothing configured: clients send their own 1min.ai keys.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { WINDOWS, isAccessible, open, settled, visit } from "./browser.mjs";

const relay = process.env.RELAY_URL;
const simulator = process.env.SIMULATOR_URL;

let browser;
before(async () => { browser = await open(); });
after(() => browser.close());

const script = (replies) => fetch(`${simulator}/_sim/script`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ replies }) });

for (const window of WINDOWS) {
  const name = `${window.colorScheme}, ${window.viewport.width} pixels`;

  test(`recipes show the visitor's own address and are copied (${name})`, async () => {
    const { page, complaints, close } = await visit(browser, relay, { ...window, permissions: ["clipboard-read", "clipboard-write"] });
    assert.match(await page.textContent("main"), new RegExp(`${relay}/v1`));
    for (const client of ["Open WebUI", "Claude Code", "Codex", "Cline", "n8n", "Home Assistant", "curl", "Python"]) {
      assert.ok(await page.getByRole("heading", { name: client, exact: true }).isVisible(), client);
    }
    await page.getByRole("button", { name: "Copy Python" }).click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`base_url="${relay}/v1"`));
    assert.equal(await page.getByText("Sign in").count(), 0);
    await isAccessible(page);
    assert.deepEqual(complaints, []);
    await close();
  });

  test(`models are searched (${name})`, async () => {
    const { page, complaints, close } = await visit(browser, `${relay}/#/models`, window);
    await page.getByLabel("Search").fill("gpt-4o mini");
    await page.getByRole("code").getByText("gpt-4o-mini", { exact: true }).waitFor();
    assert.equal(await page.getByText("us.anthropic", { exact: false }).count(), 0);
    await isAccessible(page);
    assert.deepEqual(complaints, []);
    await close();
  });

  test(`chat is streamed, and a script in an answer is text (${name})`, async () => {
    const { page, complaints, close } = await visit(browser, `${relay}/#/try`, window);
    await page.getByLabel("Your 1min.ai key").fill("a-key-of-the-page");
    await script(["Hello <img src=x onerror=alert(1)> there."]);
    await page.getByLabel("Message").fill("Say hello");
    await page.keyboard.press("Enter");
    await page.getByText("Hello <img src=x onerror=alert(1)> there.").waitFor();
    await page.getByText(/credits · .* tokens in/).waitFor();
    await isAccessible(page);
    assert.deepEqual(complaints, []);
    await page.reload();
    await settled(page);
    assert.equal(await page.getByLabel("Your 1min.ai key").inputValue(), "", "the key is forgotten");
    await close();
  });
}

test("an image and speech are made", async () => {
  const { page, complaints, close } = await visit(browser, `${relay}/#/try`);
  await page.getByLabel("Your 1min.ai key").fill("a-key-of-the-page");
  await page.getByText("Image", { exact: true }).click();
  await page.getByLabel("Prompt").fill("A small house");
  await page.getByRole("button", { name: "Generate" }).click();
  const image = page.getByRole("img", { name: "A small house" });
  await image.waitFor();
  assert.ok(await image.evaluate((element) => element.decode().then(() => element.naturalWidth > 0)));
  await page.getByText("Speech", { exact: true }).click();
  await page.getByLabel("Text").fill("Good morning");
  await page.getByRole("button", { name: "Speak" }).click();
  await page.locator("audio").waitFor();
  await isAccessible(page);
  assert.deepEqual(complaints, []);
  await close();
});

test("a picture goes along with a message", async () => {
  const { page, complaints, close } = await visit(browser, `${relay}/#/try`);
  await page.getByLabel("Your 1min.ai key").fill("a-key-of-the-page");
  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  await page.getByLabel("Picture").setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") });
  await script(["I see a dot."]);
  await page.getByLabel("Message").fill("What do you see?");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("I see a dot.").waitFor();
  const journal = await (await fetch(`${simulator}/_sim/journal?path=/api/assets`)).json();
  assert.ok(journal.entries.length > 0, "the picture was uploaded");
  assert.deepEqual(complaints, []);
  await close();
});

test("a refusal says what to do, and the message is not lost", async () => {
  const { page, close } = await visit(browser, `${relay}/#/try`);
  await page.getByLabel("Your 1min.ai key").fill("a-key-of-the-page");
  await page.getByLabel("Message").fill('Hello [[sim {"fault":"unauthorized"}]]');
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("alert").getByText("Check it").waitFor();
  assert.match(await page.getByLabel("Message").inputValue(), /^Hello/);
  await close();
});

test("a key is asked for before anything is sent", async () => {
  const { page, complaints, close } = await visit(browser, `${relay}/#/try`);
  await page.getByLabel("Message").fill("Hello");
  await page.getByRole("button", { name: "Send" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.name), "key");
  assert.deepEqual(complaints, []);
  await close();
});

test("a page of another origin cannot read the page, and may not frame it", async () => {
  for (const path of ["/", "/page/page.js", "/admin/session", "/v1/keys"]) {
    const answer = await fetch(relay + path, { headers: { origin: "http://other.example", accept: "text/html" } });
    assert.equal(answer.headers.get("access-control-allow-origin"), null, path);
    const asked = await fetch(relay + path, {
      method: "OPTIONS",
      headers: { origin: "http://other.example", "access-control-request-method": "POST" },
    });
    assert.equal(asked.headers.get("access-control-allow-origin"), null, path);
  }
  const answer = await fetch(relay, { headers: { accept: "text/html" } });
  assert.match(answer.headers.get("content-security-policy"), /^default-src 'none'.*frame-ancestors 'none'/);
  const open = await fetch(`${relay}/v1/models`, { headers: { origin: "http://other.example" } });
  assert.equal(open.headers.get("access-control-allow-origin"), "*");
});
