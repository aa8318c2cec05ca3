/**
 * The programs in `load/`, in Go: the load of a real client, grpc-go, and the
 * floor, a cache in memory on grpc-go.
 *
 * @module
 */

import { cpuSecondsOf } from "./cpu.ts";
import type { Sample } from "./sample.ts";
import type { ServerProcess } from "./server_process.ts";

const source = new URL("./load/", import.meta.url);

/** What a load is to do. */
export interface GoLoad {
  /** See `load/works.go`. */
  readonly work:
    | "hit"
    | "connect"
    | "burst"
    | "heartbeat"
    | "empty"
    | "miss"
    | "set"
    | "local"
    | "local_hit"
    | "publish";
  /** Where. */
  readonly address: string;
  /** Units of work under way at once; 1 unless given. */
  readonly callers?: number;
  /** Connections that the callers share; 1 unless given. */
  readonly connections?: number;
  /** Of the entries. */
  readonly namespace?: string;
  /** Of the one entry that is read. */
  readonly key?: string;
  /** Of a value, in bytes; 1 KiB unless given. */
  readonly size?: number;
  /** What a proxy before the server adds each way. */
  readonly delayMs?: number;
  /** What callers say who they are by; absent: nothing. */
  readonly token?: string;
  /** That are measured; the warm-up comes on top. */
  readonly seconds: number;
}

/** The two programs. */
export interface GoPrograms {
  /** Of the floor. */
  readonly floor: string;
  /** Runs a load once; with `server`, its processor time is measured as well. */
  load(load: GoLoad, server?: ServerProcess): Promise<Sample>;
}

/** Builds them into a folder; a text says why that is impossible. */
export async function buildGoPrograms(
  folder: string,
): Promise<GoPrograms | string> {
  try {
    const { success } = await new Deno.Command("go", {
      args: ["build", "-o", `${folder}/`, ".", "./floor"],
      cwd: source,
      stderr: "inherit",
    }).output();
    if (!success) return "go cannot build bench/load";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "go is missing";
    throw error;
  }
  return {
    floor: `${folder}/floor`,
    load: (load, server) => run(`${folder}/load`, load, server),
  };
}

interface Result extends Omit<Sample, "perSecond" | "failed"> {
  readonly all: number;
  readonly done: number;
  readonly seconds: number;
  readonly errors: number;
  readonly failed: number;
  readonly firstError?: string;
}

async function run(
  program: string,
  load: GoLoad,
  server?: ServerProcess,
): Promise<Sample> {
  const flags = {
    target: load.address,
    work: load.work,
    callers: load.callers ?? 1,
    connections: load.connections ?? 1,
    namespace: load.namespace ?? "bench",
    key: load.key ?? "",
    size: load.size ?? 1_024,
    token: load.token ?? "",
    delay: `${load.delayMs ?? 0}ms`,
    duration: `${load.seconds}s`,
  };
  const before = server ? cpuSecondsOf(server.pid) : 0;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: Object.entries(flags).map(([name, value]) => `-${name}=${value}`),
  }).output();
  if (!success) {
    throw new Error(
      `The load ${load.work} failed: ${new TextDecoder().decode(stderr)}`,
    );
  }
  const result: Result = JSON.parse(new TextDecoder().decode(stdout));
  if (result.errors > 0 || result.done === 0) {
    throw new Error(
      `${load.work}: ${result.errors} of ${
        result.done + result.errors
      } failed: ${result.firstError}`,
    );
  }
  return {
    perSecond: result.done / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    failed: result.failed,
    ...server && {
      cpuUs: (cpuSecondsOf(server.pid) - before) / result.all * 1e6,
    },
  };
}
