/**
 * Rights to read where other users of the machine are served: whoever knows a
 * key reads its file there, whatever a server says.
 *
 * @module
 */

import { Caller } from "./caller.ts";
import type { Rules } from "./rules.ts";

/**
 * Why rules cannot hold for files that everybody may read, if so.
 *
 * @param rules What the file says.
 * @param isHere Whether only this machine reaches LocalCache: who has no token
 * may everything there by default.
 */
export function whyNotShared(
  { anyone }: Pick<Rules, "anyone">,
  { isHere }: { readonly isHere: boolean },
): string | undefined {
  const { local } = anyone;
  const readsAll = local === undefined
    ? isHere
    : new Caller(undefined, local.rights).mayEverywhere("read");
  if (readsAll) return undefined;
  return "it limits who may read from LocalCache, but with --shared every " +
    "user of this machine who knows a key can read its file: give each " +
    "namespace a group, --shared-groups '*=GROUP', or let [anyone.local] read " +
    'all, read = ["*"], or leave --shared out';
}
