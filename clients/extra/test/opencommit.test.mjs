// opencommit writes a commit's message, by OpenAI's API and by Ollama's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";

import { bench } from "../../agents/test/bench.mjs";

const script = (script) =>
  fetch(`${process.env.SIMULATOR_URL}/_sim/script`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(script),
  });

let place;
const git = (...args) => execFileSync("git", args, { cwd: place.folder, encoding: "utf8" });
before(async () => {
  place = await bench();
  git("init", "-q");
  git("config", "user.name", "Ann");
  git("config", "user.email", "ann@example.org");
});
after(() => place.clear());

for (const [provider, path, settings] of [
  ["openai", "/v1/chat/completions", (url) => ({ OCO_API_URL: `${url}/v1` })],
  ["ollama", "/api/chat", (url) => ({ OCO_API_URL: url, OCO_API_CUSTOM_HEADERS: '{"authorization": "Bearer any"}' })],
]) {
  test(`opencommit commits, by ${path}`, async () => {
    place.exchanges.length = 0;
    await place.put("sea.txt", `The sea is calm, says ${provider}.\n`);
    git("add", ".");
    await script({ replies: [`feat(sea.txt): note the sea by ${provider}`] });
    const { code, stdout, stderr } = await place.run("oco", ["--yes"], {
      OCO_AI_PROVIDER: provider,
      OCO_API_KEY: "any",
      OCO_MODEL: "gpt-4o-mini",
      OCO_GITPUSH: "false",
      // It takes no exception from a proxy.
      ...Object.fromEntries(["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map((name) => [name, ""])),
      ...settings(place.url),
    });
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(git("log", "-1", "--format=%s"), new RegExp(`note the sea by ${provider}`));
    assert.deepEqual(place.exchanges.map((exchange) => [exchange.path, exchange.status]), [[path, 200]]);
  });
}
