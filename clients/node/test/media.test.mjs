// The official OpenAI SDK for Node draws, changes, speaks, listens and keeps files.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { deflateSync } from "node:zlib";
import OpenAI, { toFile } from "openai";
import { journal, relay, reset, script, sim } from "./common.mjs";

const of = (apiKey) => new OpenAI({ baseURL: `${relay}/v1`, apiKey, maxRetries: 0 });
const client = of("any");
const user = (content) => [{ role: "user", content }];
const prompts = async () => (await journal()).map((entry) => JSON.stringify(entry.body));

const chunk = (kind, data) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, Buffer.from(kind), data, Buffer.alloc(4)]);
};
// Each has another width: the same picture would not be uploaded again, and upstream forgets them between tests.
let width = 8;
const png = () => {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(++width, 0);
  head.writeUInt32BE(8, 4);
  head.set([8, 2], 8);
  const rows = deflateSync(Buffer.alloc(8 * (1 + 3 * width), 0x80));
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
};
const wav = (seconds = 0.2) => {
  const bytes = Math.round(16000 * seconds);
  const head = Buffer.from("RIFF....WAVEfmt ....\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data....", "latin1");
  head.writeUInt32LE(36 + bytes, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt32LE(bytes, 40);
  return Buffer.concat([head, Buffer.alloc(bytes)]);
};
const picture = () => toFile(png(), "a.png", { type: "image/png" });
const recording = (seconds) => toFile(wav(seconds), "a.wav", { type: "audio/wav" });
const isPicture = (base64) => {
  const begin = Buffer.from(base64, "base64").subarray(0, 4).toString("latin1");
  return ["\x89PNG", "RIFF"].includes(begin) || begin.startsWith("\xff\xd8");
};

beforeEach(async () => {
  await reset();
  // Jobs are done when they are submitted, so that nobody waits for the first look.
  await script(Array.from({ length: 8 }, () => ({ endpoint: "features", polls: 0 })));
});

test("pictures by URL and as bytes", async () => {
  const byUrl = await client.images.generate({ model: "qwen-image-plus", prompt: "a cat" });
  assert.equal((await fetch(byUrl.data[0].url)).status, 200);
  const asBytes = await client.images.generate({ model: "qwen-image-plus", prompt: "a cat", response_format: "b64_json" });
  assert.ok(isPicture(asBytes.data[0].b64_json) && !asBytes.data[0].url);
  const several = await client.images.generate({ model: "gpt-image-1", prompt: "a cat", n: 3, size: "1536x1024" });
  assert.equal(several.data.filter((one) => isPicture(one.b64_json)).length, 3);
});

test("a streamed picture is its final event", async () => {
  const stream = await client.images.generate({ model: "gpt-image-1", prompt: "a cat", stream: true });
  const events = [];
  for await (const event of stream) events.push(event);
  assert.equal(events.at(-1).type, "image_generation.completed");
  assert.ok(isPicture(events.at(-1).b64_json));
});

test("a job is waited for", async () => {
  await reset();
  const made = await client.images.generate({ model: "gpt-image-1", prompt: "a cat" });
  assert.ok(isPicture(made.data[0].b64_json));
  assert.equal((await journal("/api/features")).length, 1);
});

test("a picture is changed and varied", async () => {
  const edited = await client.images.edit({ model: "gpt-image-1", image: await picture(), prompt: "blue" });
  assert.ok(isPicture(edited.data[0].b64_json));
  const several = await client.images.edit({ model: "gemini-3-pro-image-preview", image: [await picture(), await picture()], prompt: "both" });
  assert.ok(several.data[0].url);
  const masked = await client.images.edit({ model: "stable-image", image: await picture(), mask: await picture(), prompt: "blue" });
  assert.ok(masked.data[0].url);
  const stream = await client.images.edit({ model: "gpt-image-1", image: await picture(), prompt: "blue", stream: true });
  let last;
  for await (const event of stream) last = event;
  assert.equal(last.type, "image_edit.completed");
  const { data: varied, response } = await client.images.createVariation({ image: await picture(), response_format: "b64_json" }).withResponse();
  assert.ok(isPicture(varied.data[0].b64_json));
  assert.equal(response.headers.get("x-relay-model"), "magic-art");
});

test("what cannot be drawn is refused with what can", async () => {
  const refused = (asking, param, word) =>
    assert.rejects(asking, (error) => error instanceof OpenAI.BadRequestError && error.param === param && error.message.includes(word));
  await refused(client.images.generate({ model: "gpt-image-1", prompt: "a cat", size: "1024x777" }), "size", "1024x1024");
  await refused(client.images.generate({ model: "gpt-image-1", prompt: "a cat", n: 0 }), "n", "1 to 10");
  const none = await toFile(Buffer.from("no picture"), "a.png");
  await refused(client.images.edit({ model: "gpt-image-1", image: none, prompt: "blue" }), "image", "PNG");
  await assert.rejects(client.images.generate({ model: "gpt-4o-mini", prompt: "a cat" }), OpenAI.NotFoundError);
});

test("a recording is written down in every form", async () => {
  const ask = async (more) => client.audio.transcriptions.create({ model: "whisper-1", file: await recording(), ...more });
  assert.ok((await ask()).text);
  assert.equal(typeof (await ask({ response_format: "text" })), "string");
  assert.match(await ask({ response_format: "srt" }), /-->/);
  assert.match(await ask({ response_format: "vtt" }), /^WEBVTT/);
  const verbose = await ask({ response_format: "verbose_json", timestamp_granularities: ["segment"] });
  assert.ok(Array.isArray(verbose.segments) && verbose.duration >= 0);
  let text = "";
  for await (const event of await ask({ stream: true })) if (event.type === "transcript.text.delta") text += event.delta;
  assert.ok(text);
  assert.ok((await client.audio.translations.create({ model: "whisper-1", file: await recording() })).text);
  for (const bytes of ["", "no recording at all"]) {
    const file = await toFile(Buffer.from(bytes), "a.wav");
    await assert.rejects(client.audio.transcriptions.create({ model: "whisper-1", file }), OpenAI.BadRequestError);
  }
});

test("a text is spoken", async () => {
  const ask = (more) => client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "Hello", ...more });
  const answer = await ask();
  assert.match(answer.headers.get("content-type"), /^audio\/mpeg/);
  assert.ok((await answer.arrayBuffer()).byteLength > 100);
  const riff = Buffer.from(await (await ask({ response_format: "wav" })).arrayBuffer());
  assert.equal(riff.subarray(0, 4).toString(), "RIFF");
  const events = await (await ask({ stream_format: "sse" })).text();
  assert.match(events, /speech\.audio\.delta[^]*speech\.audio\.done/);
  await assert.rejects(ask({ voice: "nobody" }), (error) => error.status === 400 && error.message.includes("alloy"));
});

