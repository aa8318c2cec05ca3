/**
 * The launcher: a small process with the user's rights that starts the server
 * with almost none, and looks after it.
 *
 * @module
 */

import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { currentBootId } from "./boot_id.ts";
import { spawnConfined } from "./child.ts";
import { descriptorLimit, withinDescriptors } from "./descriptor_limit.ts";
import { withGroupNumbers } from "./groups.ts";
import { closedAbove } from "./folders_above.ts";
import { refuseForeignLinks } from "./hard_links.ts";
import type { Hangups } from "./hangups.ts";
import { serverLog } from "../log/server_log.ts";
import { MadeFolders } from "../root/made_folders.ts";
import type { Installation } from "./permissions.ts";
import { prepareRoot, refuseOtherData } from "../root/root_folder.ts";
import type { StopRequests } from "./stop_requests.ts";
import { completeModules } from "./server_modules.ts";
import { supervise } from "./supervisor.ts";

/**
 * Starts a confined server and keeps it running until it is to stop.
 *
 * @param config What to serve.
 * @param options The installation, when to stop, and what hangups are.
 * @returns The exit code.
 */
export async function launch(
  config: Config,
  options: {
    readonly installation: Installation;
    readonly stop: StopRequests;
    readonly hangups: Hangups;
  },
): Promise<number> {
  const log = serverLog(config.logFormat);
  refuseOtherData(config.root);
  const folders = new MadeFolders(config.root);
  try {
    await refuseForeignLinks(config);
    const numbered = await withGroupNumbers(config);
    const [root, limit, bootId] = await Promise.all([
      prepareRoot(config.root),
      descriptorLimit(),
      currentBootId(),
      completeModules(options.installation, options.stop),
    ]);
    const closed = config.shared ? closedAbove(root) : undefined;
    if (closed !== undefined) log(closed);
    return await supervise(
      withinDescriptors({ ...numbered, root }, { limit, log }),
      {
        spawn(current) {
          const child = spawnConfined(current, options.installation, bootId);
          // Until then it reads them anyway, and a hangup would end it.
          void child.ready.then(() => {
            options.hangups.reload = () => child.reload();
          });
          return child;
        },
        stop: options.stop,
        clock: systemClock,
        log,
      },
    );
  } finally {
    // Empty only when nothing was ever served there.
    await folders.remove();
  }
}
