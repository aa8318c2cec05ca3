/**
 * Why no value can be kept now, for people: which root it is, and what to do.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import { messageOf } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";

/** Where trouble may come from. */
export interface TroubleSources {
  /** The folder that is served. */
  readonly root: string;
  /** Says why the limits leave no room, if so. */
  readonly engine: { readonly full: string | undefined };
  /** Where rows are written. */
  readonly manifest: Pick<Manifest, "trouble">;
  /** Where values are written. */
  readonly blobs: Pick<BlobStore, "trouble">;
}

/** In a line; `undefined`: there is none. */
export function troubleOf(
  { root, engine: { full }, manifest, blobs }: TroubleSources,
): string | undefined {
  const ofRows = manifest.trouble;
  const ofValues = blobs.trouble;
  const isFull = ofRows?.code === "storage-full" || ofValues?.code === "full";
  // The disk itself has room, for all that the limits know.
  const causes = [ofRows?.cause, ofValues].map((each) => messageOf(each));
  if (isFull && causes.some((text) => /quota exceeded/i.test(text))) {
    return `the quota for ${root} is used up: make room under it, and give ` +
      "--max-bytes less than it";
  }
  if (full !== undefined && (isFull || !(ofRows ?? ofValues))) return full;
  if (isFull) return `the disk of ${root} is full: make room on it`;
  if (ofRows) return `${root}: ${messageOf(ofRows.cause ?? ofRows)}`;
  if (!ofValues) return undefined;
  // What follows the colon names files.
  const [reason] = ofValues.message.split(": ");
  return `the disk of ${root} takes no values (${reason}): run ` +
    "`larder doctor` with this root";
}
