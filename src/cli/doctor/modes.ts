/**
 * Who may look into a root.
 *
 * @module
 */

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import {
  CONFIG_FILE,
  MANIFEST_FILE,
  MANIFEST_SUFFIXES,
  STAGING_FOLDER,
} from "../../../workers/root_names.ts";
import { SHARED_ROOT_MODE, STICKY_BIT } from "../../../workers/shared_modes.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

const OTHERS_BITS = 0o077;

/**
 * Looks at permission bits: nobody else's business, or what `--shared` makes of
 * them.
 *
 * @param root Its path.
 * @param rootMode Its mode.
 */
export async function modeCheck(
  root: string,
  rootMode: number,
): Promise<Finding> {
  const mode = rootMode & 0o777;
  const text = mode.toString(8).padStart(4, "0");
  if ((mode & OTHERS_BITS) === 0) return ok("mode", text);
  if (!await isShared(root, rootMode)) {
    return warn("mode", `${text}: not yours alone`, `chmod 700 ${root}`);
  }
  const files = MANIFEST_SUFFIXES.map((suffix) => MANIFEST_FILE + suffix);
  for (const name of [MANIFEST_FILE, ...files, CONFIG_FILE]) {
    const path = join(root, name);
    if ((await modeOf(path) & OTHERS_BITS) === 0) continue;
    return fail(
      "mode",
      `${text}, and others may read ${name}`,
      `chmod 600 ${path}`,
    );
  }
  return ok("mode", `${text}: shared with other users`);
}

/** Whether a server with `--shared` has made the root what it is. */
export async function isShared(
  root: string,
  rootMode: number,
): Promise<boolean> {
  const staging = await modeOf(join(root, STAGING_FOLDER));
  return (rootMode & 0o777) === SHARED_ROOT_MODE && (staging & STICKY_BIT) > 0;
}

async function modeOf(path: string): Promise<number> {
  return await lstat(path).then(({ mode }) => mode, () => 0);
}
