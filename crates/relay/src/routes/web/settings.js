// The settings in force, and the health of what the relay depends on.
import { json } from "./api.js";
import { button, card, empty, fill, h, heading, show, small, soft, table, tag } from "./dom.js";
import { moment } from "./format.js";

const STATES = { good: ["good", "good"], skipped: ["", "not checked"], trouble: ["bad", "trouble"] };

export function settings(place, { relay, signal }) {
  const health = h("div");
  const list = h("div");
  const only = h("input", { type: "checkbox", name: "changed", checked: true });
  const look = () => fill(health, signal, async () => {
    const { data } = await json("/admin/api/health", { signal, patience: 60_000 });
    const columns = [["Component"], ["State"], ["Details"]];
    return [
      table("Health", columns, data.map(({ subject, state, words }) => [
        subject, tag(STATES[state][1], STATES[state][0]), words])),
      small(`Checked at ${moment(Date.now() / 1000)}, at no cost.`),
    ];
  }, "Asking 1min.ai and the stores…");
  show(place,
    heading("Settings and health"),
    card(
      h("div", { class: "head" }, h("h2", {}, "Health"), button("Check again", look)), health),
    card(
      h("div", { class: "head" }, h("h2", {}, "Settings in force"), h("label", { class: "check" }, only, "only those that differ from the default")),
      h("p", { class: "soft" }, `Version ${relay.version}. Set by flags, environment variables or the .env file, and read at start.`), list));
  look();
  fill(list, signal, async () => {
    const { data } = await json("/admin/api/settings", { signal });
    const found = h("div");
    const draw = () => {
      const shown = data.filter(({ is_default: isDefault }) => !isDefault || !only.checked);
      const columns = [["Setting"], ["Value"], ["Meaning", "w"]];
      show(found, shown.length
        ? table("Settings", columns, shown.map(({ name, value, help }) => [
          h("code", {}, name), value === "" ? soft("not set") : h("code", {}, value), help]))
        : empty(h("p", {}, "All settings have their default values.")));
    };
    only.addEventListener("input", draw);
    draw();
    return found;
  });
}
