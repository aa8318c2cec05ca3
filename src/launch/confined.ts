/**
 * Serving in this process, with only the permissions that were granted to it.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import type { Hangups } from "./hangups.ts";
import { openDoors } from "./open_doors.ts";
import { readyLines } from "./ready_lines.ts";
import { prepareRoot, refuseOtherData } from "../root/root_folder.ts";
import type { Serve, ServedConfig } from "./running_server.ts";
import type { StopRequests } from "./stop_requests.ts";

/** The shell's exit code for a process that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

/**
 * Serves until a stop is asked for, or the server ends by itself.
 *
 * @param config What to serve.
 * @param options Loads the server; when to stop, and what hangups are; takes the lines for stdout; the
 * log.
 * @returns The exit code.
 */
export async function serveConfined(
  config: ServedConfig,
  options: {
    readonly load: () => Promise<Serve>;
    readonly stop: StopRequests;
    readonly hangups: Hangups;
    readonly print: (text: string) => void;
    readonly log: Log;
  },
): Promise<number> {
  const { stop, print, log } = options;
  refuseOtherData(config.root);
  // The folder is looked at while the modules load.
  const [root, serve] = await Promise.all([
    prepareRoot(config.root),
    options.load(),
  ]);
  const running = run(root, serve);
  const forced = stop.forced.then(() => EXIT_INTERRUPTED);
  return await Promise.race([running, forced]);

  async function run(root: string, serve: Serve): Promise<number> {
    const { mode } = await Deno.stat(root);
    for (const warning of openDoors({ ...config, root }, mode)) log(warning);
    const server = await serve({ ...config, root }, log);
    options.hangups.reload = () => void server.reload?.();
    if (!stop.isRequested) print(readyLines(root, server));
    await Promise.race([stop.requested, server.closed]);
    if (stop.isRequested) await server.drain();
    await server.closed;
    return 0;
  }
}

/**
 * Asks for a stop when stdin ends: that is how a launcher says so, and also what
 * happens when it dies.
 *
 * @param stdin What the launcher holds the other end of.
 * @param stop Where to ask.
 */
export async function stopWhenEnded(
  stdin: ReadableStream<Uint8Array>,
  stop: StopRequests,
): Promise<void> {
  try {
    for await (const _ of stdin);
  } catch {
    // A pipe that cannot be read any more has ended.
  }
  stop.request();
}
