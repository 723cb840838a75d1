// Continue's CLI without a terminal.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bench, call, task } from "./bench.mjs";

const config = (url) => `
name: relay
version: 1.0.0
schema: v1
models:
  - name: relay
    provider: openai
    model: gpt-4o-mini
    apiBase: ${url}/v1
    apiKey: any
    roles: [chat, edit, apply]
    capabilities: [tool_use]
`;

let place;
before(async () => {
  place = await bench();
  await writeFile(join(place.home, "config.yaml"), config(place.url));
});
after(() => place.clear());

const run = (prompt) => {
  place.exchanges.length = 0;
  const args = ["--config", join(place.home, "config.yaml"), "--auto", "-p", prompt];
  return place.run("cn", args, { CONTINUE_TELEMETRY_ENABLED: "0" });
};

test("Continue reads two things at once, edits a file and runs a command", async () => {
  await place.put("sea.txt", "The sea is calm.\n");
  const sea = join(place.folder, "sea.txt");
  const { code, stdout, stderr } = await run(
    task("The sea is rough: put it right.", [
      [call("Read", { filepath: sea }), call("Bash", { command: "ls" })],
      [call("MultiEdit", { file_path: sea, edits: [{ old_string: "calm", new_string: "rough" }] })],
      [call("Bash", { command: "cat sea.txt" })],
    ]),
  );
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
  assert.match(stdout, /All done: The sea is rough\./);
  assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [200, 200, 200, 200]);
});

test("Continue says that credits are spent, and asks once", async () => {
  const { code, stderr } = await run('Hi [[sim {"fault": "insufficient-credits"}]]');
  assert.notEqual(code, 0);
  assert.match(stderr, /Not enough 1min\.ai credits/);
  assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [402]);
});
