/**
 * Starts a server as its users do, reads where it answers, and stops it.
 *
 * @module
 */

import { TextLineStream } from "../tests/support/lines.ts";

const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 15_000;
const repository = new URL("..", import.meta.url);

/** A running server. */
export interface ServerProcess extends AsyncDisposable {
  /** Of the process that was started; the server may be a descendant. */
  readonly pid: number;
  /** Where LocalCache answers. */
  readonly local: string;
  /** Where RemoteCache answers. */
  readonly remote: string;
  /** From the start of the process until it answered. */
  readonly startMs: number;
}

/** Starts the cache server on a root, as `deno task serve` does. */
export function startLarder(root: string): Promise<ServerProcess> {
  return start([
    ...["task", "--quiet", "serve", root],
    ...["-l", "127.0.0.1:0", "-r", "127.0.0.1:0"],
  ]);
}

/** Starts the floor; its local assignments name files in the folder. */
export function startFloor(folder: string): Promise<ServerProcess> {
  return start([
    ...[
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      "--ignore-env",
    ],
    ...["--allow-read", "bench/floor_server.ts", folder],
  ]);
}

async function start(args: string[]): Promise<ServerProcess> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: repository,
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
      `Cannot start ${args.join(" ")}: it ended with code ${code}`,
    );
  }
  return {
    pid: child.pid,
    local: addresses.get("LocalCache")!,
    remote: addresses.get("RemoteCache")!,
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
