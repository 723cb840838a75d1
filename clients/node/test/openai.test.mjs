// The official OpenAI SDK for Node.
import assert from "node:assert/strict";
import http from "node:http";
import { beforeEach, test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { journal, relay, replies, reset, sim, untilLeft } from "./common.mjs";

const client = new OpenAI({ baseURL: `${relay}/v1`, apiKey: "any", maxRetries: 0 });
const model = "gpt-4o-mini";
const user = (content) => [{ role: "user", content }];
const tools = [
  {
    type: "function",
    function: {
      name: "add",
      parameters: { type: "object", properties: { a: { type: "integer" }, b: { type: "integer" } }, required: ["a", "b"] },
    },
  },
];

beforeEach(reset);

test("a completion", async () => {
  const completion = await client.chat.completions.create({ model, messages: user(sim("Hi", { reply: "Jupiter 🚀" })) });
  assert.equal(completion.choices[0].message.content, "Jupiter 🚀");
  assert.ok(completion.usage.total_tokens > 0);
});

test("a stream", async () => {
  const stream = client.chat.completions.stream({ model, messages: user(sim("Hi", { reply: "one two three", chunk: 2 })) });
  assert.equal(await stream.finalContent(), "one two three");
});

test("usage at the end of a stream", async () => {
  const stream = await client.chat.completions.create({
    model, stream: true, stream_options: { include_usage: true }, messages: user(sim("Hi", { reply: "one" })),
  });
  let last;
  for await (const chunk of stream) last = chunk;
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.completion_tokens > 0);
});

test("failures are the right exceptions", async () => {
  const ask = (fault) => client.chat.completions.create({ model, messages: user(sim("Hi", { fault })) });
  await assert.rejects(ask("rate-limited"), OpenAI.RateLimitError);
  await assert.rejects(ask("unauthorized"), OpenAI.AuthenticationError);
  await assert.rejects(ask("insufficient-credits"), (error) => error.status === 402);
  await assert.rejects(client.models.retrieve("nothing"), OpenAI.NotFoundError);
});

test("a broken stream throws, whatever the connection does", async () => {
  const agent = new http.Agent({ keepAlive: false });
  const messages = user(sim("Hi", { tokens: 30, delay_ms: 5, fault: "cut", after: 4 }));
  for (const headers of [{}, { Connection: "close" }]) {
    const read = async () => {
      const stream = await client.chat.completions.create({ model, messages, stream: true }, { headers, httpAgent: agent });
      for await (const _ of stream);
    };
    await assert.rejects(read(), OpenAI.APIError);
  }
});

test("retries of the SDK never pay twice", async () => {
  const eager = new OpenAI({ baseURL: `${relay}/v1`, apiKey: "any", maxRetries: 2 });
  await assert.rejects(eager.chat.completions.create({ model, messages: user(sim("Hi", { fault: "cut" })) }));
  assert.equal((await journal()).length, 1);
});

test("leaving cancels upstream", async () => {
  const stream = await client.chat.completions.create({ model, stream: true, messages: user(sim("Hi", { tokens: 500, delay_ms: 20 })) });
  for await (const _ of stream) break;
  assert.ok(await untilLeft());
});

test("a loop of tools with the SDK's runner", async () => {
  const plan = { family: "gpt", chatter: true, steps: [
    { calls: [{ call: "add", with: { a: 1, b: 2 } }, { call: "add", with: { a: 3, b: 4 } }] },
    { calls: [{ call: "add", with: { a: 3, b: 7 } }] },
    { text: "The sum is {{results}}." },
  ] };
  for (const stream of [false, true]) {
    const runner = client.chat.completions.runTools({
      model, stream, messages: user(sim("Add.", { model: plan, chunk: 5 })),
      tools: [{ type: "function", function: { ...tools[0].function, parse: JSON.parse, function: ({ a, b }) => String(a + b) } }],
    });
    assert.match(await runner.finalContent(), /10/);
  }
});

test("a schema by zod", async () => {
  const shape = z.object({ name: z.string(), tags: z.array(z.string()), age: z.number().nullable() });
  const completion = await client.chat.completions.parse({
    model, messages: user("Someone."), response_format: zodResponseFormat(shape, "person"),
  });
  shape.parse(completion.choices[0].message.parsed);
  await replies("no", "never", "at all");
  await assert.rejects(
    client.chat.completions.parse({ model, messages: user("Someone."), response_format: zodResponseFormat(shape, "person") }),
    (error) => error.status === 502,
  );
});
