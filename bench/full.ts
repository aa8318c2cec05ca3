/**
 * A cache at its limits, the normal state of a cache, beside one without any.
 *
 * @module
 */

import { RemoteClient } from "../tests/support/clients.ts";
import { type ServerProcess, startLarder } from "./server_process.ts";

/** What small values fill … */
const MAX_ENTRIES = 2_000;
/** … and values of 1 MiB. */
const MAX_MIB = 64;
const CALLERS = 32;
const MIB = 1024 * 1024;

/** Both, on roots in the folder; the first one is full. */
export async function startFull(
  folder: string,
): Promise<[full: ServerProcess, fresh: ServerProcess]> {
  const full = await startLarder(`${folder}/full`, {
    kind: "full",
    flags: ["--max-entries", `${MAX_ENTRIES}`, "--max-bytes", `${MAX_MIB}MiB`],
  });
  try {
    await fill(full);
    return [full, await startLarder(`${folder}/fresh`, { kind: "fresh" })];
  } catch (error) {
    await full[Symbol.asyncDispose]();
    throw error;
  }
}

/** Half of the bytes by one value of 1 MiB after the other, then all places by small ones. */
async function fill({ remote }: ServerProcess): Promise<void> {
  using client = new RemoteClient(remote);
  const sizes = [
    ...Array.from({ length: MAX_MIB }, () => MIB),
    ...Array.from({ length: MAX_ENTRIES }, () => 1024),
  ].values();
  let next = 0;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    for (const size of sizes) {
      const { id } = await client.assigned("bench.fill", `${next++}`);
      await client.set(id, new Uint8Array(size));
    }
  }));
}
