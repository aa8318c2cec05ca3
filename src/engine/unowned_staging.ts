/**
 * Staging files that no assignment owns.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import { messageOf } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Row } from "../table/types.ts";

/** A row of work that has a staging file. */
export interface Owner {
  readonly row: Row;
  readonly staging: string;
}

/**
 * Takes the files out of a set that assignments own: what is left at the end is
 * owned by none, if the files were listed before; for whoever has one had a row
 * by then.
 *
 * @returns The owners, a page at a time; a page may have none.
 */
export async function* takeOwned(
  manifest: Pick<Manifest, "unsettled">,
  files: Set<string>,
): AsyncGenerator<readonly Owner[]> {
  let cursor: string | undefined;
  do {
    if (files.size === 0) return;
    const page = await manifest.unsettled(cursor);
    yield page.items.flatMap((row) => {
      const staging = stagingOf(row);
      return staging !== undefined && files.delete(staging)
        ? [{ row, staging }]
        : [];
    });
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** The staging file of a row. */
export function stagingOf(row: Row | undefined): string | undefined {
  return row?.status === "loading" ? row.staging : undefined;
}

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
