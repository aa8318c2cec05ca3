/**
 * A value that is much larger than the memory it may take: how fast the client
 * library moves it in and out, and what server and client take above idle.
 *
 *   deno run -A bench/large.ts [GIB]
 *
 * @module
 */

import { Cache } from "../src/client/mod.ts";
import { memoryOf } from "./memory.ts";
import { type ServerProcess, startLarder } from "./server_process.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** What the server may take above idle. */
const GOAL_MIB = 300;
const DEFAULT_GIB = 4;

async function* pieces(bytes: number): AsyncIterable<Uint8Array> {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < piece.length; at += 65_536) {
    crypto.getRandomValues(piece.subarray(at, at + 65_536));
  }
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}

/** Does something with so many bytes, and prints what it took. */
async function measured(
  title: string,
  { bytes, server, idleMib, work }: {
    readonly bytes: number;
    readonly server: ServerProcess;
    /** What the server took before the first value. */
    readonly idleMib: number;
    readonly work: () => Promise<void>;
  },
): Promise<void> {
  const { rss: ours } = Deno.memoryUsage();
  let most = ours;
  const timer = setInterval(() => {
    most = Math.max(most, Deno.memoryUsage().rss);
  }, 20);
  const beganMs = performance.now();
  await work();
  const seconds = (performance.now() - beganMs) / 1_000;
  clearInterval(timer);
  const grown = memoryOf(server.pid).serverPeakMib - idleMib;
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
    await using cache = await Cache.connect({ remote: server.remote });
    // Until then it has no connection.
    await cache.get("bench", "nothing");
    const idleMib = memoryOf(server.pid).serverPeakMib;
    await measured("in", {
      bytes,
      server,
      idleMib,
      async work() {
        const isKept = await cache.setStream("bench", "large", pieces(bytes));
        if (!isKept) throw new Error("the value was not kept");
      },
    });
    await measured("out", {
      bytes,
      server,
      idleMib,
      async work() {
        let received = 0;
        const value = await cache.getStream("bench", "large");
        for await (const piece of value ?? []) received += piece.length;
        if (received !== bytes) throw new Error(`${received} bytes came out`);
      },
    });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}
