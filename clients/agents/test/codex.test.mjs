// Codex CLI without a terminal: each task needs its own tools and leaves a file behind.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { bench, call, task } from "./bench.mjs";

const config = (url) => `
model_provider = "relay"
approval_policy = "never"
check_for_update_on_startup = false

[model_providers.relay]
name = "relay"
base_url = "${url}/v1"
env_key = "ONEMIN_API_KEY"
wire_api = "responses"

[analytics]
enabled = false

# What it would look for on other hosts.
[features]
apps = false
plugins = false
remote_plugin = false
`;

let place;
before(async () => {
  place = await bench();
  await mkdir(join(place.home, ".codex"));
  await writeFile(join(place.home, ".codex", "config.toml"), config(place.url));
});
after(() => place.clear());

const run = async (model, prompt, sandbox = "danger-full-access") => {
  place.exchanges.length = 0;
  const args = ["exec", "--skip-git-repo-check", "--json", "--sandbox", sandbox, "--model", model, prompt];
  const { code, stdout, stderr } = await place.run("codex", args, { ONEMIN_API_KEY: "any" });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.ok(place.exchanges.length > 0, "it asked nothing of the relay");
  for (const { method, path, status } of place.exchanges) assert.ok(status < 400, `${method} ${path}: ${status}`);
  const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(events.at(-1).type, "turn.completed", stdout);
  return events.filter((event) => event.type === "item.completed").map((event) => event.item);
};

const said = (items) => items.filter((item) => item.type === "agent_message").map((item) => item.text).join("\n");

test("Codex writes a file by a command and reads it again", async () => {
  const items = await run(
    "gpt-4o",
    task("Create hello.txt.", [
      [call("exec_command", { cmd: `printf '%s\\n' 'salt and "wind"' > hello.txt` })],
      [call("exec_command", { cmd: "cat hello.txt" })],
    ]),
  );
  assert.equal(await place.read("hello.txt"), 'salt and "wind"\n');
  assert.match(said(items), /All done: [^]*salt and "wind"/);
  const commands = items.filter((item) => item.type === "command_execution");
  assert.deepEqual(commands.map((item) => item.exit_code), [0, 0]);
});

test("Codex changes a file by a patch", async () => {
  await place.put("sea.txt", "The sea is calm.\nThe sky is blue.\n");
  const patch = "*** Begin Patch\n*** Update File: sea.txt\n@@\n-The sea is calm.\n+The sea is rough.\n The sky is blue.\n*** End Patch\n";
  const items = await run("gpt-5.5", task("The sea is rough: put it right.", [[call("apply_patch", { input: patch })]]));
  assert.equal(await place.read("sea.txt"), "The sea is rough.\nThe sky is blue.\n");
  assert.equal(items.filter((item) => item.type === "file_change").length, 1);
});

test("Codex changes a file by a script, in the mode that its newer models have", async () => {
  await place.put("sky.txt", "The sky is blue.\n");
  const script = `const done = await tools.exec_command({ cmd: "sed -i s/blue/grey/ sky.txt && cat sky.txt" });\ntext(done.output);\n`;
  const items = await run("gpt-5.6-sol", task("The sky is grey: put it right.", [[call("exec", { input: script })]]));
  assert.equal(await place.read("sky.txt"), "The sky is grey.\n");
  assert.match(said(items), /All done: [^]*The sky is grey/);
});

test("Codex goes on after a command that failed", async () => {
  const items = await run(
    "gpt-4o",
    task("Look at nothing.txt, then write it.", [
      [call("exec_command", { cmd: "cat nothing.txt" })],
      [call("exec_command", { cmd: "echo something > nothing.txt" })],
    ]),
  );
  assert.equal(await place.read("nothing.txt"), "something\n");
  assert.match(said(items), /All done/);
});

// Which of the requests that upstream had for a task were searches.
const searches = async (words) => {
  const { entries } = await (await fetch(`${process.env.SIMULATOR_URL}/_sim/journal?path=/api/chat-with-ai`)).json();
  const asked = entries.map((entry) => entry.body?.promptObject).filter((asked) => asked?.prompt.includes(words));
  return asked.map((asked) => asked.settings?.webSearchSettings?.webSearch === true);
};

test("Codex's offer of a web search is taken once for a question, and not at all in a sandbox", async () => {
  const rounds = ["pwd", "ls"].map((cmd) => [call("exec_command", { cmd })]);
  for (const [sandbox, words, expected] of [
    ["danger-full-access", "Look freely.", [true, false, false]],
    ["workspace-write", "Look from a sandbox.", [false, false, false]],
  ]) {
    await run("gpt-4o", task(words, rounds), sandbox);
    assert.deepEqual(await searches(words), expected, sandbox);
  }
});

test("Codex reaches for nothing but the relay", () => {
  assert.deepEqual(place.hosts, []);
});
