// OpenClaw's agent without its gateway, by each of the three APIs that it and the relay speak. It offers
// a tool named `tool_call` beside its others.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { call, task } from "../../agents/test/bench.mjs";
import { bench } from "./bench.mjs";

const MODEL = "gpt-4o-mini";
// It loads some hundred megabytes of JavaScript before it asks anything.
const TIME_LIMIT_MS = 900_000;
const APIS = [
  ["openai-completions", "/v1", "/v1/chat/completions"],
  ["openai-responses", "/v1", "/v1/responses"],
  ["anthropic-messages", "", "/v1/messages"],
];

let place;
before(async () => {
  place = await bench();
  const model = { id: MODEL, name: MODEL, contextWindow: 128_000, maxTokens: 4096 };
  const provider = ([api, base]) => [api, { baseUrl: place.url + base, api, apiKey: "any", models: [model] }];
  const folder = join(place.home, ".openclaw");
  await mkdir(folder, { recursive: true });
  const settings = {
    models: { mode: "merge", providers: Object.fromEntries(APIS.map(provider)) },
    agents: { defaults: { workspace: place.folder, model: { primary: `${APIS[0][0]}/${MODEL}` } } },
  };
  await writeFile(join(folder, "openclaw.json"), JSON.stringify(settings));
});
after(() => place.clear());

const run = async (api, prompt) => {
  place.exchanges.length = 0;
  await place.put("task.txt", prompt);
  const message = ["--message-file", join(place.folder, "task.txt")];
  const args = ["agent", "--local", "--json", "--session-key", `agent:main:${api}`, "--model", `${api}/${MODEL}`, ...message];
  return place.program("openclaw/node_modules/openclaw/openclaw.mjs", args, {}, { timeout: TIME_LIMIT_MS });
};

for (const [api, , path] of APIS) {
  test(`OpenClaw writes a file and reads it by a command, by ${path}`, async () => {
    const sea = join(place.folder, "sea.txt");
    const { code, stdout, stderr } = await run(
      api,
      task("The sea is rough: note it.", [
        [call("write", { path: sea, content: "The sea is rough.\n" })],
        [call("exec", { command: `cat ${sea}` })],
      ]),
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
    assert.match(stdout, /All done/);
    assert.match(stdout, /The sea is rough/);
    const asked = place.exchanges.filter((exchange) => exchange.path === path);
    assert.deepEqual(asked.map((exchange) => exchange.status), [200, 200, 200]);
  });
}

// The last, for it takes the key for spent for some minutes.
test("OpenClaw says that credits are spent, and asks once", async () => {
  const { stdout, stderr } = await run(APIS[0][0], 'Hi [[sim {"fault": "insufficient-credits"}]]');
  assert.match(stdout + stderr, /Not enough 1min\.ai credits/);
  assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [402]);
});
