// Makes the pictures of docs/page.md from the demonstration of the relay: `node clients/page/screenshots.mjs`, after
// `cargo build`.
import { open, settled, visit } from "./test/browser.mjs";
import { start } from "./test/relay.mjs";
import { fileURLToPath } from "node:url";

process.env.RELAY_BINARY ??= fileURLToPath(new URL("../../target/debug/1min-relay", import.meta.url));
const folder = fileURLToPath(new URL("../../docs/page/", import.meta.url));

const relay = await start({}, ["--demo"]);
const [, admin] = /sign in with ([^\s,)]+)/.exec(relay.log());
const browser = await open();
const pictures = [
  ["overview", "#/", { viewport: { width: 1200, height: 900 } }],
  ["keys", "#/keys", { viewport: { width: 1200, height: 700 } }],
  ["models", "#/models", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
  ["try", "#/try", { viewport: { width: 1200, height: 800 }, colorScheme: "dark" }],
];
for (const [name, view, options] of pictures) {
  const { page, close } = await visit(browser, `${relay.url}/#/sign-in`, options);
  await page.getByLabel("Key", { exact: true }).fill(admin);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await page.goto(`${relay.url}/${view}`);
  await settled(page);
  if (name === "try") {
    await page.getByLabel(/key/).fill("demo");
    await page.getByLabel("Message").fill("What can you do?");
    await page.keyboard.press("Enter");
    await page.getByText(/credits · .* tokens in/).waitFor();
  }
  await page.screenshot({ path: `${folder}${name}.png` });
  await close();
}
await browser.close();
await relay.stop();
