/**
 * What has to stay free on a disk.
 *
 * @module
 */

import type { BlobStore, Space } from "../blobs/blob_store.ts";
import { StartError } from "../errors.ts";
import { formatSize } from "../sizes.ts";

/** Bytes, or a share of the disk in percent. */
export type MinFree =
  | { readonly bytes: number }
  | { readonly percent: number };

/** How many bytes that is on a disk. */
export function keptFree(minFree: MinFree, { totalBytes }: Space): number {
  return "bytes" in minFree
    ? minFree.bytes
    : totalBytes * minFree.percent / 100;
}

/**
 * Refuses a start on a disk that is too small for what is to stay free: nothing
 * would ever be kept there.
 *
 * @param minFree What has to stay free.
 * @param blobs Where values are kept.
 */
export async function refuseTooSmallDisk(
  minFree: MinFree,
  blobs: Pick<BlobStore, "space">,
): Promise<void> {
  const space = await blobs.space();
  if (!space) return;
  const bytes = keptFree(minFree, space);
  if (bytes < space.totalBytes) return;
  throw new StartError(
    2,
    `--min-free asks for ${formatSize(bytes)} to stay free on the root's ` +
      `disk, which has ${formatSize(space.totalBytes)} in all: nothing could ` +
      "be kept; set it lower",
  );
}
