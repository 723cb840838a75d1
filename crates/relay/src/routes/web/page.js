// The frame: who is signed in, which view is shown. A view is a function (place, context).
import { json, tab } from "./api.js";
import { announce, button, field, h, problem, show, soft } from "./dom.js";
import { connect } from "./connect.js";
import { keys } from "./keys.js";
import { models } from "./models.js";
import { overview } from "./overview.js";
import { requests } from "./requests.js";
import { settings } from "./settings.js";
import { tryOut } from "./try.js";

const relay = {
  version: document.body.dataset.version,
  /** Whether one can sign in: the operator has set an admin key. */
  canSignIn: document.body.dataset.signIn === "true",
  /** Whose keys clients send: "off" is 1min.ai's own, "on" the relay's, "both" either. */
  keys: document.body.dataset.keys,
};

// Name in the URL, title, view, for whom.
const VIEWS = [
  ["", "Overview", overview, "session"],
  ["requests", "Requests", requests, "session"],
  ["keys", "Keys", keys, "admin"],
  ["models", "Models", models, "all"],
  ["try", "Try", tryOut, "all"],
  ["connect", "Connect", connect, "all"],
  ["settings", "Settings", settings, "admin"],
  ["sign-in", "Sign in", signIn, "nobody"],
];

let session = { role: null };
let leave = new AbortController();

function visible(audience) {
  if (audience === "all") return true;
  if (audience === "session") return session.role !== null;
  if (audience === "admin") return session.role === "admin";
  return relay.canSignIn && session.role === null;
}

function route() {
  leave.abort();
  leave = new AbortController();
  const [name, query] = location.hash.replace(/^#\/?/, "").split("?");
  const views = VIEWS.filter(([, , , audience]) => visible(audience));
  const found = views.find(([id]) => id === name);
  const wanted = VIEWS.find(([id]) => id === name);
  // A link to a view of a session asks to sign in first, and leads there afterwards.
  const [id, title, view] = found ?? views.find(([id]) => id === (wanted && name && relay.canSignIn && !session.role ? "sign-in" : home()));
  show(document.getElementById("nav"), views.filter(([id]) => id !== "sign-in")
    .map(([other, words]) => h("a", { href: `#/${other}`, "aria-current": other === id && "page" }, words)));
  document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  show(document.getElementById("who"), identity(id));
  document.title = `${title} · 1min-relay`;
  const place = document.getElementById("view");
  show(place);
  const after = id === "sign-in" && name !== "sign-in" ? `#/${name}` : "#/";
  view(place, { relay, session, signal: leave.signal, query: new URLSearchParams(query), begin, after });
}

const home = () => (session.role ? "" : "connect");

function identity(current) {
  if (session.role) {
    return [h("span", {}, session.role === "admin" ? "Admin" : session.name),
      button("Sign out", signOut)];
  }
  return relay.canSignIn && current !== "sign-in" ? h("a", { class: "button", href: "#/sign-in" }, "Sign in") : [];
}

/** A session begins. */
function begin(started, after) {
  session = started;
  announce("Signed in");
  go(after);
}

function go(hash) {
  if (location.hash === hash) route();
  else location.hash = hash;
}

async function signOut() {
  try {
    await json("/admin/session", { method: "DELETE" });
  } catch (error) {
    document.getElementById("view").prepend(problem(error, signOut));
    return;
  }
  tab.key = "";
  session = { role: null };
  go("#/connect");
}

function signIn(place, { signal, after, query }) {
  const key = h("input", { type: "password", name: "key", autocomplete: "current-password", required: true, spellcheck: "false" });
  const trouble = h("div");
  const enter = h("button", { class: "main" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    enter.disabled = true;
    try {
      const started = await json("/admin/session", { method: "POST", body: { key: key.value.trim() }, signal });
      begin(started, after);
    } catch (error) {
      if (error.status === 429) error.advice = "There were too many wrong keys from this address. Wait a minute.";
      show(trouble, problem(error));
      key.select();
    }
    enter.disabled = false;
  };
  show(place, h("form", { class: "card", onsubmit: submit },
    h("h1", {}, "Sign in"),
    query.has("ended") && h("p", { class: "note", role: "status" }, "The session has ended. Sign in again."),
    h("p", { class: "soft" }, "With the admin key of this relay, or with your own key (sk-relay-…) to see what it used."),
    trouble, field("Key", key), h("div", { class: "row end" }, enter)));
  key.focus();
}

addEventListener("hashchange", () => {
  route();
  document.getElementById("view").focus();
});
addEventListener("session-ended", () => {
  if (!session.role) return;
  session = { role: null };
  go("#/sign-in?ended");
});

async function start() {
  const place = document.getElementById("view");
  if (relay.canSignIn) {
    try {
      session = await json("/admin/session");
    } catch (error) {
      show(place, problem(error, start));
      return;
    }
  }
  route();
}
start();
