// A place to try a model: chat with a picture, images, speech, and what each cost.
import { problemOf, send, tab } from "./api.js";
import { announce, busy, button, field, h, heading, problem, select, show, small } from "./dom.js";
import { count, credits, seconds } from "./format.js";
import { catalogue, kindsOf, price } from "./models.js";

const TASKS = [["chat", "Chat"], ["image", "Image"], ["speech", "Speech"]];
const PREFERRED = { chat: "gpt-4o-mini", image: "gpt-image-1-mini", speech: "tts-1" };
const LARGEST_PICTURE = 20 * 1024 * 1024;

export async function tryOut(place, { relay, session, signal, query }) {
  const body = h("div");
  const key = h("input", { type: "password", name: "key", autocomplete: "off", spellcheck: "false", value: tab.key, oninput: () => { tab.key = key.value.trim(); } });
  const what = relay.keys === "off" ? "Your 1min.ai key" : session.role === "admin" ? "An access key (sk-relay-…)" : "Your key";
  // A holder's session is enough.
  const isHolder = session.role === "key";
  const call = (path, body, until) => send((isHolder ? "/admin/api/try" : "/v1") + path,
    { method: "POST", body, key: isHolder ? undefined : tab.key, signal: until, patience: 0 });
  show(place,
    heading("Try a model"),
    isHolder
      ? h("p", { class: "soft" }, `Each answer costs credits of ${session.name}.`)
      : h("form", { class: "card", onsubmit: (event) => event.preventDefault() },
        field(what, key),
        small("It stays in this tab and is forgotten on reload. Each answer costs credits.")),
    body);
  if (!isHolder && !tab.key) key.focus();
  show(body, busy("Loading the catalogue…"));
  let models;
  try {
    models = await catalogue(session, signal);
  } catch (error) {
    if (!signal.aborted) show(body, problem(error, () => tryOut(place, { relay, session, signal, query })));
    return;
  }
  if (signal.aborted) return;
  const wanted = models.find(({ id }) => id === query.get("model"));
  const first = TASKS.find(([task]) => wanted && kindsOf(wanted).includes(task))?.[0] ?? "chat";
  const panel = h("div");
  const pick = (task) => show(panel, PANELS[task](models.filter((model) => kindsOf(model).includes(task)), wanted, signal, call));
  show(body,
    h("div", { class: "choice", role: "radiogroup", "aria-label": "What to try" }, TASKS.map(([task, name]) =>
      h("label", {}, h("input", { type: "radio", name: "task", value: task, checked: task === first, onchange: () => pick(task) }), name))),
    h("p"), panel);
  pick(first);
}

/** The choice of a model, with its price beneath. */
function modelChoice(models, wanted, task) {
  const ids = models.map(({ id }) => id);
  const chosen = ids.includes(wanted?.id) ? wanted.id : ids.includes(PREFERRED[task]) ? PREFERRED[task] : ids[0];
  const choice = select("model", models.map(({ id, name }) => [id, name && name !== id ? `${id} (${name})` : id]), chosen);
  const cost = h("p", { class: "label" });
  const tell = () => {
    const model = models.find(({ id }) => id === choice.value);
    show(cost, "Credits: ", price(model));
  };
  choice.addEventListener("input", tell);
  tell();
  return { choice, element: h("div", {}, field("Model", choice), cost) };
}

/** What an answer cost, by its headers. */
function costLine(headers, began) {
  const spent = headers.get("x-relay-credits");
  return small(`${spent === null ? "credits not reported" : `${credits(Number(spent))} credits`} · ${seconds(performance.now() - began)}`);
}

function needKey() {
  const key = document.querySelector("input[name=key]");
  if (!key || tab.key) return false;
  key.setCustomValidity("A key is needed to ask a model.");
  key.reportValidity();
  key.setCustomValidity("");
  return true;
}

function chatPanel(models, wanted, signal, call) {
  const { choice, element } = modelChoice(models, wanted, "chat");
  const message = h("textarea", { name: "message", required: true, value: "", placeholder: "Ask something" });
  const picture = h("input", { type: "file", name: "picture", accept: "image/png,image/jpeg,image/webp,image/gif" });
  const log = h("div", { class: "log", role: "log", "aria-label": "Conversation", tabindex: "0" });
  const trouble = h("div");
  const go = h("button", { class: "main" }, "Send");
  const stop = button("Stop");
  stop.hidden = true;
  const fresh = button("New conversation", () => { turns.length = 0; show(log); show(trouble); message.focus(); });
  const turns = [];
  const ask = async (event) => {
    event?.preventDefault();
    if (needKey() || go.disabled || !message.value.trim()) return;
    const leave = new AbortController();
    const text = message.value;
    show(trouble);
    let content = text;
    const mine = h("div", { class: "said mine" }, text);
    try {
      const url = await pictureOf(picture);
      if (url) {
        content = [{ type: "text", text }, { type: "image_url", image_url: { url } }];
        mine.prepend(h("img", { src: url, alt: "attached picture" }));
      }
    } catch (error) {
      show(trouble, problem(error));
      return;
    }
    const words = h("span");
    const answer = h("div", { class: "said" }, words, busy("Waiting for the model…"));
    log.append(mine, answer);
    log.setAttribute("aria-busy", "true");
    go.disabled = fresh.disabled = true;
    stop.hidden = false;
    stop.onclick = () => leave.abort();
    message.value = "";
    picture.value = "";
    const began = performance.now();
    try {
      const body = { model: choice.value, stream: true, stream_options: { include_usage: true }, messages: [...turns, { role: "user", content }] };
      const said = await read(await call("/chat/completions", body, AbortSignal.any([signal, leave.signal])), (piece) => {
        answer.querySelector(".busy")?.remove();
        words.append(piece);
      });
      turns.push({ role: "user", content }, { role: "assistant", content: said.text });
      if (!said.text) words.append("The answer is empty.");
      answer.append(small([
        said.credits !== undefined ? `${credits(said.credits)} credits` : "credits not reported",
        said.usage && `${count(said.usage.prompt_tokens)} tokens in, ${count(said.usage.completion_tokens)} out`,
        seconds(performance.now() - began)].filter(Boolean).join(" · ")));
      announce("The answer is complete");
    } catch (error) {
      if (signal.aborted) return;
      if (leave.signal.aborted) {
        answer.append(small("Stopped."));
      } else {
        message.value = text;
        answer.append(problem(error));
      }
    } finally {
      answer.querySelector(".busy")?.remove();
      log.removeAttribute("aria-busy");
      go.disabled = fresh.disabled = false;
      stop.hidden = true;
    }
  };
  message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) ask(event);
  });
  return h("form", { class: "card", onsubmit: ask }, log, trouble,
    h("div", { class: "fields" }, h("div", { class: "all" }, element), h("div", { class: "all" }, field("Message", message), small("Enter sends, Shift+Enter begins a new line.")),
      h("div", { class: "all" }, field("Picture (for models with vision)", picture))),
    h("div", { class: "row end" }, fresh, stop, go));
}

