// Access keys: created (the secret is shown once), changed, rotated, disabled, deleted.
import { base, json, tab } from "./api.js";
import {
  announce, busy, button, card, confirm, copyButton, dialog, empty, facts, field, fill, h, heading, problem, show, soft, table, tag, time, unseen,
} from "./dom.js";
import { asDate, credits, distance, moment } from "./format.js";
import { meter } from "./overview.js";

const USES = [["chat", "Chat"], ["images", "Images"], ["audio", "Speech and transcripts"], ["video", "Video"], ["native", "1min.ai's own API"]];
const PERIODS = [["day", "Per day"], ["week", "Per week"], ["month", "Per month"], ["total", "Total"]];

export function keys(place, { relay, signal }) {
  const list = h("div");
  const load = () => fill(list, signal, async () => {
    const { data } = await json("/admin/api/keys", { signal });
    if (!data.length) {
      return empty(h("p", {}, "There are no keys yet. Create one for each person or program, with its own models, budgets and expiry."));
    }
    const columns = [["Name"], ["State"], ["Credits this month", "n w"], ["Budgets", "b"], ["Expires", "w"], [""]];
    return table("Access keys", columns, data.map((key) => [
      [h("strong", {}, key.name), h("div", {}, h("code", { class: "soft" }, key.label))],
      state(key),
      credits(key.usage_monthly),
      key.budgets?.length ? key.budgets.map(meter) : soft("none"),
      key.expires_at ? time(distance(key.expires_at), moment(key.expires_at)) : soft("never"),
      h("div", { class: "row" },
        button(["Edit", unseen(` ${key.name}`)], () => edit(key, load)),
        button(["More…", unseen(` about ${key.name}`)], () => more(key, load))),
    ]));
  });
  show(place,
    heading("Keys", button("New key", () => edit(null, load), "main")),
    relay.keys === "off" && h("p", { class: "note" }, "The relay does not accept these keys at the moment (RELAY_KEYS=off): clients send 1min.ai's own."),
    card(list));
  load();
}

function state(key) {
  if (key.disabled) return tag("disabled", "bad");
  if (key.expires_at && asDate(key.expires_at) < new Date()) return tag("expired", "bad");
  const reached = key.budgets?.some((budget) => budget.used >= budget.credits);
  return reached ? tag("budget reached", "warn") : tag("active", "good");
}

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const numberOrNull = (input) => (input.value === "" ? null : Number(input.value));

/** A form for a new key, or for one that is there. */
function edit(key, done) {
  const name = h("input", { name: "name", required: true, maxlength: 100, autocomplete: "off", value: key?.name ?? "" });
  const expires = h("input", { type: "datetime-local", name: "expires", value: key?.expires_at ? localTime(asDate(key.expires_at)) : "" });
  const models = h("textarea", { name: "models", rows: 2, spellcheck: "false", placeholder: "all models", value: (key?.models ?? []).join("\n") });
  const uses = USES.map(([id, label]) => [id, h("input", { type: "checkbox", name: "uses", value: id, checked: key?.uses?.includes(id) }), label]);
  const number = (value, step) => h("input", { type: "number", min: "0", step, inputmode: "numeric", value: value ?? "" });
  const rpm = number(key?.rpm, 1);
  const parallel = number(key?.parallel, 1);
  const budgets = PERIODS.map(([per, label]) =>
    [per, number(key?.budgets?.find((budget) => budget.per === per)?.credits, "any"), label]);
  const trouble = h("div");
  const go = h("button", { class: "main" }, key ? "Save" : "Create key");
  const save = async (event) => {
    event.preventDefault();
    go.disabled = true;
    const body = {
      name: name.value.trim(),
      expires_at: expires.value ? new Date(expires.value).toISOString() : null,
      models: words(models.value),
      uses: uses.filter(([, box]) => box.checked).map(([id]) => id),
      rpm: numberOrNull(rpm),
      parallel: numberOrNull(parallel),
      budgets: budgets.filter(([, input]) => input.value !== "").map(([per, input]) => ({ per, credits: Number(input.value) })),
    };
    try {
      const made = await json(key ? `/admin/api/keys/${key.hash}` : "/admin/api/keys", { method: key ? "PATCH" : "POST", body });
      box.close();
      announce(key ? "The key was changed" : "The key was created");
      if (!key) secret("The new key", made.data?.name ?? body.name, made.key);
      done();
    } catch (error) {
      show(trouble, problem(error));
      go.disabled = false;
    }
  };
  const box = dialog(key ? `Edit ${key.name}` : "New key", h("form", { class: "fields", onsubmit: save },
    h("div", { class: "all" }, field("Name (who or what uses it)", name)),
    h("fieldset", { class: "all" }, h("legend", {}, "Budgets in credits (empty: no limit)"),
      h("div", { class: "fields" }, budgets.map(([, input, label]) => field(label, input)))),
    h("fieldset", { class: "all" }, h("legend", {}, "Permitted uses (none ticked: all)"),
      uses.map(([, box, label]) => h("label", { class: "check" }, box, label))),
    h("div", { class: "all" }, field("Permitted models, one per line; * matches anything, as in gpt-*", models)),
    field("Requests per minute", rpm), field("Concurrent requests", parallel), field("Expires", expires, "wide"),
    h("div", { class: "all" }, trouble),
    h("div", { class: "row end all" }, button("Cancel", () => box.close()), go)));
  name.focus();
}

