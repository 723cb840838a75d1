// Ollama's own library, and its provider for Vercel's AI SDK.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { Ollama } from "ollama";
import { createOllama } from "ollama-ai-provider-v2";
import { z } from "zod";
import { relay, reset, sim } from "./common.mjs";

const headers = { authorization: "Bearer any" };
const ollama = new Ollama({ host: relay, headers });
const model = createOllama({ baseURL: `${relay}/api`, headers })("gpt-4o-mini");
const plan = { chatter: true, steps: [
  { calls: [{ call: "add", with: { a: 1, b: 2 } }, { call: "add", with: { a: 30, b: 4 } }] },
  { text: "Sums: {{results}}." },
] };
const add = tool({
  description: "Adds two numbers.",
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: async ({ a, b }) => a + b,
});
const declared = [{ type: "function", function: { name: "add", description: "Adds two numbers.", parameters: {
  type: "object", required: ["a", "b"], properties: { a: { type: "number" }, b: { type: "number" } } } } }];

beforeEach(reset);

test("ollama: a loop of tools, streamed", async () => {
  const messages = [{ role: "user", content: sim("Add.", { model: plan, chunk: 5 }) }];
  let text;
  for (let round = 0; round < 3; round++) {
    text = "";
    const calls = [];
    let last;
    for await (const part of await ollama.chat({ model: "gpt-4o-mini", messages, tools: declared, stream: true })) {
      text += part.message.content;
      calls.push(...(part.message.tool_calls ?? []));
      last = part;
    }
    assert.equal(last.done, true);
    messages.push({ role: "assistant", content: text, tool_calls: calls });
    if (!calls.length) break;
    for (const { function: { name, arguments: { a, b } } } of calls) messages.push({ role: "tool", tool_name: name, content: String(a + b) });
  }
  assert.equal(messages.length, 5);
  assert.match(text, /34/);
});

test("ollama: lists, shows, generates, fails", async () => {
  const { models } = await ollama.list();
  assert.ok(models.some(({ name }) => name === "gpt-4o-mini"));
  assert.ok((await ollama.show({ model: "gpt-4o-mini" })).capabilities.includes("tools"));
  const { response } = await ollama.generate({ model: "gpt-4o-mini", prompt: sim("Hi", { reply: "one two" }) });
  assert.equal(response, "one two");
  await assert.rejects(ollama.chat({ model: "llama-of-nobody", messages: [{ role: "user", content: "Hi" }] }), /not found/);
  const broken = await ollama.chat({ model: "gpt-4o-mini", stream: true, messages: [
    { role: "user", content: sim("Hi", { reply: "one two three four", delay_ms: 60, fault: "error-midway" }) }] });
  await assert.rejects(async () => { for await (const _ of broken); });
});

test("ai-sdk: tools, streamed and whole", async () => {
  const asked = { model, prompt: sim("Add.", { model: plan, chunk: 4 }), tools: { add }, stopWhen: stepCountIs(5), maxRetries: 0 };
  const streamed = streamText(asked);
  assert.match(await streamed.text, /34/);
  assert.equal((await streamed.steps).length, 2);
  assert.match((await generateText(asked)).text, /34/);
});

test("ai-sdk: an object by its schema", async () => {
  const schema = z.object({ name: z.string(), tags: z.array(z.string()) });
  const result = await generateText({ model, prompt: "Someone.", output: Output.object({ schema }), maxRetries: 0 });
  schema.parse(result.output);
});
