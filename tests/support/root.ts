/**
 * A root that a test has for itself.
 *
 * @module
 */

import { temporaryFolder } from "../../src/launch/testing/program.ts";

/** Runs with a fresh root, which is removed afterwards. */
export async function withRoot(
  run: (root: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  await run(folder.path);
}
