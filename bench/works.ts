/**
 * What is measured, beside what, and what it must reach.
 *
 * @module
 */

import { type Entry, HIT_1_KIB, HIT_1_MIB } from "./entries.ts";
import type { GoLoad, GoPrograms } from "./go_programs.ts";
import { h2load } from "./h2load.ts";
import type { Sample } from "./sample.ts";
import { assign } from "./seed.ts";
import type { ServerProcess, VARIANTS } from "./server_process.ts";
import { BENCH_TOKEN } from "./variants.ts";

/** What a work must reach, as ratios to the other server in the same run. */
export interface Goal {
  /** Units in a second, at least. */
  readonly speed?: number;
  /** The p99, at most. */
  readonly p99?: number;
  /** The other's p50 by the server's, at least. */
  readonly p50?: number;
  /** The other's units in a second by the server's, at most. */
  readonly slowdown?: number;
  /** The server's processor time for a unit by the other's, at most. */
  readonly cpu?: number;
  /** Calls that failed in all runs, at most. */
  readonly failed?: number;
}

/** How a work is measured. */
export interface Tools {
  /** Absent without Go: works that need it are skipped. */
  readonly go?: GoPrograms;
  /** Of one run. */
  readonly seconds: number;
}

/** A program that is not there on every machine; or `--since`, which is not always given. */
export type Tool = "go" | "h2load" | "since";

/** One kind of load. */
export interface Work {
  /** For `--only`. */
  readonly name: string;
  /** For the table. */
  readonly title: string;
  /** Without which it is skipped; the floor is in Go. */
  readonly needs: readonly Tool[];
  /** What is measured: a cache with room, unless given. */
  readonly server?: "full" | "guarded" | "crowded" | keyof typeof VARIANTS;
  /** What the server is measured beside. */
  readonly beside: "floor" | "empty" | "fresh" | "earlier";
  /** What it must reach. */
  readonly goal: Goal;
  /** What the table counts: so many to a unit of work, 1 unless given. */
  readonly scale?: number;
  /** Measures a server once. */
  run(server: ServerProcess, tools: Tools): Promise<Sample>;
}

const MIB = 1_024 * 1_024;
const PUBLISH_MIB = 64;
const DELAY_MS = 20;
/** As many as `load/burst.go` makes at once. */
const BURST_CALLS = 450;

