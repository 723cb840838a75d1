// How to point a client here: this relay's own address in the settings of each.
import { base } from "./api.js";
import { card, copyButton, h, heading, show } from "./dom.js";

/** Title, where it goes, the text, and a remark. */
function recipes(origin, key) {
  const base = `${origin}/v1`;
  return [
    ["Open WebUI", "Admin panel → Settings → Connections → OpenAI API", [["URL", base], ["Key", key]],
      "The same values under Images and Audio enable pictures and speech."],
    ["Claude Code", "In the shell that starts it", `export ANTHROPIC_BASE_URL=${origin}
export ANTHROPIC_AUTH_TOKEN=${key}
export ANTHROPIC_MODEL=claude-sonnet-4-5
claude`],
    ["Codex", "~/.codex/config.toml, with the key in the variable RELAY_KEY", `model = "gpt-5"
model_provider = "relay"

[model_providers.relay]
name = "relay"
base_url = "${base}"
env_key = "RELAY_KEY"
wire_api = "responses"`],
    ["Cline", "Settings → API provider: OpenAI Compatible, or in the shell", `cline auth -p openai -b ${base} -k ${key} -m gpt-4o-mini`],
    ["n8n", "Credentials → OpenAI", [["API key", key], ["Base URL", base]],
      "For the Anthropic credential the base URL is the address without /v1."],
    ["Home Assistant", "Settings → Devices & services → Add integration → LiteLLM (since 2026.7)", [["URL", base], ["API key", key]]],
    ["curl", "", `curl -N ${base}/chat/completions \\
  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Say hello"}]}'`],
    ["Python", "pip install openai", `from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="${key}")
answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Say hello"}],
)
print(answer.choices[0].message.content)`],
  ];
}

const block = (name, text) => h("div", { class: "recipe" },
  h("pre", { tabindex: "0", "aria-label": name }, text), copyButton(text, name));

export function connect(place, { relay, session }) {
  const origin = base;
  const key = relay.keys === "off" ? "YOUR_1MIN_AI_KEY" : "YOUR_RELAY_KEY";
  const whose = {
    off: "The key is your 1min.ai key (app.1min.ai, Settings, API). It goes to 1min.ai with each request and is not stored here.",
    on: "The key begins with sk-relay-. The operator of this relay creates it.",
    both: "The key is one of this relay's (sk-relay-…), or your own 1min.ai key.",
  }[relay.keys];
  show(place,
    heading("Connect a client"),
    h("p", {}, "1min-relay lets every program that speaks OpenAI's or Anthropic's API use the models of 1min.ai: chat, tools, pictures, speech."),
    card(
      h("h2", {}, "What every client needs"),
      h("h3", {}, "Base URL for OpenAI's clients"), block("base URL for OpenAI's clients", `${origin}/v1`),
      h("h3", {}, "Base URL for Anthropic's clients"), block("base URL for Anthropic's clients", origin),
      h("p", { class: "soft" }, whose),
      h("p", {}, h("a", { href: "#/models" }, "Models and prices"), " · ", h("a", { href: "#/try" }, "Try a model"),
        relay.canSignIn && !session.role && [" · ", h("a", { href: "#/sign-in" }, "Sign in for usage")])),
    h("div", { class: "cards halves" }, recipes(origin, key).map(([name, where, text, remark]) =>
      card(h("h2", {}, name), where && h("p", { class: "soft" }, where),
        typeof text === "string" ? block(name, text) : text.map(([label, value]) => [h("h3", {}, label), block(`${name}: ${label}`, value)]),
        remark && h("p", { class: "soft" }, remark)))));
}
