// pi without a terminal, by each of the three APIs that it and the relay speak.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bench, call, task } from "../../agents/test/bench.mjs";

const MODEL = "gpt-4o-mini";
const APIS = [
  ["openai-completions", "/v1", "/v1/chat/completions"],
  ["openai-responses", "/v1", "/v1/responses"],
  ["anthropic-messages", "", "/v1/messages"],
];

let place;
before(async () => {
  place = await bench();
  const folder = join(place.home, ".pi", "agent");
  await mkdir(folder, { recursive: true });
  const providers = APIS.map(([api, base]) => [api, { baseUrl: place.url + base, api, apiKey: "any", models: [{ id: MODEL }] }]);
  await writeFile(join(folder, "models.json"), JSON.stringify({ providers: Object.fromEntries(providers) }));
});
after(() => place.clear());

const run = (api, prompt) => {
  place.exchanges.length = 0;
  return place.run("pi", ["-p", "--no-session", "--provider", api, "--model", MODEL, prompt], { PI_OFFLINE: "1" });
};

for (const [api, , path] of APIS) {
  test(`pi reads two things at once, edits a file and runs a command, by ${path}`, async () => {
    await place.put("sea.txt", "The sea is calm.\n");
    const { code, stdout, stderr } = await run(
      api,
      task("The sea is rough: put it right.", [
        [call("read", { path: "sea.txt" }), call("bash", { command: "ls" })],
        [call("edit", { path: "sea.txt", edits: [{ oldText: "calm", newText: "rough" }] })],
        [call("bash", { command: "cat sea.txt" })],
      ]),
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
    assert.match(stdout, /All done: The sea is rough\./);
    const asked = place.exchanges.filter((exchange) => exchange.path.startsWith(path));
    assert.deepEqual(asked.map((exchange) => exchange.status), [200, 200, 200, 200]);
  });

  test(`pi says that credits are spent, and asks once, by ${path}`, async () => {
    const { stdout, stderr } = await run(api, 'Hi [[sim {"fault": "insufficient-credits"}]]');
    assert.match(stdout + stderr, /Not enough 1min\.ai credits/);
    assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [402]);
  });
}
