// Where the relay and its upstream are, and what upstream was asked.
export const relay = process.env.RELAY_URL;
const simulator = process.env.SIMULATOR_URL;

const send = async (method, path, body) => {
  const answer = await fetch(simulator + path, {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
};

export const reset = () => send("POST", "/_sim/reset");
export const replies = (...texts) => send("POST", "/_sim/script", { replies: texts });
export const script = (script) => send("POST", "/_sim/script", script);
export const journal = async (path = "/api/chat-with-ai") => (await send("GET", `/_sim/journal?path=${path}`)).entries;
export const sim = (text, directive) => `${text} [[sim ${JSON.stringify(directive)}]]`;

export const untilLeft = async (within = 3000) => {
  const until = Date.now() + within;
  while (Date.now() < until) {
    if ((await journal()).some((entry) => entry.outcome === "client-left")) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};
