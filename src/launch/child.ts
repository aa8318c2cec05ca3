/**
 * The confined server as a child process.
 *
 * Its stdin is its lifeline: it ends when the launcher closes it, and also when
 * the launcher dies, whatever the way; the server then drains and exits.
 *
 * @module
 */

import type { Config } from "../config.ts";
import { confinedEnvironment } from "./environment.ts";
import { confinedArguments, type Installation } from "./permissions.ts";
import { ReadyLineReader } from "./ready_lines.ts";
import type { ServedAddresses } from "./running_server.ts";

/** How a child ended. */
export interface ChildExit {
  /** Its exit code; 128 plus the signal's number when a signal ended it. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: string | null;
}

/** A server that was started. */
export interface Child {
  /** Resolves when it answers; never when it ends before that. */
  readonly ready: Promise<ServedAddresses>;
  /** Resolves when it has ended and all it printed was passed on. */
  readonly exited: Promise<ChildExit>;
  /** Asks it to drain and exit. */
  stop(): void;
  /** Tells it to look at its files again. */
  reload(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Starts a server. */
export type Spawn = (config: Config) => Child;

/** A terminal that is paused must not hide that the server has ended. */
const MAX_LAST_OUTPUT_MS = 1_000;

/**
 * Starts the confined server of an installation.
 *
 * @param config What to serve.
 * @param installation Which program.
 * @param bootId Of this boot of the machine, where it is known.
 * @returns The running child.
 */
export function spawnConfined(
  config: Config,
  installation: Installation,
  bootId?: string,
): Child {
  const process = new Deno.Command(installation.deno, {
    args: confinedArguments(config, installation, {
      supervised: true,
      ...bootId !== undefined && { bootId },
    }),
    env: confinedEnvironment(config),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ready = Promise.withResolvers<ServedAddresses>();
  const relayed = relay(process.stdout, ready.resolve);
  function send(signal: Deno.Signal): void {
    try {
      process.kill(signal);
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return {
    ready: ready.promise,
    exited: waitFor(process, relayed),
    stop() {
      // It may have ended already: then there is no pipe to close.
      process.stdin.close().catch(() => {});
    },
    reload: () => send("SIGHUP"),
    kill: () => send("SIGKILL"),
  };
}

async function waitFor(
  process: Deno.ChildProcess,
  relayed: Promise<void>,
): Promise<ChildExit> {
  const { code, signal } = await process.status;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, MAX_LAST_OUTPUT_MS);
  await Promise.race([relayed, late]);
  clearTimeout(timer);
  return { code, signal };
}

/** Passes the child's stdout on, and watches for its last start line. */
async function relay(
  stdout: ReadableStream<Uint8Array>,
  onReady: (addresses: ServedAddresses) => void,
): Promise<void> {
  const reader = new ReadyLineReader();
  const decoder = new TextDecoder();
  let isReady = false;
  let isOpen = true;
  for await (const piece of stdout) {
    if (!isReady) {
      const addresses = reader.push(decoder.decode(piece, { stream: true }));
      isReady = addresses !== undefined;
      if (addresses) onReady(addresses);
    }
    // Nobody reads any more (a closed pipe): the child may still write.
    if (isOpen) isOpen = await writeAll(piece);
  }
}

async function writeAll(piece: Uint8Array): Promise<boolean> {
  try {
    for (let at = 0; at < piece.length;) {
      at += await Deno.stdout.write(piece.subarray(at));
    }
    return true;
  } catch {
    return false;
  }
}
