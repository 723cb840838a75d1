// The newest requests of the ledger, with filters.
import { base, json, query } from "./api.js";
import { button, card, copyButton, dialog, empty, facts, field, fill, h, heading, select, show, small, soft, table, tag, time, unseen } from "./dom.js";
import { count, credits, moment, seconds, shortMoment } from "./format.js";
import { endWords } from "./overview.js";

const PAGE = 100;
const SOURCES = {
  reported: "reported by 1min.ai",
  inferred: "derived from the account's used credits",
  estimated: "estimated",
  unknown: "estimated, since the outcome is unknown",
  none: "nothing was charged",
};
const ENDS = [["", "any"], ["answered", "answered"], ["failed", "failed"], ["refused", "refused"], ["left", "client left"], ["lost", "lost"]];

export function requests(place, { session, signal, query: given }) {
  const isAdmin = session.role === "admin";
  const from = h("input", { type: "date", name: "from", value: given.get("from") ?? "" });
  const to = h("input", { type: "date", name: "to", value: given.get("to") ?? "" });
  const model = h("input", { name: "model", value: given.get("model") ?? "", spellcheck: "false", autocomplete: "off" });
  const key = h("input", { name: "key", value: given.get("key") ?? "", spellcheck: "false", autocomplete: "off" });
  const wanted = given.get("end") ?? "";
  const ends = ENDS.some(([id]) => id === wanted) ? ENDS : [...ENDS, [wanted, endWords(wanted)]];
  const end = select("end", ends, wanted);
  const filters = () => ({ from: from.value, to: to.value, model: model.value.trim(), key: key.value.trim(), end: end.value });
  const list = h("div");
  const csv = h("a", { class: "button", download: "" }, "Download CSV");
  const load = (event) => {
    event?.preventDefault();
    csv.href = `${base}/admin/api/usage/requests${query({ ...filters(), format: "csv" })}`;
    fill(list, signal, () => page(filters(), undefined, isAdmin, signal));
  };
  show(place,
    heading("Requests", csv),
    h("form", { class: "card fields", onsubmit: load, "aria-label": "Filters" },
      field("From", from), field("To", to), field("Model", model), isAdmin && field("Key", key), field("Outcome", end),
      h("div", { class: "row" }, h("button", { class: "main" }, "Filter"), h("a", { class: "button", href: "#/requests", onclick: () => clear() }, "Clear"))),
    card(list));
  const clear = () => {
    for (const input of [from, to, model, key, end]) input.value = "";
    load();
  };
  load();
}

async function page(filters, after, isAdmin, signal) {
  const { data, has_more: more, last_id: last } = await json(`/admin/api/usage/requests${query({ ...filters, after, limit: PAGE })}`, { signal });
  if (!data.length) {
    const isFiltered = Object.values(filters).some(Boolean);
    return empty(h("p", {}, isFiltered ? "No request matches these filters." : ["There are no requests yet. ", h("a", { href: "#/try" }, "Try a model"), "."]));
  }
  const columns = [["Time"], isAdmin && ["Key", "id"], ["Model", "id"], ["API", "w"], ["Outcome"], ["Tokens in", "n w"], ["Tokens out", "n w"], ["Credits", "n"], ["Duration", "n w"]].filter(Boolean);
  const rows = data.map((entry) => [
    button([time(shortMoment(entry.time), moment(entry.time)), unseen(": details")], () => details(entry), "plain"),
    isAdmin && (entry.key_name ?? entry.key ?? "–"),
    entry.model ?? "–",
    entry.api,
    tag(endWords(entry.end), entry.end === "answered" ? "good" : entry.end === "left" ? "warn" : "bad"),
    count(entry.tokens_in), count(entry.tokens_out),
    [credits(entry.credits), entry.source !== "reported" && entry.credits > 0 ? h("span", { class: "soft", title: SOURCES[entry.source] ?? entry.source }, " ≈") : ""],
    seconds(entry.ms),
  ].filter((cell) => cell !== false));
  const older = h("div");
  return [
    table("Requests, newest first", columns, rows),
    small("≈ marks credits that 1min.ai has not reported. Times are in your time zone."),
    more ? older : null,
    more && show(older, button("Show older requests", () => fill(older, signal, () => page(filters, last, isAdmin, signal)))),
  ];
}

function details(entry) {
  const lines = [
    ["Time", moment(entry.time)],
    ["Request id", [h("code", {}, entry.id), " ", copyButton(entry.id, "request id")]],
    ["Key", entry.key_name ?? entry.key], ["Account", entry.account], ["API", entry.api], ["Model", entry.model],
    ["Streamed", entry.streamed ? "yes" : "no"], ["Outcome", endWords(entry.end)], ["Status", entry.status],
    ["Tokens", `${count(entry.tokens_in)} in, ${count(entry.tokens_out)} out${entry.tokens_source ? `, ${entry.tokens_source}` : ""}`],
    ["Credits", `${credits(entry.credits)} (${SOURCES[entry.source] ?? entry.source})`],
    ["Calls to 1min.ai", count(entry.upstream_calls)], ["Duration", seconds(entry.ms)], ["Time to first byte", seconds(entry.first_byte_ms)],
    ["Note", entry.note],
  ];
  const box = dialog("Request", facts(lines), h("div", { class: "row end" }, button("Close", () => box.close(), "main")));
}
