// Claude Code without a terminal: each task needs its own tools and leaves a file behind.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";

import { bench, call, task } from "./bench.mjs";

const settings = (place) => ({
  ANTHROPIC_BASE_URL: place.url,
  ANTHROPIC_AUTH_TOKEN: "any",
  ANTHROPIC_MODEL: "claude-sonnet-4-5",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_ERROR_REPORTING: "1",
  DISABLE_TELEMETRY: "1",
  // It refuses to skip permissions as root unless it is told that it is in a sandbox.
  IS_SANDBOX: "1",
});

let place;
before(async () => (place = await bench()));
after(() => place.clear());

const run = async (prompt) => {
  place.exchanges.length = 0;
  const args = ["-p", prompt, "--output-format", "json", "--permission-mode", "bypassPermissions"];
  const { code, stdout, stderr } = await place.run("claude", args, settings(place));
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const result = JSON.parse(stdout);
  assert.equal(result.is_error, false, stdout);
  assert.ok(place.exchanges.length > 0, "it asked nothing of the relay");
  for (const { method, path, status } of place.exchanges) assert.ok(status < 400, `${method} ${path}: ${status}`);
  return result;
};

test("Claude Code writes a file and reads it again", async () => {
  const path = join(place.folder, "hello.txt");
  const result = await run(
    task("Create hello.txt.", [
      [call("Write", { file_path: path, content: "salt and \"wind\"\n" })],
      [call("Bash", { command: "cat hello.txt", description: "Show it" })],
    ]),
  );
  assert.equal(await place.read("hello.txt"), 'salt and "wind"\n');
  assert.match(result.result, /^All done: salt and "wind"/);
  assert.equal(result.num_turns, 3);
});

test("Claude Code reads two files at once and edits one of them", async () => {
  await place.put("sea.txt", "The sea is calm.\n");
  await place.put("sky.txt", "The sky is blue.\n");
  const at = (name) => join(place.folder, name);
  const edit = { file_path: at("sea.txt"), old_string: "calm", new_string: "rough" };
  await run(
    task("The sea is rough: put it right.", [
      [call("Read", { file_path: at("sea.txt") }), call("Read", { file_path: at("sky.txt") })],
      [call("Edit", edit)],
    ]),
  );
  assert.equal(await place.read("sea.txt"), "The sea is rough.\n");
  assert.equal(await place.read("sky.txt"), "The sky is blue.\n");
});

test("Claude Code goes on after a tool that failed", async () => {
  const result = await run(
    task("Look at nothing.txt, then write it.", [
      [call("Bash", { command: "cat nothing.txt", description: "Show it" })],
      [call("Bash", { command: "echo something > nothing.txt", description: "Write it" })],
    ]),
  );
  assert.equal(await place.read("nothing.txt"), "something\n");
  assert.equal(result.subtype, "success");
});

test("Claude Code reaches for nothing but the relay", () => {
  assert.deepEqual(place.hosts, []);
});
