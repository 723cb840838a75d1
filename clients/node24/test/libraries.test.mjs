// The libraries that LibreChat and Cherry Studio are made with, streamed, with a tool.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { bench } from "./bench.mjs";

const PATHS = { chat: "/v1/chat/completions", compatible: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" };
const SCRIPT = fileURLToPath(new URL("libraries.mjs", import.meta.url));
const PLAN = {
  steps: [
    { calls: [{ call: "add", with: { a: 1, b: 2 } }, { call: "add", with: { a: 30, b: 4 } }] },
    { text: "The sums are {{results}}." },
  ],
};

let place;
before(async () => (place = await bench()));
beforeEach(() => (place.exchanges.length = 0));
after(() => place.clear());

const simulator = (path, body) =>
  fetch(process.env.SIMULATOR_URL + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

for (const [library, apis] of Object.entries({ librechat: ["chat", "responses", "messages"], cherry: ["chat", "compatible", "responses", "messages"] })) {
  for (const api of apis) {
    test(`${library} makes two calls and tells their results, by ${api}`, async () => {
      const { code, stdout, stderr } = await place.script(SCRIPT, [library, api, place.url, `Add. [[sim ${JSON.stringify({ model: PLAN })}]]`]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /The sums are 3\s+34/);
      assert.deepEqual(place.exchanges.map(({ path, status }) => [path, status]), [[PATHS[api], 200], [PATHS[api], 200]]);
    });
  }

  test(`${library} is told at once that credits are spent`, async () => {
    await simulator("/_sim/faults", { fault: "insufficient-credits", times: 0 });
    try {
      const { stdout, stderr } = await place.script(SCRIPT, [library, "chat", place.url, "Hi"]);
      assert.doesNotMatch(stdout, /sums/);
      assert.match(stderr, /credits|No output/i);
      assert.deepEqual(place.exchanges.map((exchange) => exchange.status), [402]);
    } finally {
      await simulator("/_sim/reset", {});
    }
  });
}
