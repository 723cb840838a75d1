// What is left, where it went, what failed.
import { base, json, query } from "./api.js";
import { announce, button, card, empty, fill, h, heading, loadedCard, problem, show, small, soft, table, tag, time, unseen } from "./dom.js";
import { addDays, count, credits, day, distance, moment, percent, today } from "./format.js";
import { chart } from "./chart.js";

const DAYS = 30;
const PERIODS = { day: "today", week: "this week", month: "this month", total: "in total" };

export async function overview(place, { session, signal }) {
  const zone = session.time_zone ?? "UTC";
  const now = today(zone);
  const first = addDays(now, 1 - DAYS);
  const monthStart = `${now.slice(0, 8)}01`;
  const from = first < monthStart ? first : monthStart;
  const rows = json(`/admin/api/usage${query({ from, to: now, by: "day,model" })}`, { signal }).then(({ data }) => data);
  rows.catch(() => {});
  const budgets = budgetsOf(session, signal);
  budgets.catch(() => {});
  const figures = h("div", { class: "cards" });
  const curve = h("div");
  const failures = h("div");
  const isAdmin = session.role === "admin";
  show(place,
    heading(isAdmin ? "Overview" : `Overview of ${session.name}`,
      h("a", { class: "button", href: `${base}/admin/api/usage${query({ from, to: now, by: "day,model", format: "csv" })}`, download: "" }, "Download CSV")),
    figures,
    card(h("h2", {}, `Credits of the last ${DAYS} days `, soft(`days in ${zone}`)), curve),
    h("div", { class: "cards halves" },
      card(h("h2", {}, "Failures"), failures),
      isAdmin && keysCard(signal, from, now, zone)),
    isAdmin && accountsCard(signal));

  fill(figures, signal, async () => {
    const [used, limits] = await Promise.all([rows, budgets]);
    return [
      figure("Credits today", sum(used.filter((entry) => entry.day === now)), limits.find(({ per }) => per === "day")),
      figure("Credits this month", sum(used.filter((entry) => entry.day >= monthStart)), limits.find(({ per }) => per === "month")),
      ...limits.filter(({ per }) => per !== "day" && per !== "month").map((limit) => figure(`Credits ${PERIODS[limit.per]}`, limit.used, limit)),
      h("div", { class: "card" }, small(`Requests in ${DAYS} days`),
        h("div", { class: "figure" }, count(used.filter((entry) => entry.day >= first).reduce((all, { requests }) => all + requests, 0)))),
    ];
  });
  fill(curve, signal, async () => {
    const used = (await rows).filter((entry) => entry.day >= first);
    if (!used.length) {
      return empty(h("p", {}, "Nothing was asked in the last 30 days. ", h("a", { href: "#/connect" }, "Connect a client"), " or ",
        h("a", { href: "#/try" }, "try a model"), "."));
    }
    return chart(Array.from({ length: DAYS }, (_, at) => addDays(first, at)), used);
  });
  fill(failures, signal, async () => {
    const { data } = await json(`/admin/api/usage${query({ from: first, to: now, by: "end" })}`, { signal });
    return failureTable(data);
  });
}

const sum = (rows) => rows.reduce((total, { credits }) => total + credits, 0);

async function budgetsOf(session, signal) {
  const path = session.role === "admin" ? "/admin/api/budgets" : "/admin/api/key";
  const { data } = await json(path, { signal });
  return data.budgets ?? data;
}

/** A number, and how much of its budget that is. */
export function figure(label, used, limit) {
  return h("div", { class: "card" }, small(label),
    h("div", { class: "figure" }, credits(used)), limit ? meter(limit) : small("no budget"));
}

export function meter({ per, credits: all, used, held, resets_at: resets }) {
  const part = all > 0 ? used / all : 1;
  const style = part >= 1 ? "over" : part >= 0.8 ? "near" : "";
  const words = `${percent(part)} of ${credits(all)} ${PERIODS[per]}`;
  const bar = h("i");
  bar.style.width = `${Math.min(100, part * 100)}%`;
  return [
    h("div", { class: `meter ${style}`, role: "meter", "aria-label": `Budget ${PERIODS[per]}`, "aria-valuemin": 0, "aria-valuemax": all,
      "aria-valuenow": Math.min(used, all), "aria-valuetext": words }, bar),
    small(part >= 1 ? h("strong", {}, "Reached: ") : null, words, held > 0 && `, ${credits(held)} held`,
      resets && [", resets ", time(distance(resets), moment(resets))]),
  ];
}

const ENDS = { left: "the client left before the end", lost: "the relay stopped before the end" };

/** An end of the ledger in words. */
export function endWords(end) {
  const [what, kind] = end.split(":");
  return kind ? `${what}: ${kind.replaceAll("_", " ")}` : ENDS[end] ?? end;
}

function failureTable(data) {
  const failed = data.filter(({ end }) => end !== "answered").sort((a, b) => b.requests - a.requests);
  const all = data.reduce((total, { requests }) => total + requests, 0);
  if (!failed.length) return empty(h("p", {}, all ? "None: every request was answered." : "No requests yet."));
  const columns = [["Outcome"], ["Requests", "n"], ["Share", "n"]];
  return table("Failures by kind", columns, failed.map(({ end, requests }) =>
    [h("a", { href: `#/requests?end=${encodeURIComponent(end)}` }, endWords(end)), count(requests), percent(requests / all)]));
}

function keysCard(signal, from, now, zone) {
  return loadedCard("Keys", signal, async () => {
    const { data } = await json(`/admin/api/usage${query({ from, to: now, by: "key" })}`, { signal });
    if (!data.length) return empty(h("p", {}, "No key was used yet. ", h("a", { href: "#/keys" }, "Make one"), "."));
    const columns = [["Key"], ["Requests", "n"], ["Credits", "n"]];
    return table(`Credits by key since ${day(from)}, ${zone}`, columns, data.sort((a, b) => b.credits - a.credits).map((entry) =>
      [entry.key_name ?? entry.key ?? "without a key", count(entry.requests), credits(entry.credits)]));
  });
}

const STATES = { ready: "good", cooling: "warn", short: "warn", parked: "bad" };

function accountsCard(signal) {
  const content = h("div");
  const load = () => fill(content, signal, async () => {
    const { data } = await json("/admin/api/accounts", { signal });
    if (!data.length) return empty(h("p", {}, "No 1min.ai account is configured: clients send their own keys (ONEMIN_API_KEYS)."));
    const columns = [["Account"], ["State"], ["Balance", "n"], ["As of", "w"], ["Spent here", "n w"], ["Spent elsewhere", "n"], [""]];
    return table("1min.ai accounts", columns, data.map((account) => [
      account.name,
      [tag(account.state, STATES[account.state]), account.until && h("small", {}, ` until ${moment(account.until)}`),
        account.reason && h("div", { class: "soft" }, account.reason)],
      credits(account.balance),
      account.balance_at ? time(distance(account.balance_at), moment(account.balance_at)) : "not known yet",
      credits(account.credits),
      credits(account.outside),
      account.state === "ready" ? "" : button(["Use again", unseen(` ${account.name}`)], wake(account, load)),
    ]));
  });
  load();
  return card(h("h2", {}, "1min.ai accounts"), content);
}

const wake = (account, load) => async ({ currentTarget: source }) => {
  source.disabled = true;
  try {
    await json(`/admin/api/accounts/${encodeURIComponent(account.name)}/wake`, { method: "POST" });
    announce(`${account.name} is used again`);
    load();
  } catch (error) {
    source.after(problem(error));
    source.disabled = false;
  }
};