/** The chosen file as a data URL; nothing if none is chosen. */
function pictureOf(input) {
  const [file] = input.files;
  if (!file) return undefined;
  if (file.size > LARGEST_PICTURE) throw Object.assign(new Error("The picture is larger than 20 MB."), { advice: "Choose a smaller one." });
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(Object.assign(new Error("The picture cannot be read."), { advice: "Choose it again." }));
    reader.readAsDataURL(file);
  });
}

/** Reads a streamed answer; pieces of its text are handed on as they come. */
async function read(answer, piece) {
  const said = { text: "", usage: undefined, credits: undefined };
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let isComplete = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith(": x-relay ")) said.credits = JSON.parse(line.slice(10)).credits ?? said.credits;
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") {
        isComplete = true;
        continue;
      }
      const event = JSON.parse(data);
      if (event.error) throw await problemOf(new Response(data, { status: Number(event.error.code) >= 400 ? Number(event.error.code) : 502 }));
      said.usage = event.usage ?? said.usage;
      const text = event.choices?.[0]?.delta?.content;
      if (text) {
        said.text += text;
        piece(text);
      }
    }
  }
  if (!isComplete) throw Object.assign(new Error("The answer broke off."), { advice: "Try again; what was written may have been charged." });
  return said;
}

/** A panel that makes something: fields, a button, and the results, newest first. */
function maker(label, fields, make) {
  const results = h("div", { class: "result", "aria-live": "polite" });
  const trouble = h("div");
  const go = h("button", { class: "main" }, label);
  const work = async (event) => {
    event.preventDefault();
    if (needKey()) return;
    go.disabled = true;
    show(trouble, busy("This may take a minute…"));
    try {
      const made = await make();
      results.prepend(...made);
      show(trouble);
      announce("Ready");
    } catch (error) {
      show(trouble, problem(error));
    }
    go.disabled = false;
  };
  return h("form", { class: "card", onsubmit: work }, h("div", { class: "fields" }, fields),
    h("div", { class: "row end" }, go), trouble, results);
}

function imagePanel(models, wanted, signal, call) {
  const { choice, element } = modelChoice(models, wanted, "image");
  const prompt = h("textarea", { name: "prompt", required: true, placeholder: "Describe the image" });
  const size = select("size", [["", "default"], ["1024x1024", "square"], ["1536x1024", "wide"], ["1024x1536", "tall"]], "");
  return maker("Generate", [h("div", { class: "all" }, element), h("div", { class: "all" }, field("Prompt", prompt)), field("Size", size)], async () => {
    const began = performance.now();
    const body = { model: choice.value, prompt: prompt.value, n: 1, response_format: "b64_json", size: size.value || undefined };
    const answer = await call("/images/generations", body, signal);
    const { data } = await answer.json();
    return data.map((image) => h("figure", { class: "card" },
      h("img", { src: pictureUrl(image.b64_json), alt: prompt.value }), h("figcaption", {}, costLine(answer.headers, began))));
  });
}

/** Base64 as an image: its first letters tell the type. */
function pictureUrl(base64) {
  const type = { "/": "jpeg", U: "webp", R: "gif" }[base64[0]] ?? "png";
  return `data:image/${type};base64,${base64}`;
}

function speechPanel(models, wanted, signal, call) {
  const { choice, element } = modelChoice(models, wanted, "speech");
  const text = h("textarea", { name: "text", required: true, placeholder: "The text to speak" });
  const voice = h("input", { name: "voice", value: "alloy", autocomplete: "off", spellcheck: "false" });
  return maker("Speak", [h("div", { class: "all" }, element), h("div", { class: "all" }, field("Text", text)), field("Voice", voice)], async () => {
    const began = performance.now();
    const body = { model: choice.value, input: text.value, voice: voice.value };
    const answer = await call("/audio/speech", body, signal);
    const url = URL.createObjectURL(await answer.blob());
    signal.addEventListener("abort", () => URL.revokeObjectURL(url));
    return [h("figure", { class: "card" }, h("audio", { controls: true, src: url, "aria-label": text.value }), h("figcaption", {}, costLine(answer.headers, began)))];
  });
}

const PANELS = { chat: chatPanel, image: imagePanel, speech: speechPanel };
