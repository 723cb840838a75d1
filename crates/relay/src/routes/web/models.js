// The catalogue: what each model can do and what it costs.
import { json } from "./api.js";
import { card, copyButton, empty, field, fill, h, heading, select, show, soft, table, tag, unseen } from "./dom.js";
import { compact, credits } from "./format.js";

export const KINDS = [["", "All"], ["chat", "Chat"], ["image", "Images"], ["speech", "Speech"], ["transcription", "Transcripts"], ["video", "Video"], ["music", "Music"]];

/** What a model of `/v1/models` does. */
export function kindsOf(model) {
  const features = model.features ?? [];
  const has = (...names) => names.some((name) => features.some((feature) => feature.includes(name)));
  return [
    has("CHAT", "CODE_GENERATOR") && "chat",
    has("IMAGE_GENERATOR", "IMAGE_VARIATOR", "IMAGE_EDITOR", "TEXT_TO_IMAGE") && "image",
    has("TEXT_TO_SPEECH") && "speech",
    has("SPEECH_TO_TEXT") && "transcription",
    has("VIDEO") && "video",
    has("MUSIC", "TEXT_TO_SOUND") && "music",
  ].filter(Boolean);
}

let loaded;

/** The list, asked for once a visit; a holder sees what the key permits. A failure is not kept. */
export async function catalogue(session, signal) {
  const path = session.role === "key" ? "/admin/api/try/models" : "/v1/models";
  const of = session.hash ?? path;
  if (loaded?.of !== of) loaded = { of, models: (await json(path, { signal })).data };
  return loaded.models;
}

export function models(place, { session, signal }) {
  const search = h("input", { type: "search", name: "search", placeholder: "name, provider or capability", autocomplete: "off", spellcheck: "false" });
  const kind = select("kind", KINDS, "");
  const order = select("order", [["list", "1min.ai's order"], ["price", "cheapest first"], ["context", "longest context first"], ["name", "by name"]], "list");
  const list = h("div");
  show(place,
    heading("Models"),
    h("form", { class: "card fields", role: "search", onsubmit: (event) => event.preventDefault() },
      field("Search", search), field("Type", kind), field("Order", order)),
    card(list));
  fill(list, signal, async () => {
    const all = await catalogue(session, signal);
    const found = h("div");
    const draw = () => show(found, rows(sorted(all.filter((model) => fits(model, search.value, kind.value)), order.value), all.length));
    for (const control of [search, kind, order]) control.addEventListener("input", draw);
    draw();
    return found;
  }, "Loading the catalogue…");
}

function fits(model, text, kind) {
  if (kind && !kindsOf(model).includes(kind)) return false;
  const words = `${model.id} ${model.name} ${model.provider ?? ""} ${abilities(model).join(" ")}`.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((part) => words.includes(part));
}

const priceOf = (model) => model.credits_per_1k?.output ?? Infinity;

function sorted(models, order) {
  const by = {
    price: (a, b) => priceOf(a) - priceOf(b) || a.id.localeCompare(b.id),
    context: (a, b) => (b.context_length ?? 0) - (a.context_length ?? 0),
    name: (a, b) => a.id.localeCompare(b.id),
  }[order];
  return by ? [...models].sort(by) : models;
}

function abilities(model) {
  const names = KINDS.filter(([kind]) => kind && kindsOf(model).includes(kind)).map(([, name]) => name.toLowerCase());
  if (model.capabilities?.vision) names.push("sees pictures");
  if (model.features?.includes("CODE_GENERATOR")) names.push("code");
  return names;
}

/** The price in credits, as far as 1min.ai's list says it. */
export function price(model) {
  const chat = model.credits_per_1k;
  if (chat) return [`${credits(chat.input)} in, ${credits(chat.output)} out `, soft("per 1,000 tokens")];
  const listed = model.credits_per_unit;
  if (!listed) return soft("not listed");
  const prices = listed.prices.map((price) => price.credits);
  const low = Math.min(...prices), high = Math.max(...prices);
  return [`${credits(low)}${low === high ? "" : ` – ${credits(high)}`} `, soft(`per ${listed.unit}`)];
}

function rows(models, all) {
  if (!models.length) return empty(h("p", {}, all ? "No model matches." : "No model is permitted."));
  const columns = [["Model"], ["Capabilities"], ["Context", "n w"], ["Credits"], ["", "w"]];
  return [h("p", { class: "label", role: "status" }, `${models.length} of ${all}`),
    table("Models with their prices", columns, models.map((model) => [
      [h("code", {}, model.id), h("div", { class: "soft" }, [model.name, model.provider].filter(Boolean).join(" · "))],
      abilities(model).map((ability) => tag(ability)),
      model.context_length ? compact(model.context_length) : "–",
      price(model),
      h("div", { class: "row" }, copyButton(model.id, model.id),
        ["chat", "image", "speech"].some((kind) => kindsOf(model).includes(kind)) &&
          h("a", { class: "button", href: `#/try?model=${encodeURIComponent(model.id)}` }, "Try", unseen(` ${model.id}`))),
    ]))];
}
