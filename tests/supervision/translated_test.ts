/** The first start after a clone was made: all TypeScript is translated. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { MemoryWatch } from "../rude/memory.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";

/** Of the launcher alone, whose own modules are few. */
const MAX_KEPT_BYTES = 20 * 1024 * 1024;

/** A cache of Deno's that has all packages, and nothing translated. */
async function freshCache(folder: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.symlink(npmCache, `${folder}/npm`);
  return folder;
}

async function bytesAfterStart(root: string, cache: string): Promise<number> {
  await using server = await ServerProcess.start(root, {
    env: { DENO_DIR: cache },
  });
  using memory = new MemoryWatch(server.pid);
  return memory.lap().nowBytes;
}

Deno.test("a start that has to translate everything keeps no memory for it", () =>
  withRoot(async (root) => {
    await using folder = await temporaryFolder();
    const cache = await freshCache(folder.path);
    const first = await bytesAfterStart(root, cache);
    const second = await bytesAfterStart(root, cache);
    const kept = first - second;
    assert(kept < MAX_KEPT_BYTES, `${kept} bytes`);
  }));
