// The official Anthropic SDK for Node.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { relay, reset, sim } from "./common.mjs";

const client = new Anthropic({ baseURL: relay, apiKey: "any", maxRetries: 0 });
const model = "claude-sonnet-4-5";
const user = (content) => [{ role: "user", content }];
const tools = [{ name: "add", input_schema: { type: "object", properties: { a: { type: "integer" }, b: { type: "integer" } }, required: ["a", "b"] } }];

beforeEach(reset);

test("a message", async () => {
  const message = await client.messages.create({ model, max_tokens: 99, messages: user(sim("Hi", { reply: "Jupiter" })) });
  assert.equal(message.content[0].text, "Jupiter");
  assert.equal(message.stop_reason, "end_turn");
});

test("a stream", async () => {
  const stream = client.messages.stream({ model, max_tokens: 99, messages: user(sim("Hi", { reply: "one two", chunk: 2 })) });
  assert.equal(await stream.finalText(), "one two");
});

test("a loop of tools", async () => {
  const plan = { family: "claude", chatter: true, steps: [{ calls: [{ call: "add", with: { a: 1, b: 2 } }] }, { text: "It is {{results}}." }] };
  const messages = user(sim("Add.", { model: plan, chunk: 3 }));
  const first = await client.messages.stream({ model, max_tokens: 99, tools, messages }).finalMessage();
  const call = first.content.find((block) => block.type === "tool_use");
  assert.deepEqual(call.input, { a: 1, b: 2 });
  messages.push({ role: "assistant", content: first.content });
  messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "3" }] });
  const last = await client.messages.create({ model, max_tokens: 99, tools, messages });
  assert.match(last.content[0].text, /3/);
});

test("the SDK runs tools by itself", async () => {
  const add = betaTool({
    name: "add",
    description: "Adds two numbers.",
    inputSchema: { type: "object", properties: { a: { type: "integer" }, b: { type: "integer" } }, required: ["a", "b"] },
    run: ({ a, b }) => String(a + b),
  });
  const calls = (a, b) => ({ calls: [{ call: "add", with: { a, b } }] });
  const plan = { steps: [calls(1, 2), calls(30, 4), { text: "It is {{results}}." }] };
  for (const stream of [false, true]) {
    const runner = client.beta.messages.toolRunner({ model, max_tokens: 500, tools: [add], stream, messages: user(sim("Add.", { model: plan })) });
    const last = await runner.runUntilDone();
    assert.equal(last.content[0].text, "It is 34.");
  }
});

test("a broken stream throws", async () => {
  const stream = client.messages.stream({ model, max_tokens: 900, messages: user(sim("Hi", { tokens: 30, delay_ms: 5, fault: "cut", after: 4 })) });
  await assert.rejects(stream.finalMessage(), Anthropic.APIError);
});

test("counting and models", async () => {
  assert.ok((await client.messages.countTokens({ model, messages: user("Hello there") })).input_tokens > 0);
  const page = await client.models.list({ limit: 3 });
  assert.equal(page.data.length, 3);
});
