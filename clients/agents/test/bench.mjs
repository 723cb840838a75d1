// What an agent works in: a home and a folder of its own, and nothing to reach but the relay.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bin = join(process.env.AGENTS_CACHE, "node_modules", ".bin");
const relay = new URL(process.env.RELAY_URL);
const TIME_LIMIT_MS = 240_000;

const listening = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));

// Hands everything on to the relay and keeps what was asked and with which status it was answered.
const recorder = async () => {
  const exchanges = [];
  const server = createServer((incoming, outgoing) => {
    const exchange = { method: incoming.method, path: incoming.url, body: "" };
    exchanges.push(exchange);
    incoming.on("data", (piece) => (exchange.body += piece));
    const { method, headers, url: path } = incoming;
    const onward = request({ host: relay.hostname, port: relay.port, method, path, headers }, (answer) => {
      exchange.status = answer.statusCode;
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return { url: await listening(server), exchanges, close: () => server.close() };
};

// A proxy that lets nothing through and keeps the names of the hosts that were asked for.
const wall = async () => {
  const hosts = [];
  const server = createServer((incoming, outgoing) => {
    hosts.push(incoming.url);
    outgoing.writeHead(403).end();
  });
  server.on("connect", (incoming, socket) => {
    hosts.push(incoming.url);
    socket.on("error", () => {});
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  return { url: await listening(server), hosts, close: () => server.close() };
};

const ran = (command, args, options) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { timeout: TIME_LIMIT_MS, ...options, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (piece) => (stdout += piece));
    child.stderr.on("data", (piece) => (stderr += piece));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });

/**
 * A place for one agent.
 *
 * `run(name, args, environment)` runs it in the folder and gives exit code and output, `runFile` does
 * so with a program by its path, and options of `spawn` such as a `timeout`; `exchanges`
 * is what it asked of the relay, `hosts` what else it tried to reach.
 */
export const bench = async () => {
  await mkdir(join(process.env.AGENTS_CACHE, "scratch"), { recursive: true });
  // Codex takes no home below the folder for temporary files. The folder is outside of this
  // repository, whose own notes for agents are none of theirs.
  const home = await mkdtemp(join(process.env.AGENTS_CACHE, "scratch", "home-"));
  const folder = await mkdtemp(join(tmpdir(), "agent-"));
  const [recording, proxy] = await Promise.all([recorder(), wall()]);
  const offline = Object.fromEntries(
    ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map((name) => [name, proxy.url]),
  );
  const loopback = { NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" };
  const base = { PATH: process.env.PATH, HOME: home, ...offline, ...loopback };
  const runFile = (path, args, environment, options) =>
    ran(path, args, { cwd: folder, env: { ...base, ...environment }, ...options });
  return {
    home,
    folder,
    url: recording.url,
    exchanges: recording.exchanges,
    hosts: proxy.hosts,
    put: (name, text) => writeFile(join(folder, name), text),
    read: (name) => readFile(join(folder, name), "utf8"),
    run: (name, args, environment) => runFile(join(bin, name), args, environment),
    runFile,
    clear: async () => {
      recording.close();
      proxy.close();
      const all = { recursive: true, force: true, maxRetries: 5 };
      await Promise.all([home, folder].map((path) => rm(path, all)));
    },
  };
};

/** A task in words, and how the simulator's model goes about it: what it calls, and its last words. */
export const task = (words, rounds) => {
  const steps = [...rounds.map((calls) => ({ calls })), { text: "All done: {{results}}" }];
  return `${words}\n\n[[sim ${JSON.stringify({ model: { family: "asked", steps } })}]]`;
};

/** A call as the simulator's model makes it. */
export const call = (name, args) => ({ name, arguments: args });
