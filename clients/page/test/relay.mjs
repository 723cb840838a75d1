// A relay of a test's own, with settings of its own, beside the suite's simulator.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const simulator = process.env.SIMULATOR_URL;

/** Starts the binary; `settings` are environment variables, `flags` are added. */
export async function start(settings = {}, flags = []) {
  const folder = await mkdtemp(join(tmpdir(), "relay-page-"));
  const upstream = simulator ? { ONEMIN_BASE_URL: simulator, ONEMIN_ASSET_URL: simulator } : {};
  // The demonstration fills a folder of its own only.
  const data = flags.includes("--demo") ? {} : { DATA_DIR: folder };
  const env = { PATH: process.env.PATH, ...data, ...upstream, ...settings };
  const child = spawn(process.env.RELAY_BINARY, ["--host", "127.0.0.1", "--port", "0", ...flags], { env, cwd: folder });
  let log = "";
  const url = await new Promise((resolve, reject) => {
    const hear = (chunk) => {
      log += chunk;
      const found = /listens on (\S+)/.exec(log);
      if (found) resolve(`http://${found[1]}`);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => reject(new Error(`the relay ended with ${code}: ${log}`)));
  });
  return {
    url,
    folder,
    log: () => log,
    stop: async () => {
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
