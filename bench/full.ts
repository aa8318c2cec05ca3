/**
 * A cache at its limits, the normal state of a cache.
 *
 * @module
 */

import { RemoteClient } from "../tests/support/clients.ts";
import { type ServerProcess, startLarder } from "./server_process.ts";

/** What small values fill … */
const MAX_ENTRIES = 2_000;
/** … and values of 1 MiB: what live leases hold is below a quarter of it. */
const MAX_MIB = 256;
const CALLERS = 16;
const MIB = 1024 * 1024;

/** Starts one on a root in the folder, and fills it. */
export async function startFull(folder: string): Promise<ServerProcess> {
  const full = await startLarder(`${folder}/full`, {
    kind: "full",
    flags: ["--max-entries", `${MAX_ENTRIES}`, "--max-bytes", `${MAX_MIB}MiB`],
  });
  try {
    await fill(full);
    return full;
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