/** A moment as `datetime-local` takes it. */
function localTime(date) {
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Shows a secret, this once. */
function secret(title, name, text) {
  const box = dialog(title,
    h("p", {}, `This is the key of ${name}. Copy it now: it is shown only once, and the relay keeps only its hash.`),
    h("div", { class: "secret" }, h("code", {}, text), copyButton(text, "the key")),
    h("h3", {}, "Base URL"), h("div", { class: "secret" }, h("code", {}, `${base}/v1`), copyButton(`${base}/v1`, "the base URL")),
    h("div", { class: "row end" },
      button("Try it", () => { tab.key = text; box.close(); location.hash = "#/try"; }),
      button("Done", () => box.close(), "main")));
}

/** What else can be done with a key. */
function more(key, done) {
  const trouble = h("div");
  const act = (body, said) => async () => {
    show(trouble, busy());
    try {
      await json(`/admin/api/keys/${key.hash}`, { method: "PATCH", body });
      announce(said);
      box.close();
      done();
    } catch (error) {
      show(trouble, problem(error));
    }
  };
  const list = (values) => (values?.length ? values.join(", ") : "all");
  const rotate = () => {
    box.close();
    confirm(`Rotate ${key.name}?`, "The key gets a new secret. The old one is accepted for five more minutes. Stored data and usage stay with the key.", "Rotate", async () => {
      const made = await json(`/admin/api/keys/${key.hash}/rotate`, { method: "POST", body: { grace_seconds: 300 } });
      secret("The rotated key", key.name, made.key);
      done();
    });
  };
  const remove = () => {
    box.close();
    confirm(`Delete ${key.name}?`, "Its clients are refused at once. Its usage stays in the ledger. This cannot be undone; disabling can.", "Delete", async () => {
      await json(`/admin/api/keys/${key.hash}`, { method: "DELETE" });
      announce("The key was deleted");
      done();
    });
  };
  const box = dialog(key.name,
    facts([
      ["Key", h("code", {}, key.label)], ["Created", key.created_at && moment(key.created_at)], ["Expires", key.expires_at ? moment(key.expires_at) : "never"],
      ["Models", list(key.models)], ["Uses", list(key.uses)], ["Requests per minute", key.rpm ?? "no limit"], ["Concurrent requests", key.parallel ?? "no limit"],
      ["Credits in total", credits(key.usage)], ["Credits today", credits(key.usage_daily)],
    ]),
    trouble,
    h("div", { class: "row" },
      h("a", { class: "button", href: `#/requests?key=${encodeURIComponent(key.hash)}`, onclick: () => box.close() }, "Requests"),
      key.disabled
        ? button("Enable", act({ disabled: false }, `${key.name} is enabled`))
        : button("Disable", act({ disabled: true }, `${key.name} is disabled`)),
      button("Rotate", rotate), button("Delete", remove, "danger"), button("Close", () => box.close(), "main")));
}
