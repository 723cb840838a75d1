// Kilo's CLI without a terminal. Its package for this system is named, since the one that picks it
// fetches it by a script.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bench, call, task } from "../../agents/test/bench.mjs";

const KILO = join("..", "@kilocode", "cli-linux-x64", "bin", "kilo");
const MODEL = "gpt-4o-mini";

let place;
before(async () => {
  place = await bench();
  const folder = join(place.home, ".config", "kilo");
  await mkdir(folder, { recursive: true });
  const options = { baseURL: `${place.url}/v1`, apiKey: "any" };
  const relay = { npm: "@ai-sdk/openai-compatible", options, models: { [MODEL]: {} } };
  await writeFile(join(folder, "kilo.json"), JSON.stringify({ autoupdate: false, share: "disabled", provider: { relay } }));
});
after(() => place.clear());

test("Kilo reads two things at once, edits a file and says so", async () => {
  await place.put("sea.txt", "The sea is calm.\n");
  const sea = join(place.folder, "sea.txt");
  const prompt = task("The sea is rough: put it right.", [
    [call("read", { filePath: sea }), call("bash", { command: "ls", description: "List" })],
    [call("edit", { filePath: sea, oldString: "calm", newString: "rough" })],
  ]);
  await place.put("task.txt", prompt);
  const args = ["run", "--auto", "--title", "a task", "--model", `relay/${MODEL}`, "--file", "task.txt", "--", "Do the task."];
  const { code, stdout, stderr } = await place.run(KILO, args, { KILO_DISABLE_MODELS_FETCH: "1" });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
  assert.match(stdout, /All done/);
  const asked = place.exchanges.filter((exchange) => exchange.path === "/v1/chat/completions");
  assert.deepEqual(asked.map((exchange) => exchange.status), [200, 200, 200]);
});
