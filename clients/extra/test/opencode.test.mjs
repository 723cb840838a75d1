// opencode without a terminal, by each of the three adapters of the AI SDK that speak to the relay.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bench, call, task } from "../../agents/test/bench.mjs";

const MODEL = "gpt-4o-mini";

const provider = (npm, place) => ({
  npm,
  options: { baseURL: `${place.url}/v1`, apiKey: "any" },
  models: { [MODEL]: {} },
});

let place;
before(async () => {
  place = await bench();
  const folder = join(place.home, ".config", "opencode");
  await mkdir(folder, { recursive: true });
  const config = {
    autoupdate: false,
    share: "disabled",
    provider: {
      chat: provider("@ai-sdk/openai-compatible", place),
      responses: provider("@ai-sdk/openai", place),
      messages: provider("@ai-sdk/anthropic", place),
    },
  };
  await writeFile(join(folder, "opencode.json"), JSON.stringify(config));
});
after(() => place.clear());

const run = async (adapter, prompt) => {
  place.exchanges.length = 0;
  // The prompt stands in a file: opencode puts words of the command line in quotes, and a
  // directive is JSON.
  const args = ["run", "--auto", "--title", "a task", "--model", `${adapter}/${MODEL}`, "--file", "task.txt", "--", "Do the task."];
  await place.put("task.txt", prompt);
  return place.run("opencode", args, { OPENCODE_DISABLE_MODELS_FETCH: "1" });
};

for (const [adapter, path] of [["chat", "chat/completions"], ["responses", "responses"], ["messages", "messages"]]) {
  test(`opencode reads two things at once, edits a file and runs a command, by ${path}`, async () => {
    await place.put("sea.txt", "The sea is calm.\n");
    const sea = join(place.folder, "sea.txt");
    const { code, stdout, stderr } = await run(
      adapter,
      task("The sea is rough: put it right.", [
        [call("read", { filePath: sea }), call("bash", { command: "ls", description: "List" })],
        [call("edit", { filePath: sea, oldString: "calm", newString: "rough" })],
        [call("bash", { command: "cat sea.txt", description: "Show" })],
      ]),
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
    assert.match(stdout, /All done: The sea is rough\./);
    const asked = place.exchanges.filter((exchange) => exchange.path.startsWith(`/v1/${path}`));
    assert.deepEqual(asked.map((exchange) => exchange.status), [200, 200, 200, 200]);
  });
}

test("opencode says that credits are spent, and asks once", async () => {
  const { code, stderr } = await run("chat", 'Hi [[sim {"fault": "insufficient-credits"}]]');
  assert.notEqual(code, 0);
  assert.match(stderr, /Not enough 1min\.ai credits/);
  assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [402]);
});
