/**
 * What is measured, and what it must reach.
 *
 * @module
 */

import type { Generator } from "./cycle.ts";
import { type Entry, HIT_1_KIB, HIT_1_MIB } from "./entries.ts";
import { h2load } from "./h2load.ts";
import type { Sample } from "./sample.ts";
import { assign } from "./seed.ts";
import type { ServerProcess } from "./server_process.ts";

/** What a work must reach. */
export interface Goal {
  /** Speed as a share of the floor's. */
  readonly ofFloor?: number;
  /** The p99 as a multiple of the p50. */
  readonly p99OfP50?: number;
}

/** How a work is measured. */
export interface Tools {
  /** Absent without Go: works that need it are skipped. */
  readonly cycle?: Generator;
  /** Of one run. */
  readonly seconds: number;
}

/** One kind of load. */
export interface Work {
  /** For `--only`. */
  readonly name: string;
  /** For the table. */
  readonly title: string;
  /** Which generator it needs. */
  readonly needs: "h2load" | "go";
  /** What it must reach, where the issue says so. */
  readonly goal: Goal;
  /** Measures a server once. */
  run(server: ServerProcess, tools: Tools): Promise<Sample>;
}

/** In the order of the table. */
export const WORKS: readonly Work[] = [
  {
    name: "hit_1_kib",
    title: "remote hit 1 KiB, 8 x 16",
    needs: "h2load",
    goal: { ofFloor: 0.85 },
    run: (server, { seconds }) =>
      hit(server, HIT_1_KIB, { connections: 8, streams: 16, seconds }),
  },
  {
    name: "hit_1_mib",
    title: "remote hit 1 MiB, 4 x 4",
    needs: "h2load",
    goal: { p99OfP50: 5 },
    run: (server, { seconds }) =>
      hit(server, HIT_1_MIB, { connections: 4, streams: 4, seconds }),
  },
  {
    name: "heartbeat",
    title: "heartbeat, 8 x 16",
    needs: "h2load",
    goal: { ofFloor: 0.9 },
    run: async (server, { seconds }) =>
      await h2load({
        address: server.remote,
        method: "Heartbeat",
        request: { id: await assign(server.remote) },
        connections: 8,
        streams: 16,
        seconds,
        replyBytes: 0,
      }),
  },
  {
    name: "miss",
    title: "miss cycle 1 KiB, 32 callers (of two empty calls)",
    needs: "go",
    goal: { ofFloor: 0.25 },
    run: ({ remote }, { cycle, seconds }) =>
      cycle!({
        work: "miss",
        address: remote,
        callers: 32,
        connections: 8,
        seconds,
      }),
  },
  {
    name: "local",
    title: "local cycle 1 KiB, 16 callers",
    needs: "go",
    goal: {},
    run: ({ local }, { cycle, seconds }) =>
      cycle!({
        work: "local",
        address: local,
        callers: 16,
        connections: 8,
        seconds,
      }),
  },
  {
    name: "connect",
    title: "one connection per call, 16 callers",
    needs: "go",
    goal: {},
    run: ({ remote }, { cycle, seconds }) =>
      cycle!({
        work: "connect",
        address: remote,
        callers: 16,
        ...HIT_1_KIB,
        seconds,
      }),
  },
];

function hit(
  { remote }: ServerProcess,
  { namespace, key, size }: Entry,
  load: { connections: number; streams: number; seconds: number },
): Promise<Sample> {
  return h2load({
    ...load,
    address: remote,
    method: "Get",
    request: { namespace, key: new TextEncoder().encode(key), assign: true },
    replyBytes: size,
  });
}
