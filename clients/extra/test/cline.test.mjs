// Cline's CLI without a terminal, as "OpenAI compatible".
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bench, call, task } from "../../agents/test/bench.mjs";

let place;
// Where the daemon that it leaves behind says what its number is.
let daemon;
const cline = (...args) => place.run("cline", args, { CLINE_HUB_DISCOVERY_PATH: daemon });

before(async () => {
  place = await bench();
  daemon = join(place.home, "daemon.json");
  const { code } = await cline("auth", "-p", "openai", "-k", "any", "-m", "gpt-4o-mini", "-b", `${place.url}/v1`);
  assert.equal(code, 0);
});
after(async () => {
  process.kill(JSON.parse(await readFile(daemon, "utf8")).pid);
  await place.clear();
});

const run = (prompt) => {
  place.exchanges.length = 0;
  return cline("--json", "-P", "openai", "-m", "gpt-4o-mini", prompt);
};

test("Cline reads and lists at once, patches a file and runs a command", async () => {
  await place.put("sea.txt", "The sea is calm.\n");
  const sea = join(place.folder, "sea.txt");
  const patch = `*** Begin Patch\n*** Update File: ${sea}\n@@\n-The sea is calm.\n+The sea is rough.\n*** End Patch\n`;
  const { code, stdout, stderr } = await run(
    task("The sea is rough: put it right.", [
      [call("read_files", { files: [{ path: sea }] }), call("run_commands", { commands: ["ls"] })],
      [call("apply_patch", { input: patch })],
      [call("run_commands", { commands: ["cat sea.txt"] })],
    ]),
  );
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
  assert.match(stdout, /All done: .*The sea is rough\./);
  assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [200, 200, 200, 200]);
});

test("Cline says what broke, and does not ask again", async () => {
  const cut = { tokens: 40, fault: "cut", after: 10, delay_ms: 10 };
  for (const [directive, words] of [[{ fault: "insufficient-credits" }, /Not enough 1min\.ai credits/], [cut, /broke off/]]) {
    const { code, stderr } = await run(`Say hello [[sim ${JSON.stringify(directive)}]]`);
    assert.notEqual(code, 0);
    assert.match(stderr, words);
    assert.equal(place.exchanges.length, 1);
  }
});