/** In the order of the table. */
export const WORKS: readonly Work[] = [
  goWork("hit_1_kib", "remote hit 1 KiB, 8 x 16", { speed: 1.1 }, {
    work: "hit",
    ...HIT_1_KIB,
    ...crowd(8, 16),
  }),
  goWork("heartbeat", "heartbeat, 8 x 16", { speed: 1.4 }, {
    work: "heartbeat",
    ...crowd(8, 16),
  }),
  goWork("hit_1_mib", "remote hit 1 MiB, 4 x 4", { speed: 0.9, p99: 1 }, {
    work: "hit",
    ...HIT_1_MIB,
    ...crowd(4, 4),
  }),
  goWork("lone", "a lone caller's hit 1 KiB", { p50: 1.1 }, {
    work: "hit",
    ...HIT_1_KIB,
  }),
  // Before what is written is still on its way to the disk.
  {
    name: "empty",
    title: "remote hit 1 KiB beside an empty call",
    needs: ["go"],
    beside: "empty",
    goal: { slowdown: 1.15 },
    run: ({ kind, remote }, { go, seconds }) =>
      go!.load({
        work: kind === "empty" ? "empty" : "hit",
        ...HIT_1_KIB,
        ...crowd(8, 16),
        address: remote,
        seconds,
      }),
  },
  {
    ...goWork("constant", "remote hit 1 KiB beside a constant of 1 KiB", {
      slowdown: 1.15,
    }, { work: "hit", ...HIT_1_KIB, ...crowd(8, 16) }),
    beside: "empty",
  },
  goWork("connect", "one connection per call, 16 callers", { speed: 0.85 }, {
    work: "connect",
    ...HIT_1_KIB,
    callers: 16,
  }),
  {
    ...goWork("burst", `${BURST_CALLS} connections with a call at once`, {
      failed: 0,
    }, { work: "burst", ...HIT_1_KIB }),
    scale: BURST_CALLS,
  },
  goWork("miss", "miss cycle 1 KiB, 32 callers", { speed: 0.25 }, {
    work: "miss",
    ...crowd(8, 4),
  }),
  goWork("set_1_mib", "Set 1 MiB, 4 x 4", { speed: 0.5 }, {
    work: "set",
    size: MIB,
    ...crowd(4, 4),
  }),
  publishWork("publish", "Publish 64 MiB, MiB/s", {}),
  publishWork("publish_far", `the same, ${DELAY_MS} ms away`, {
    delayMs: DELAY_MS,
  }),
  goWork("set_3_mb", "Set 3 MB, 4 callers", { speed: 1.5 }, {
    work: "set",
    size: 3_000_000,
    ...crowd(4, 1),
  }),
  localWork(
    "local",
    "local cycle 1 KiB, 16 callers, beside a miss",
    {
      speed: 0.2,
    },
    { work: "local", ...crowd(8, 2) },
    { work: "miss", ...crowd(8, 4) },
  ),
  localWork(
    "local_hit",
    "local Get + Drop, 8 x 16, beside heartbeats",
    {
      speed: 0.55,
    },
    { work: "local_hit", ...crowd(8, 16) },
    {
      work: "heartbeat",
      ...crowd(8, 16),
    },
  ),
  atTheLimit("full_1_kib", "miss cycle 1 KiB into a full cache", {
    work: "miss",
    ...crowd(8, 4),
  }),
  atTheLimit("full_1_mib", "Set 1 MiB into a full cache", {
    work: "set",
    size: MIB,
    ...crowd(4, 4),
  }),
  variantWork("watched", "hit", "remote hit 1 KiB, with --http", 0.97, {
    work: "hit",
    ...HIT_1_KIB,
    ...crowd(8, 16),
  }),
  variantWork("watched", "miss", "miss cycle 1 KiB, with --http", 0.97, {
    work: "miss",
    ...crowd(8, 4),
  }),
  variantWork("cold", "1_kib", "remote hit 1 KiB, not in memory", 0.5, {
    work: "hit",
    ...HIT_1_KIB,
    ...crowd(8, 16),
  }),
  variantWork("cold", "1_mib", "remote hit 1 MiB, not in memory", 0.5, {
    work: "hit",
    ...HIT_1_MIB,
    ...crowd(4, 4),
  }),
  variantWork("strict", "miss", "miss cycle 1 KiB, strict", 0.5, {
    work: "miss",
    ...crowd(8, 4),
  }),
  crowdedWork("hit", "remote hit 1 KiB", {
    work: "hit",
    ...HIT_1_KIB,
    ...crowd(8, 16),
  }),
  crowdedWork("miss", "miss cycle 1 KiB", { work: "miss", ...crowd(8, 4) }),
  crowdedWork("set_3_mb", "Set 3 MB, 4 callers", {
    work: "set",
    size: 3_000_000,
    ...crowd(4, 1),
  }),
  crowdedWork("local", "local cycle 1 KiB, 16 callers", {
    work: "local",
    ...crowd(8, 2),
  }),
  crowdedWork("local_hit", "local Get + Drop, 8 x 16", {
    work: "local_hit",
    ...crowd(8, 16),
  }),
  {
    name: "token_hit",
    title: "remote hit 1 KiB, with a token",
    needs: ["go"],
    server: "guarded",
    beside: "fresh",
    goal: { cpu: 1.05 },
    run: (server, { go, seconds }) =>
      go!.load({
        ...{ work: "hit", ...HIT_1_KIB, ...crowd(8, 16), seconds },
        address: server.remote,
        ...server.kind === "guarded" && { token: BENCH_TOKEN },
      }, server),
  },
  sinceWork("hit", "remote hit 1 KiB", {
    work: "hit",
    ...HIT_1_KIB,
    ...crowd(8, 16),
  }),
  sinceWork("heartbeat", "heartbeat, 8 x 16", {
    work: "heartbeat",
    ...crowd(8, 16),
  }),
  sinceWork("local", "local cycle 1 KiB, 16 callers", {
    work: "local",
    ...crowd(8, 2),
  }),
  sinceWork("miss", "miss cycle 1 KiB, 32 callers", {
    work: "miss",
    ...crowd(8, 4),
  }),
  sinceWork("set_3_mb", "Set 3 MB, 4 callers", {
    work: "set",
    size: 3_000_000,
    ...crowd(4, 1),
  }),
  {
    name: "h2load_hit",
    title: "h2load: remote hit 1 KiB, 8 x 16",
    needs: ["go", "h2load"],
    beside: "floor",
    goal: {},
    run: (server, { seconds }) => hit(server, HIT_1_KIB, seconds),
  },
  {
    name: "h2load_heartbeat",
    title: "h2load: heartbeat, 8 x 16",
    needs: ["go", "h2load"],
    beside: "floor",
    goal: {},
    run: async ({ remote }, { seconds }) =>
      await h2load({
        address: remote,
        method: "Heartbeat",
        request: { id: await assign(remote) },
        connections: 8,
        streams: 16,
        seconds,
        replyBytes: 0,
      }),
  },
];

