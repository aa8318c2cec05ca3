/**
 * Starts a server as its users do, reads where it answers, and stops it.
 *
 * @module
 */

import { TextLineStream } from "../tests/support/lines.ts";

const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 15_000;
const repository = new URL("..", import.meta.url);

/** Cache servers with flags of their own, and what they are measured beside: one without. */
export const VARIANTS = {
  /** Counts for its metrics and its page. */
  watched: ["--http", "127.0.0.1:0"],
  /** Keeps no value in memory. */
  cold: ["--memory-cache-bytes", "0"],
  /** Answers when what it wrote is on the disk. */
  strict: ["--durability", "strict"],
  fresh: [],
} as const satisfies Record<string, readonly string[]>;

/**
 * A variant, the cache server, one at its limits, one that asks who calls, one
 * with very many entries, one of an earlier commit, or another server.
 */
export type ServerKind =
  | keyof typeof VARIANTS
  | "larder"
  | "full"
  | "guarded"
  | "crowded"
  | "earlier"
  | "floor"
  | "empty";

/** A running server. */
export interface ServerProcess extends AsyncDisposable {
  /** Which. */
  readonly kind: ServerKind;
  /** Of the process that was started; the server may be a descendant. */
  readonly pid: number;
  /** Where LocalCache answers. */
  readonly local: string;
  /** Where RemoteCache answers. */
  readonly remote: string;
  /** Where Publish answers. */
  readonly publish: string;
  /** From the start of the process until it answered. */
  readonly startMs: number;
}

/** Starts the cache server on a root, as `deno task serve` does. */
export function startLarder(
  root: string,
  { kind = "larder", flags = [], repository }: {
    readonly kind?: ServerKind;
    readonly flags?: readonly string[];
    /** Where the sources are; here, unless given. */
    readonly repository?: string;
  } = {},
): Promise<ServerProcess> {
  return start(kind, Deno.execPath(), [
    ...["task", "--quiet", "serve", root],
    ...["-l", "127.0.0.1:0", "-r", "127.0.0.1:0"],
    // The movers' values are as large as messages may be.
    ...["--max-reply-bytes", "64MiB"],
    ...flags,
  ], repository);
}

/** Starts the floor. */
export function startFloor(program: string): Promise<ServerProcess> {
  return start("floor", program, []);
}

/** Starts the server of empty calls, on the transport that the cache server uses. */
export function startEmpty(): Promise<ServerProcess> {
  return start("empty", Deno.execPath(), [
    ...["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"],
    ...["--ignore-env", "--allow-read", "bench/empty_server.ts"],
  ]);
}

async function start(
  kind: ServerKind,
  program: string,
  args: string[],
  cwd: string | URL = repository,
): Promise<ServerProcess> {
  const began = performance.now();
  const child = new Deno.Command(program, {
    args,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), START_DEADLINE_MS);
  const addresses = new Map<string, string>();
  let isReady = false;
  const lines = child.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines.values({ preventCancel: true })) {
    const [, api, address] = /^larder: (\w+) on (\S+)/.exec(line) ?? [];
    if (api !== undefined) addresses.set(api, address!);
    isReady = line.startsWith("larder: ready");
    if (isReady) break;
  }
  const startMs = performance.now() - began;
  clearTimeout(timer);
  // Whoever does not read a pipe stops its writer at last.
  lines.pipeTo(new WritableStream()).catch(() => {});
  if (!isReady) {
    const { code } = await child.status;
    throw new Error(
      `Cannot start ${program} ${args.join(" ")}: it ended with code ${code}`,
    );
  }
  const remote = addresses.get("RemoteCache")!;
  return {
    kind,
    pid: child.pid,
    local: addresses.get("LocalCache") ?? remote,
    remote,
    publish: addresses.get("Publish") ?? remote,
    startMs,
    [Symbol.asyncDispose]: () => stop(child),
  };
}

async function stop(child: Deno.ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  child.kill("SIGTERM");
  await child.status;
  clearTimeout(timer);
}
