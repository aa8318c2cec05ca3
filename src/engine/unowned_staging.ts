/**
 * Staging files that no assignment owns.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import { messageOf } from "../errors.ts";

/**
 * Removes them. One that cannot be removed keeps none of the others: where other
 * users are served, somebody may leave a folder of theirs with something in it.
 *
 * @param warn Takes a line for the log.
 * @returns How many have gone.
 */
export async function discardAll(
  { local }: Pick<BlobStore, "local">,
  names: Iterable<string>,
  warn: (message: string) => void,
): Promise<number> {
  let gone = 0;
  const left: unknown[] = [];
  for (const name of names) {
    try {
      await local?.discard(name);
      gone++;
    } catch (error) {
      left.push(error);
    }
  }
  if (left.length > 0) {
    warn(
      `${left.length} of what clients left in the folder .staging cannot be ` +
        `removed: ${messageOf(left[0])}: remove it as its owner`,
    );
  }
  return gone;
}
