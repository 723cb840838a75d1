// Vercel's AI SDK with three providers.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { relay, reset, sim } from "./common.mjs";

const baseURL = `${relay}/v1`;
const openai = createOpenAI({ baseURL, apiKey: "any" });
const models = {
  "openai chat": openai.chat("gpt-4o-mini"),
  "openai responses": openai.responses("gpt-4o-mini"),
  anthropic: createAnthropic({ baseURL, apiKey: "any" })("claude-sonnet-4-5"),
  compatible: createOpenAICompatible({ name: "relay", baseURL, apiKey: "any", supportsStructuredOutputs: true })("gpt-4o-mini"),
};
const add = tool({
  description: "Adds two numbers.",
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: async ({ a, b }) => a + b,
});
const plan = { chatter: true, steps: [
  { calls: [{ call: "add", with: { a: 1, b: 2 } }, { call: "add", with: { a: 30, b: 4 } }] },
  { text: "Sums: {{results}}." },
] };

beforeEach(reset);

for (const [name, model] of Object.entries(models)) {
  test(`${name}: streamText with tools`, async () => {
    const result = streamText({ model, prompt: sim("Add.", { model: plan, chunk: 4 }), tools: { add }, stopWhen: stepCountIs(5), maxRetries: 0 });
    const text = await result.text;
    assert.match(text, /34/);
    assert.equal((await result.steps).length, 2);
    assert.equal(await result.finishReason, "stop");
  });

  test(`${name}: generateText with tools`, async () => {
    const result = await generateText({ model, prompt: sim("Add.", { model: plan }), tools: { add }, stopWhen: stepCountIs(5), maxRetries: 0 });
    assert.match(result.text, /34/);
  });

  test(`${name}: an object by its schema`, async () => {
    const schema = z.object({ name: z.string(), tags: z.array(z.string()) });
    const result = await generateText({ model, prompt: "Someone.", output: Output.object({ schema }), maxRetries: 0 });
    schema.parse(result.output);
  });
}
