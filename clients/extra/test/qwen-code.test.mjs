// Qwen Code without a terminal.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bench, call, task } from "../../agents/test/bench.mjs";

let place;
before(async () => (place = await bench()));
after(() => place.clear());

const run = (prompt) => {
  place.exchanges.length = 0;
  const settings = { OPENAI_BASE_URL: `${place.url}/v1`, OPENAI_API_KEY: "any", OPENAI_MODEL: "gpt-4o-mini" };
  // It needs a newer Node than the tests, and takes a proxy for loopback too.
  const newer = `${join(process.env.AGENTS_CACHE, "node_modules", ".bin")}:${process.env.PATH}`;
  const direct = { HTTP_PROXY: "", HTTPS_PROXY: "", http_proxy: "", https_proxy: "" };
  return place.run("qwen", ["--yolo", "-p", prompt], { ...settings, ...direct, PATH: newer });
};

test("Qwen Code reads and lists at once, edits a file and runs a command", async () => {
  await place.put("sea.txt", "The sea is calm.\n");
  const sea = join(place.folder, "sea.txt");
  const shell = (command) => call("run_shell_command", { command, description: "Run it", is_background: false });
  const { code, stdout, stderr } = await run(
    task("The sea is rough: put it right.", [
      [call("read_file", { file_path: sea }), shell("ls")],
      [call("edit", { file_path: sea, old_string: "calm", new_string: "rough" })],
      [shell("cat sea.txt")],
    ]),
  );
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
  assert.match(stdout, /All done: [^]*The sea is rough\./);
  assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [200, 200, 200, 200]);
});

test("Qwen Code says that credits are spent, and asks once", async () => {
  const { code, stderr } = await run('Say hello [[sim {"fault": "insufficient-credits"}]]');
  assert.notEqual(code, 0);
  assert.match(stderr, /Not enough 1min\.ai credits/);
  assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [402]);
});
