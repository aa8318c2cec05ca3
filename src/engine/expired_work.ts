/**
 * Work whose lease has ended, and whose holder has not come back.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { EntryKey } from "../table/types.ts";
import type { Engine } from "./engine.ts";
import { discardAll, stagingOf, takeOwned } from "./unowned_staging.ts";

/**
 * Removes an expired assignment, as a Get does that wants no work; leaves one
 * that is still alive alone.
 *
 * @returns Whether it is nobody's now.
 */
export async function removeExpired(
  engine: Pick<Engine, "ask">,
  { name, namespace, key }: EntryKey,
): Promise<boolean> {
  const reply = await engine.ask({
    kind: "get",
    api: "remote",
    entry: { name, namespace, key },
    assign: false,
  });
  // Where something failed, its row may be there as before.
  return reply.kind === "unassigned" && reply.reason === undefined;
}

/**
 * Removes the files that clients have left: those of expired assignments, with
 * these, and those of work that is no more. Where the disk is short, they go
 * before anything that is kept.
 *
 * @returns How many files have gone.
 */
export async function removeLeftFiles(
  { engine, manifest, blobs, warn }: {
    readonly engine: Pick<Engine, "ask" | "isLive">;
    readonly manifest: Manifest;
    readonly blobs: Pick<BlobStore, "local">;
    readonly warn: (message: string) => void;
  },
): Promise<number> {
  const left = await blobs.local?.leftovers();
  const unowned = new Set(left?.staging);
  const owned: string[] = [];
  for await (const owners of takeOwned(manifest, unowned)) {
    for (const { row, staging } of owners) {
      if (engine.isLive(row.name)) continue;
      const isGone = await removeExpired(engine, row) &&
        stagingOf(await manifest.find(row)) !== staging;
      if (isGone) unowned.add(staging);
      else owned.push(staging);
    }
  }
  const gone = await discardAll(blobs, unowned, warn);
  if (owned.length === 0) return gone;
  // On a disk that is quite full a row stays; its file has gone all the same.
  const still = new Set((await blobs.local?.leftovers())?.staging);
  return gone + owned.filter((staging) => !still.has(staging)).length;
}
