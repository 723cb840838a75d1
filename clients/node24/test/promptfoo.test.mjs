// promptfoo evaluates one question by four APIs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { bench } from "./bench.mjs";

let place;
before(async () => (place = await bench()));
after(() => place.clear());

test("promptfoo's matrix of four providers passes", async () => {
  const config = { apiKey: "any", apiBaseUrl: `${place.url}/v1` };
  const weather = { type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } };
  const plan = { steps: [{ calls: [{ call: "weather", with: { city: "Paris" } }] }] };
  const providers = [
    { id: "openai:chat:gpt-4o-mini", label: "chat", config },
    { id: "openai:responses:gpt-4o-mini", label: "responses", config },
    { id: "anthropic:messages:claude-sonnet-4-5", label: "messages", config: { ...config, apiBaseUrl: place.url } },
    { id: "ollama:chat:gpt-4o-mini", label: "ollama" },
    { id: "openai:chat:gpt-4o-mini", label: "tools", config: { ...config, tools: [weather], tool_choice: "required" } },
  ];
  const question = (text, more) => `${text} [[sim ${JSON.stringify(more)}]]`;
  const tests = [
    { vars: { question: question("The largest planet?", { reply: "Jupiter is large." }) }, assert: [{ type: "contains", value: "Jupiter" }], providers: ["chat", "responses", "messages", "ollama"] },
    { vars: { question: question("The weather?", { model: plan }) }, assert: [{ type: "contains", value: "Paris" }], providers: ["tools"] },
  ];
  await place.put("promptfooconfig.json", JSON.stringify({ prompts: ["{{question}}"], providers, tests }));
  const environment = {
    OLLAMA_BASE_URL: place.url,
    OLLAMA_API_KEY: "any",
    PROMPTFOO_DISABLE_TELEMETRY: "1",
    PROMPTFOO_DISABLE_UPDATE: "1",
    PROMPTFOO_SELF_HOSTED: "1",
  };
  const args = ["eval", "--no-cache", "--no-table", "-c", "promptfooconfig.json", "-o", "out.json"];
  const { code, stdout, stderr } = await place.program("node_modules/promptfoo/dist/src/entrypoint.js", args, environment);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const { results } = JSON.parse(await place.read("out.json"));
  assert.equal(results.stats.failures + results.stats.errors, 0, stdout);
  const paths = new Set(place.exchanges.map((exchange) => exchange.path));
  assert.deepEqual([...paths].sort(), ["/api/chat", "/v1/chat/completions", "/v1/messages", "/v1/responses"]);
});
