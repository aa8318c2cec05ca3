/**
 * A value that is much larger than the memory it may take: how fast it goes in
 * and out, and what server and client take above idle.
 *
 *   deno run -A bench/large.ts [GIB]
 *
 * @module
 */

import { CacheClient } from "../tests/v1/client.ts";
import { memoryOf } from "./memory.ts";
import { type ServerProcess, startLarder } from "./server_process.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** What the server may take above idle. */
const GOAL_MIB = 300;
const DEFAULT_GIB = 4;

function* pieces(bytes: number): Iterable<Uint8Array> {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < piece.length; at += 65_536) {
    crypto.getRandomValues(piece.subarray(at, at + 65_536));
  }
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}

/** Does something with so many bytes, and prints what it took. */
async function measured(
  title: string,
  { bytes, server, work }: {
    readonly bytes: number;
    readonly server: ServerProcess;
    readonly work: () => Promise<void>;
  },
): Promise<void> {
  const idle = memoryOf(server.pid).serverPeakMib;
  const { rss: ours } = Deno.memoryUsage();
  let most = ours;
  const timer = setInterval(() => {
    most = Math.max(most, Deno.memoryUsage().rss);
  }, 20);
  const beganMs = performance.now();
  await work();
  const seconds = (performance.now() - beganMs) / 1_000;
  clearInterval(timer);
  const grown = memoryOf(server.pid).serverPeakMib - idle;
  console.log(
    `${title}: ${bytes / MIB} MiB in ${seconds.toFixed(1)} s, ` +
      `${(bytes / MIB / seconds).toFixed(0)} MiB/s; above idle the server ` +
      `took ${grown.toFixed(0)} MiB (goal ${GOAL_MIB}), the client ` +
      `${((most - ours) / MIB).toFixed(0)} MiB`,
  );
}

if (import.meta.main) {
  const bytes = Number(Deno.args[0] ?? DEFAULT_GIB) * 1024 * MIB;
  const root = Deno.makeTempDirSync({ prefix: "larder-bench-" });
  try {
    await using server = await startLarder(root);
    using client = new CacheClient(server.remote);
    const { id } = await client.assigned("bench", "large");
    await measured("in", {
      bytes,
      server,
      work: async () => void await client.publish(id, pieces(bytes)),
    });
    await measured("out", {
      bytes,
      server,
      async work() {
        let received = 0;
        for await (const { chunk } of client.fetch("bench", "large")) {
          received += chunk?.length ?? 0;
        }
        if (received !== bytes) throw new Error(`${received} bytes came out`);
      },
    });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}