test("files are kept, listed page by page, used and deleted", async () => {
  const mine = of("node-files");
  const made = [];
  for (let n = 0; n < 5; n++) {
    const file = await toFile(Buffer.from(`note ${n}: remember the milk`), `notes-${n}.txt`);
    made.push(await mine.files.create({ file, purpose: "user_data" }));
  }
  const ids = made.map((file) => file.id);
  assert.equal((await mine.files.retrieve(ids[2])).filename, "notes-2.txt");
  assert.equal(await (await mine.files.content(ids[2])).text(), "note 2: remember the milk");
  const listed = [];
  for await (const file of mine.files.list({ limit: 2, order: "asc" })) listed.push(file.id);
  assert.deepEqual(listed, ids);
  const vision = [];
  for await (const file of mine.files.list({ purpose: "vision" })) vision.push(file.id);
  assert.deepEqual(vision, []);
  const part = { type: "file", file: { file_id: ids[0] } };
  await mine.chat.completions.create({ model: "gpt-4o-mini", messages: user([{ type: "text", text: "?" }, part]) });
  assert.match((await prompts())[0], /"files"/);
  await assert.rejects(of("another").files.retrieve(ids[0]), OpenAI.NotFoundError);
  for (const id of ids) assert.equal((await mine.files.delete(id)).deleted, true);
  await assert.rejects(mine.files.retrieve(ids[0]), OpenAI.NotFoundError);
});

test("an assistant is made, changed, listed, a model, and deleted", async () => {
  const mine = of("node-assistants");
  // Newer SDKs have no methods for assistants left; the endpoints are the same.
  const assistants = mine.beta.assistants ?? {
    create: (body) => mine.post("/assistants", { body }),
    retrieve: (id) => mine.get(`/assistants/${id}`),
    update: (id, body) => mine.post(`/assistants/${id}`, { body }),
    list: () => mine.get("/assistants"),
    delete: (id) => mine.delete(`/assistants/${id}`),
  };
  const made = await assistants.create({ model: "gpt-4o-mini", name: "poet", instructions: "answer in rhymes" });
  assert.equal((await assistants.retrieve(made.id)).name, "poet");
  await assistants.update(made.id, { instructions: "answer in prose" });
  assert.ok((await assistants.list()).data.some((one) => one.id === made.id));
  await mine.chat.completions.create({ model: made.id, messages: user("Hello") });
  assert.match((await prompts())[0], /answer in prose/);
  assert.equal((await assistants.delete(made.id)).deleted, true);
  await assert.rejects(assistants.retrieve(made.id), OpenAI.NotFoundError);
});

for (const stream of [false, true]) {
  test(`chat is a door to media, ${stream ? "streamed" : "whole"}`, async () => {
    const say = async (model, messages) => {
      const answer = await client.chat.completions.create({ model, messages, stream });
      if (!stream) return answer.choices[0].message.content;
      let text = "";
      for await (const chunk of answer) text += chunk.choices[0]?.delta.content ?? "";
      return text;
    };
    const drawn = await say("qwen-image-plus", user("a cat"));
    assert.match(drawn, /^!\[Variation 1\]\(http[^]*\[_V1_\]/);
    const history = [...user("a cat"), { role: "assistant", content: drawn }, ...user("[_V1_]")];
    assert.match(await say("magic-art", history), /\]\(http/);
    assert.match(await say("tts-1", user("Hello")), /\]\(http/);
    const data = wav(stream ? 0.31 : 0.32).toString("base64");
    const audio = { type: "input_audio", input_audio: { data, format: "wav" } };
    assert.ok(await say("whisper-1", user([audio])));
  });
}

test("a recording in a message is heard once", async () => {
  const audio = { type: "input_audio", input_audio: { data: wav(0.33).toString("base64"), format: "wav" } };
  const messages = user([{ type: "text", text: sim("What is said?", { reply: "Silence." }) }, audio]);
  for (let n = 0; n < 2; n++) {
    const answer = await client.chat.completions.create({ model: "gpt-4o-mini", messages });
    assert.equal(answer.choices[0].message.content, "Silence.");
  }
  assert.equal((await journal("/api/features")).length, 1);
});
