/**
 * What a start does before anybody is served: it finds out how far the last
 * run had come with each entry that was not at rest, and finishes or undoes it.
 * docs/ARCHITECTURE.md lists what a killed server leaves behind at each step.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import { messageOf } from "../errors.ts";
import { MAX_RESTORED } from "../limits.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Row } from "../table/types.ts";
import type { Engine } from "./engine.ts";
import { discardAll } from "./unowned_staging.ts";

/** What rests on disk: it is nothing but a client's id and perhaps its file. */
function canRest(row: Row): boolean {
  return row.status === "loading" && row.id !== undefined && !row.digest;
}

async function countUnsettled(manifest: Manifest): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await manifest.unsettled(cursor);
    count += page.items.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return count;
}

/** Blobs that are removed at once; the workers' queue is bounded. */
const REMOVALS_AT_ONCE = 256;

/** What a recovery found. */
export interface Recovered {
  /** Assignments that go on, with their ids. */
  readonly loading: number;
  /** Captured files that are being published now. */
  readonly captured: number;
  /** Evictions that are being finished now. */
  readonly evicting: number;
  /** Staging files that no row owned. */
  readonly swept: number;
}

/** Feeds the engine what is unsettled, and sweeps what nobody owns. */
export async function recover(
  { engine, manifest, blobs, graceEndsMs, warn, maxRestored = MAX_RESTORED }: {
    readonly engine: Engine;
    readonly manifest: Manifest;
    readonly blobs: BlobStore;
    /** When the grace ends, by the wall clock, of whoever has none yet. */
    readonly graceEndsMs: number;
    /** Takes a line for the log. */
    readonly warn: (message: string) => void;
    /** Assignments that are taken into memory, the latest; the rest is found by id and key. */
    readonly maxRestored?: number;
  },
): Promise<Recovered> {
  const left = await blobs.local?.leftovers() ?? { staging: [], captured: [] };
  const captures = new Set(left.captured);
  const unowned = new Set([...left.staging, ...left.captured]);
  const found = { loading: 0, captured: 0, evicting: 0 };

  try {
    await blobs.local?.sweepPrivate();
  } catch (error) {
    // It is another user's, and takes some room.
    warn(`cannot remove a private file: ${messageOf(error)}`);
  }
  try {
    await manifest.grace(graceEndsMs);
  } catch (error) {
    // A disk that takes nothing now: who is taken into memory has it all the same.
    warn(`cannot note until when work may be resumed: ${messageOf(error)}`);
  }
  let resting = await countUnsettled(manifest) - maxRestored;
  let cursor: string | undefined;
  do {
    const page = await manifest.unsettled(cursor);
    await removeUnacknowledged(blobs, page.items, captures);
    for (const row of page.items) {
      const staging = row.status === "loading" ? row.staging : undefined;
      const captured = staging !== undefined && captures.has(staging);
      if (row.status === "loading" && row.digest) {
        blobs.local?.doubt?.(row.name);
      }
      if (staging !== undefined) unowned.delete(staging);
      if (resting > 0 && !captured && canRest(row)) {
        resting--;
        continue;
      }
      if (row.status === "evicting") found.evicting++;
      else if (captured) found.captured++;
      else found.loading++;
      engine.feed({ kind: "restore", row, captured });
    }
    cursor = page.cursor;
  } while (cursor !== undefined);

  return { ...found, swept: await discardAll(blobs, unowned, warn) };
}

/**
 * A Set that was cut off between the rename and the row has left a value that
 * was never acknowledged and has no digest to check it with. (The original
 * server's clients write to the final path itself: those may be torn.)
 */
async function removeUnacknowledged(
  blobs: BlobStore,
  rows: readonly Row[],
  captures: ReadonlySet<string>,
): Promise<void> {
  const names = rows.filter((row) =>
    row.status === "loading" && !row.digest &&
    !(row.staging !== undefined && captures.has(row.staging))
  ).map(({ name }) => name);
  for (let at = 0; at < names.length; at += REMOVALS_AT_ONCE) {
    const some = names.slice(at, at + REMOVALS_AT_ONCE);
    await Promise.all(some.map((name) => blobs.remove(name)));
  }
}
