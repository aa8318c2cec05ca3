/**
 * Work whose lease has ended, and whose holder has not come back.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { EntryKey, Row } from "../table/types.ts";
import type { Engine } from "./engine.ts";

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
  return reply.kind === "unassigned";
}

/**
 * Removes the expired assignments whose clients have left files: where the disk
 * is short, these go before anything that is kept.
 *
 * @returns How many files have gone.
 */
export async function removeExpiredFiles(
  { engine, manifest, blobs }: {
    readonly engine: Pick<Engine, "ask" | "isLive">;
    readonly manifest: Manifest;
    readonly blobs: Pick<BlobStore, "local">;
  },
): Promise<number> {
  const left = await blobs.local?.leftovers();
  const files = new Set(left?.staging);
  let gone = 0;
  let cursor: string | undefined;
  do {
    if (files.size === 0) break;
    const page = await manifest.unsettled(cursor);
    for (const row of page.items) {
      const staging = stagingOf(row);
      if (staging === undefined || !files.has(staging)) continue;
      if (engine.isLive(row.name) || !await removeExpired(engine, row)) {
        continue;
      }
      // On a disk that is quite full its row stays; the file goes all the same.
      const owner = await manifest.find(row);
      if (stagingOf(owner) === staging) continue;
      await blobs.local?.discard(staging);
      gone++;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return gone;
}

function stagingOf(row: Row | undefined): string | undefined {
  return row?.status === "loading" ? row.staging : undefined;
}
