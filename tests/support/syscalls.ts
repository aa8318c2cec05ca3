/**
 * What a running process asks of the kernel, seen by strace.
 *
 * @module
 */

import { Tracer } from "./strace.ts";

/** A system call. */
export interface Call {
  /** As strace prints it, with what its descriptors are. */
  readonly text: string;
  /** Where it began among all lines of the trace. */
  readonly begin: number;
  /** Where it ended. */
  readonly end: number;
}

/** System calls of a process, from the moment it was attached to. */
export interface Trace {
  /** Lets the process go; its calls in the order they began. */
  stop(): Promise<Call[]>;
}

/** System calls that are to fail. */
export interface Fault {
  /** Their names. */
  readonly names: readonly string[];
  /** What they fail with. */
  readonly error: string;
  /** Only those on these paths. */
  readonly paths?: readonly string[];
}

/** Lets system calls of a process fail while something runs. */
export async function whileFailing(
  pid: number,
  { names, error, paths = [] }: Fault,
  run: () => Promise<void>,
): Promise<void> {
  const faults = await trace(pid, names, [
    ...paths.flatMap((path) => ["-P", path]),
    ...["-e", `inject=${names.join(",")}:error=${error}`],
  ]);
  try {
    await run();
  } finally {
    await faults.stop();
  }
}

/**
 * Attaches to every thread of a process.
 *
 * @param pid Of the process.
 * @param names Of the calls to look at.
 * @param more Options of strace.
 */
export async function trace(
  pid: number,
  names: readonly string[],
  more: readonly string[] = [],
): Promise<Trace> {
  const log = await Deno.makeTempFile({ prefix: "larder-strace-" });
  const args = ["-yy", "-o", log, "-e", `trace=${names.join(",")}`, ...more];
  const tracer = await Tracer.attach(pid, { args, follow: true });
  return {
    async stop() {
      await tracer.stop();
      const text = await Deno.readTextFile(log);
      await Deno.remove(log);
      return callsOf(text.split("\n"));
    },
  };
}

/** Puts together what strace cuts in two when threads take turns. */
function callsOf(lines: readonly string[]): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, number>();
  for (const [at, line] of lines.entries()) {
    const [, thread = "", text = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = unfinished.get(thread);
    if (text.startsWith("<... ") && begun !== undefined) {
      calls[begun] = { ...calls[begun]!, end: at };
      unfinished.delete(thread);
    } else if (/^\w+\(/.test(text)) {
      const isCut = text.endsWith("<unfinished ...>");
      if (isCut) unfinished.set(thread, calls.length);
      calls.push({ text, begin: at, end: isCut ? Infinity : at });
    }
  }
  return calls;
}
