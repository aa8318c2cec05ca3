/**
 * Where things lie below a root, as far as the main isolate needs to know:
 * only to tell clients. It opens nothing there itself.
 *
 * @module
 */

import { STAGING_FOLDER } from "../../workers/root_names.ts";

/** The absolute path of a published value. */
export function valuePath(root: string, name: string): string {
  return `${root}/${name}`;
}

/** The absolute path where an assignment's client writes. */
export function stagingPath(root: string, staging: string): string {
  return `${root}/${STAGING_FOLDER}/${staging}`;
}
