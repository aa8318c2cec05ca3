/**
 * Namespaces that hold nothing any more leave no folder behind.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import { EVICTIONS_AT_ONCE } from "../limits.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../errors.ts";
import type { NamespaceUsage } from "../table/types.ts";

/** Which folders go. */
export interface EmptyFoldersOptions {
  /** Those that have entries: their folders are not even tried. */
  readonly usage: readonly NamespaceUsage[];
  /** Only those that Larder has made; otherwise these are known to be namespaces. */
  readonly ours?: boolean;
}

/**
 * Removes the folder of a namespace, if it is empty. Never rejects: what was to
 * be taken away has gone.
 */
export async function removeEmptyFolder(
  namespace: string,
  { blobs, warn }: {
    readonly blobs: Pick<BlobStore, "removeEmpty">;
    /** Takes what is for the log. */
    readonly warn: Log;
  },
): Promise<void> {
  await blobs.removeEmpty?.(namespace).catch((error) =>
    warn(`cannot remove the folder of a namespace: ${messageOf(error)}`, {
      namespace,
    })
  );
}

/** Removes the folders of these namespaces that are empty; says how many. */
export async function removeEmptyFolders(
  blobs: Pick<BlobStore, "removeEmpty">,
  namespaces: Iterable<string>,
  { usage, ours = false }: EmptyFoldersOptions,
): Promise<number> {
  const kept = new Set(usage.map(({ namespace }) => namespace));
  const rest = [...namespaces].filter((namespace) => !kept.has(namespace));
  let removed = 0;
  for (let at = 0; at < rest.length; at += EVICTIONS_AT_ONCE) {
    const some = rest.slice(at, at + EVICTIONS_AT_ONCE);
    const gone = await Promise.all(
      some.map((namespace) => blobs.removeEmpty?.(namespace, { ours })),
    );
    removed += gone.filter((isGone) => isGone).length;
  }
  return removed;
}