function crowd(
  connections: number,
  each: number,
): Pick<GoLoad, "connections" | "callers"> {
  return { connections, callers: connections * each };
}

/** A work of grpc-go beside the floor. */
function goWork(
  name: string,
  title: string,
  goal: Goal,
  load: Omit<GoLoad, "address" | "seconds">,
): Work {
  const at = load.work === "publish" ? "publish" : "remote";
  return {
    name,
    title,
    needs: ["go"],
    beside: "floor",
    goal,
    run: (server, { go, seconds }) =>
      go!.load({ ...load, address: server[at], seconds }),
  };
}

/** A cache at its limits beside one that has none: each value needs another to go. */
function atTheLimit(
  name: string,
  title: string,
  load: Omit<GoLoad, "address" | "seconds">,
): Work {
  return {
    ...goWork(name, title, {}, load),
    server: "full",
    beside: "fresh",
  };
}

/** A cache server with flags of its own, beside one without. */
function variantWork(
  server: keyof typeof VARIANTS,
  name: string,
  title: string,
  speed: number,
  load: Omit<GoLoad, "address" | "seconds">,
): Work {
  return {
    ...goWork(`${server}_${name}`, title, { speed }, load),
    server,
    beside: "fresh",
  };
}

/** A cache server with very many entries beside an empty one. */
function crowdedWork(
  name: string,
  title: string,
  load: Omit<GoLoad, "address" | "seconds">,
): Work {
  const isLocal = load.work.startsWith("local");
  return {
    name: `crowded_${name}`,
    title: `${title}, very many entries`,
    needs: ["go"],
    server: "crowded",
    beside: "fresh",
    goal: { speed: 0.9 },
    run: ({ local, remote }, { go, seconds }) =>
      go!.load({ ...load, address: isLocal ? local : remote, seconds }),
  };
}

/** Files of LocalCache, beside something else that the floor does without any. */
function localWork(
  name: string,
  title: string,
  goal: Goal,
  load: Omit<GoLoad, "address" | "seconds">,
  besides: Omit<GoLoad, "address" | "seconds">,
): Work {
  return {
    ...goWork(name, title, goal, load),
    run: ({ kind, local, remote }, { go, seconds }) =>
      go!.load(
        kind === "floor"
          ? { ...besides, address: remote, seconds }
          : { ...load, address: local, seconds },
      ),
  };
}

/** The processor time of a unit beside that of an earlier commit. */
function sinceWork(
  name: string,
  title: string,
  load: Omit<GoLoad, "address" | "seconds">,
): Work {
  return {
    name: `since_${name}`,
    title: `${title}, beside --since`,
    needs: ["go", "since"],
    beside: "earlier",
    goal: { cpu: 1.02 },
    run: (server, { go, seconds }) => {
      const address = load.work === "local" ? server.local : server.remote;
      return go!.load({ ...load, address, seconds }, server);
    },
  };
}

function publishWork(
  name: string,
  title: string,
  options: Pick<GoLoad, "delayMs">,
): Work {
  const size = PUBLISH_MIB * MIB;
  const load = { work: "publish", size, ...options } as const;
  return {
    ...goWork(name, title, { speed: 0.8 }, load),
    scale: PUBLISH_MIB,
  };
}

function hit(
  { remote }: ServerProcess,
  { namespace, key, size }: Entry,
  seconds: number,
): Promise<Sample> {
  return h2load({
    connections: 8,
    streams: 16,
    seconds,
    address: remote,
    method: "Get",
    request: { namespace, key: new TextEncoder().encode(key), assign: true },
    replyBytes: size,
  });
}
