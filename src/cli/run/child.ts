/**
 * The command that `larder run` runs.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { setTimeout as nodeTimeout } from "node:timers";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../../errors.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { say } from "../output.ts";
import { stayingDeaf } from "./ignored.ts";
import { codeOf, type Interrupts } from "./interrupts.ts";
import { jobSlots } from "./job_slots.ts";
import { type PassedOn, passOn } from "./pass_on.ts";
import type { Spool } from "./spool.ts";
import type { Stdin } from "./stdin.ts";

/** What shells give when there is no such program, and when it cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * A process that a command leaves behind may have its stdout for as long as it
 * lives; whoever waits for that waits for a daemon.
 */
const LEAVE_MS = 2_000;

/** Where what a command says is kept, beside being passed on. */
export interface Recorded {
  readonly stdout: Spool;
  readonly stderr: Spool;
}

/** What a command is given. */
export interface Given {
  /** What it reads; by default nothing, and it may be ours. */
  readonly input?: "ours" | Stdin | undefined;
  /** Where to keep what it says; without it, it has our stdout and stderr. */
  readonly recorded?: Recorded;
}

/** How a command has ended. */
export interface Ended {
  /** The exit code, as a shell has it. */
  readonly code: number;
  /** Why what was recorded is not all; `undefined`: it is. */
  readonly gap: string | undefined;
}

/**
 * Runs a command to its end. By default it has no stdin: what it read there
 * would be in its output, but not in the key.
 *
 * @param command The program and its arguments.
 * @param interrupts Signals, which are passed on.
 * @param given What it reads, and where to keep what it says.
 */
export async function runCommand(
  command: readonly [string, ...string[]],
  interrupts: Interrupts,
  { input, recorded }: Given = {},
): Promise<Ended> {
  const output = recorded ? "pipe" : "inherit";
  const [program, ...args] = stayingDeaf(command);
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      stdio: [stdinOf(input), output, output, ...jobSlots()],
    });
  } catch (error) {
    // Such as too many words.
    return cannotRun(program, error);
  }
  const exited = new Promise<number>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? codeOf(signal)))
  );
  const leave = exited.then(() =>
    new Promise<void>((resolve) => {
      // It keeps nothing from ending.
      nodeTimeout(resolve, LEAVE_MS).unref();
    })
  );
  if (typeof input === "object") feed(input, child.stdin!);
  // Before anything is waited for: what nobody reads yet when the program ends,
  // Node throws away.
  const copied = recorded && child.stdout && child.stderr
    ? Promise.all([
      copy(child.stdout, process.stdout, recorded.stdout, leave),
      copy(child.stderr, process.stderr, recorded.stderr, leave),
    ])
    : Promise.resolve([]);
  // Of a program that cannot be run.
  copied.catch(() => {});
  try {
    await once(child, "spawn");
  } catch (error) {
    return cannotRun(program, error);
  }
  // On Deno, child.kill() would make the signal what the child ended with,
  // whatever it made of it.
  using _passing = interrupts.passTo((signal) => sendTo(child.pid!, signal));
  const [code, copies] = await Promise.all([exited, copied]);
  return { code: codeWith(code, copies), gap: gapOf(copies, recorded) };
}

function stdinOf(input: Given["input"]): "ignore" | "inherit" | "pipe" {
  if (input === undefined) return "ignore";
  return input === "ours" ? "inherit" : "pipe";
}

/** Gives it all there is; it need not read it. */
function feed(input: Stdin, to: Writable): void {
  pipeline(Readable.from(input.chunks()), to).catch(() => {});
}

function cannotRun(program: string, error: unknown): Ended {
  const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
  say(`cannot run ${program}: ${isMissing ? "not found" : messageOf(error)}`);
  return { code: isMissing ? NOT_FOUND : NOT_EXECUTABLE, gap: undefined };
}

async function copy(
  from: Readable,
  to: Writable,
  spool: Spool,
  leave: Promise<void>,
): Promise<PassedOn> {
  const keep = (piece: Uint8Array) => spool.write(piece);
  const passed = await passOn(from, to, { keep, leave });
  if (passed.gap !== undefined) from.destroy();
  return passed;
}

/** What was lost on its way must not look like success. */
function codeWith(code: number, copies: readonly PassedOn[]): number {
  const lost = copies.find(({ failure }) => failure !== undefined);
  if (!lost) return code;
  say(`cannot write what the command says: ${messageOf(lost.failure)}`);
  return code === OK ? FAILED : code;
}

function gapOf(
  copies: readonly PassedOn[],
  recorded: Recorded | undefined,
): string | undefined {
  const gap = copies.find(({ gap }) => gap !== undefined)?.gap;
  if (gap !== undefined) return gap;
  if (copies.some(({ failure }) => failure !== undefined)) {
    return "what the command says could not be written";
  }
  const failure = recorded?.stdout.failure ?? recorded?.stderr.failure;
  return failure?.message;
}

function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
