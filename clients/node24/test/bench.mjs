// Programs and scripts under the Node that the clients here need.
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { bench as place } from "../../agents/test/bench.mjs";

const cache = process.env.AGENTS_CACHE;

/**
 * A place as agents have it, in which `program(path, args, environment, options)` runs a package's
 * program by its path in the cache, and `script(path, args)` a script of ours that imports the packages.
 */
export const bench = async () => {
  const made = await place();
  const node = process.env.NODE24;
  const environment = { PATH: `${dirname(node)}:${process.env.PATH}` };
  // A script finds the packages from where it lies.
  const scripts = join(cache, "scripts");
  await mkdir(scripts, { recursive: true });
  return {
    ...made,
    program: (path, args, more, options) => made.runFile(node, [join(cache, path), ...args], { ...environment, ...more }, options),
    script: async (path, args) => {
      const copy = join(scripts, path.split("/").pop());
      await copyFile(path, copy);
      return made.runFile(node, [copy, ...args], environment);
    },
  };
};
