/**
 * The launcher: a small process with the user's rights that starts the server
 * with almost none, and looks after it.
 *
 * @module
 */

import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { spawnConfined } from "./child.ts";
import type { Installation } from "./permissions.ts";
import { prepareRoot } from "./root_folder.ts";
import type { StopRequests } from "./stop_requests.ts";
import { supervise } from "./supervisor.ts";

/**
 * Starts a confined server and keeps it running until it is to stop.
 *
 * @param config What to serve.
 * @param options The installation, and when to stop.
 * @returns The exit code.
 */
export async function launch(
  config: Config,
  options: {
    readonly installation: Installation;
    readonly stop: StopRequests;
  },
): Promise<number> {
  const root = await prepareRoot(config.root);
  return await supervise({ ...config, root }, {
    spawn: (current) => spawnConfined(current, options.installation),
    stop: options.stop,
    clock: systemClock,
    log: (line) => console.error(`larder: ${line}`),
  });
}
