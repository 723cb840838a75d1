// A relay whose owner hands out access keys with budgets: the SDKs, and what other clients ask of one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

import { start } from "../../page/test/relay.mjs";

const ADMIN = "the-admin-key-of-the-client-suites";
const messages = [{ role: "user", content: "Say hello" }];

let relay;
before(async () => {
  relay = await start({ ADMIN_KEY: ADMIN, ONEMIN_API_KEYS: "family=key-of-the-family" });
});
after(() => relay.stop());

async function manage(method, path, fields) {
  const answer = await fetch(relay.url + path, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
    body: fields && JSON.stringify(fields),
  });
  assert.equal(answer.status, 200, path);
  return answer.json();
}

async function makeKey(fields) {
  const { key, data } = await manage("POST", "/v1/keys", fields);
  return { key, hash: data.hash };
}

/** Requests of a key in the ledger, once there are so many: they are written within a quarter of a second. */
async function requests(hash, expected) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { data } = await manage("GET", `/v1/usage/requests?key=${hash}`);
    if (data.length >= expected) return data;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`the ledger has no ${expected} requests`);
}

test("OpenAI's SDK works within the budget, and is refused once beyond it", async () => {
  const { key, hash } = await makeKey({ name: "openai", budgets: [{ per: "month", credits: 1_000_000 }] });
  const client = new OpenAI({ baseURL: `${relay.url}/v1`, apiKey: key });
  const { data, response } = await client.chat.completions.create({ model: "gpt-4o-mini", messages }).withResponse();
  assert.ok(data.choices[0].message.content);
  assert.ok(Number(response.headers.get("x-relay-credits-left")) < 1_000_000);
  let text = "";
  for await (const chunk of await client.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? "";
  }
  assert.ok(text);
  const answered = await client.responses.create({ model: "gpt-4o-mini", input: "Say hello" });
  assert.ok(answered.output_text);
  const booked = await requests(hash, 3);
  assert.ok(booked.every((row) => row.end === "answered" && row.source === "reported" && row.credits > 0));

  await manage("PATCH", `/v1/keys/${hash}`, { budgets: [{ per: "month", credits: 1 }] });
  await assert.rejects(client.chat.completions.create({ model: "gpt-4o-mini", messages }), (error) => {
    assert.ok(error instanceof OpenAI.APIError);
    assert.equal(error.status, 402);
    assert.equal(error.code, "insufficient_quota");
    assert.match(error.message, /budget resets at/);
    return true;
  });
  const refused = (await requests(hash, 4)).filter((row) => row.end === "refused:out_of_credits");
  assert.equal(refused.length, 1, "the SDK does not repeat it");
});

test("Anthropic's SDK works within the budget, and is refused once beyond it", async () => {
  const { key, hash } = await makeKey({ name: "anthropic", limit: 1_000_000, limit_reset: "daily" });
  for (const credentials of [{ apiKey: key }, { apiKey: null, authToken: key }]) {
    const client = new Anthropic({ baseURL: relay.url, ...credentials });
    const message = await client.messages.create({ model: "claude-sonnet-4-5", max_tokens: 200, messages });
    assert.equal(message.content[0].type, "text");
    const final = await client.messages.stream({ model: "claude-sonnet-4-5", max_tokens: 200, messages }).finalMessage();
    assert.equal(final.stop_reason, "end_turn");
  }
  await requests(hash, 4);
  await manage("PATCH", `/v1/keys/${hash}`, { limit: 1 });
  const client = new Anthropic({ baseURL: relay.url, apiKey: key });
  await assert.rejects(client.messages.create({ model: "claude-sonnet-4-5", max_tokens: 200, messages }), (error) => {
    assert.ok(error instanceof Anthropic.APIError);
    assert.equal(error.status, 402);
    assert.equal(error.error.type, "error");
    return true;
  });
  const refused = (await requests(hash, 5)).filter((row) => row.end === "refused:out_of_credits");
  assert.equal(refused.length, 1, "the SDK does not repeat it");
});

test("a key that is disabled or invented is an authentication error in both SDKs", async () => {
  const { key, hash } = await makeKey({ name: "gone" });
  await manage("PATCH", `/v1/keys/${hash}`, { disabled: true });
  const invented = key.slice(0, -8) + "AAAAAAAA";
  for (const apiKey of [key, invented]) {
    const openai = new OpenAI({ baseURL: `${relay.url}/v1`, apiKey });
    await assert.rejects(openai.chat.completions.create({ model: "gpt-4o-mini", messages }), OpenAI.AuthenticationError);
    const anthropic = new Anthropic({ baseURL: relay.url, apiKey });
    await assert.rejects(
      anthropic.messages.create({ model: "claude-sonnet-4-5", max_tokens: 9, messages }), Anthropic.AuthenticationError);
  }
});

test("NextChat's two billing calls", async () => {
  const { key, hash } = await makeKey({ name: "nextchat", budgets: [{ per: "month", credits: 50_000 }] });
  await new OpenAI({ baseURL: `${relay.url}/v1`, apiKey: key }).chat.completions.create({ model: "gpt-4o-mini", messages });
  const [{ credits }] = await requests(hash, 1);
  const date = (at) => `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
  const now = new Date();
  const first = date(new Date(now.getFullYear(), now.getMonth(), 1));
  const last = date(new Date(Date.now() + 24 * 60 * 60 * 1000));
  // With and without /v1, as its base URL is written.
  for (const base of [relay.url, `${relay.url}/v1`]) {
    const ask = (path) => fetch(`${base}/dashboard/billing/${path}`, {
      headers: { "Content-Type": "application/json", Accept: "application/json", Authorization: `Bearer ${key}` },
    });
    const [used, subscription] = await Promise.all([ask(`usage?start_date=${first}&end_date=${last}`), ask("subscription")]);
    assert.ok(used.ok && subscription.ok);
    assert.equal(Math.round((await used.json()).total_usage) / 100, Math.round(credits * 100) / 100);
    assert.equal((await subscription.json()).hard_limit_usd, 50_000);
  }
});

test("Open WebUI's connection: it is verified by the list of models, then asked as it is shown", async () => {
  const { key } = await makeKey({ name: "open webui", models: ["gpt-4o*"] });
  const headers = {
    Authorization: `Bearer ${key}`,
    "Content-Type": "application/json",
    "X-OpenWebUI-User-Name": "Anna",
    "X-OpenWebUI-User-Id": "1",
    "X-OpenWebUI-User-Email": "anna@example.com",
    "X-OpenWebUI-User-Role": "user",
  };
  const verified = await fetch(`${relay.url}/v1/models`, { headers });
  assert.equal(verified.status, 200);
  const { data } = await verified.json();
  assert.ok(data.length > 0 && data.every(({ id, object }) => id.startsWith("gpt-4o") && object === "model"));
  const wrong = await fetch(`${relay.url}/v1/models`, { headers: { ...headers, Authorization: "Bearer sk-relay-wrong" } });
  assert.equal(wrong.status, 401);
  assert.ok((await wrong.json()).error.message, "which it shows to the admin");

  const asked = { model: data[0].id, messages, stream: true, stream_options: { include_usage: true } };
  const answer = await fetch(`${relay.url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(asked) });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type"), /^text\/event-stream/);
  assert.match(await answer.text(), /data: \[DONE\]\n\n$/);
  // The title of the conversation is asked for beside it, whole.
  const title = { ...asked, stream: false, stream_options: undefined, max_completion_tokens: 1000 };
  const told = await fetch(`${relay.url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(title) });
  assert.ok((await told.json()).choices[0].message.content);
});
