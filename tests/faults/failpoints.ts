/**
 * Kills a server before and after the named steps of its stores.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ServerProcess } from "../support/server_process.ts";
import type { Fault } from "./kill_sweep.ts";

const PROGRAM = fileURLToPath(new URL("./failing_server.ts", import.meta.url));
/** These only make a name. */
const NO_STEPS = /\.(path|stagingPath)$/;

/** Beside the root, so that it is not in the server's way. */
function controlOf(root: string): string {
  return `${root}.control`;
}

async function control(
  { root }: ServerProcess,
  order: string,
): Promise<AsyncDisposable> {
  const path = controlOf(root);
  await Deno.writeTextFile(path, order);
  return { [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Kills a server at `before` or `after` a step, such as `after blobs.put`. */
export const FAILPOINTS: Fault<string> = {
  deadly: true,
  start: (root, args) =>
    ServerProcess.start(root, { program: [PROGRAM, controlOf(root)], args }),
  async places(server, act) {
    const log = `${controlOf(server.root)}.log`;
    {
      await using _ = await control(server, "record");
      await act();
    }
    const steps = new Set((await Deno.readTextFile(log)).trim().split("\n"));
    await Deno.remove(log);
    return [...steps].filter((step) => !NO_STEPS.test(step));
  },
  arm: control,
  describe: (step) => step,
};
