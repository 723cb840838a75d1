// Requests to the relay, and errors in words that say what to do.

/** The longest wait for an answer that reads; a slow database is then said to be slow. */
const PATIENCE = 20_000;

/** Where the relay is: its origin, and the path where a reverse proxy has put it. */
export const base = new URL(".", location.href).href.slice(0, -1);

/** The key that was pasted into this tab. It is kept nowhere else, and a reload forgets it. */
export const tab = { key: "" };

export class Problem extends Error {
  constructor(status, message, advice) {
    super(message);
    this.status = status;
    this.advice = advice;
  }
}

const ADVICE = {
  401: "The key is unknown, disabled or has expired. Check it, or ask the operator of this relay for another.",
  402: "The credits of this key or account are used up. A budget starts anew with its next period; the overview shows when.",
  403: "This key may not be used for that.",
  404: "It may have been deleted in the meantime. Load the page again.",
  409: "Something changed in the meantime. Load the page again.",
  413: "It is too large. Try a smaller file.",
  429: "Wait a moment, then try again.",
  500: "The relay's log says more.",
  502: "1min.ai failed. Try again, or another model.",
  503: "What the relay needs does not answer at the moment: its database or 1min.ai. Try again soon.",
  504: "1min.ai took too long. Try again, or another model.",
};

/** What a failed answer means. */
export async function problemOf(answer) {
  let message = `The relay answered ${answer.status}.`;
  try {
    const body = await answer.json();
    message = body.error?.message ?? message;
  } catch {
    // No JSON: whatever stands in front of the relay has answered.
  }
  return new Problem(answer.status, message, ADVICE[answer.status]);
}

/** Sends a request; anything but success is thrown as a Problem. */
export async function send(path, { method = "GET", body, key, signal, patience = PATIENCE } = {}) {
  const headers = {};
  if (key) headers.authorization = `Bearer ${key}`;
  if (body !== undefined && !(body instanceof FormData)) {
    headers["content-type"] = "application/json";
    body = JSON.stringify(body);
  }
  const late = patience ? AbortSignal.timeout(patience) : undefined;
  const signals = [signal, late].filter(Boolean);
  let answer;
  try {
    answer = await fetch(base + path, { method, headers, body, signal: signals.length ? AbortSignal.any(signals) : undefined });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (late?.aborted) throw new Problem(0, "The relay has not answered in time.", "It or its database is slow at the moment. Try again soon.");
    throw new Problem(0, "The relay cannot be reached.", "Check that it runs and that this device is on its network, then try again.");
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (problem.status === 401 && path.startsWith("/admin/api/")) {
    problem.message = "The session has ended.";
    problem.advice = "Sign in again.";
    dispatchEvent(new CustomEvent("session-ended"));
  }
  throw problem;
}

export async function json(path, options) {
  const answer = await send(path, options);
  return answer.status === 204 ? null : answer.json();
}

/** A query string of what is set. */
export function query(parameters) {
  const set = Object.entries(parameters).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  return set.length ? `?${new URLSearchParams(set)}` : "";
}
