/**
 * The system calls by which a server changes its root, each as a place where
 * it fails.
 *
 * @module
 */

import { ServerProcess } from "../support/server_process.ts";
import { threadId, threadNames, Tracer } from "../support/strace.ts";
import type { Fault } from "./kill_sweep.ts";

/** The calls that change a disk; opening counts where it creates. */
export const CHANGING: readonly string[] = [
  ...["openat", "write", "pwrite64", "ftruncate", "fallocate"],
  ...["rename", "renameat2", "link", "linkat", "unlink", "unlinkat"],
  ...["mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat"],
  ...["utimensat", "fsync", "fdatasync"],
];
/** These threads live as long as the server; others come and go. */
const LASTING = /^worker-\d+$/;

/** A call to die at, just before it is made. */
export interface Place {
  /** Which thread; `undefined`: whichever. */
  readonly thread?: string;
  readonly call: string;
  /** Which of that thread's calls of this name, from 1. */
  readonly nth: number;
  /** The call as the trace has it, for people. */
  readonly line: string;
}

const OUTSIDE = { start, places, describe };

/** Kills a server at a system call. */
export const KILLED_AT_CALLS: Fault<Place> = {
  ...OUTSIDE,
  deadly: true,
  arm: (server, place) => inject(server, place, "signal=SIGKILL"),
};

/** Lets a system call of a server fail, once. */
export function failedCalls(
  error: string,
  check: (failure: unknown) => void,
): Fault<Place> {
  return {
    ...OUTSIDE,
    deadly: check,
    arm: (server, place) => inject(server, place, `error=${error}`),
  };
}

function start(root: string, args: readonly string[]): Promise<ServerProcess> {
  return ServerProcess.start(root, { confined: true, args });
}

async function places(
  { pid, root }: ServerProcess,
  act: () => Promise<void>,
): Promise<Place[]> {
  const output = await Deno.makeTempFile({ prefix: "larder-trace-" });
  try {
    const names = threadNames(pid);
    const trace = `trace=${CHANGING.join(",")}`;
    const args = ["-y", "-s", "0", "-o", output, "-e", trace];
    {
      await using _ = await Tracer.attach(pid, { args, follow: true });
      await act();
    }
    return parse(await Deno.readTextFile(output), { names, root });
  } finally {
    await Deno.remove(output);
  }
}

function inject(
  { pid }: ServerProcess,
  { thread, call, nth }: Place,
  what: string,
): Promise<Tracer> {
  const args = [
    ...["-o", "/dev/null", "-e", `trace=${call}`],
    ...["-e", `inject=${call}:${what}:when=${nth}`],
  ];
  return thread === undefined
    ? Tracer.attach(pid, { args, follow: true })
    : Tracer.attach(threadId(pid, thread), { args });
}

function describe({ line }: Place): string {
  return `at ${line}`;
}

function parse(
  trace: string,
  { names, root }: { names: ReadonlyMap<number, string>; root: string },
): Place[] {
  const counts = new Map<string, number>();
  const places: Place[] = [];
  for (const line of trace.split("\n")) {
    const [, id, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (id === undefined || call === undefined) continue;
    const name = names.get(Number(id));
    const thread = name !== undefined && LASTING.test(name)
      ? { thread: name }
      : {};
    const key = `${id} ${call}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    const changes = call !== "openat" || line.includes("O_CREAT");
    if (line.includes(`${root}/`) && changes) {
      places.push({ ...thread, call, nth, line: line.replaceAll(root, "") });
    }
  }
  return places;
}
