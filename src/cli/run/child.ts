/**
 * The command that `larder run` runs.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { constants } from "node:os";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { say } from "../output.ts";
import type { Interrupts } from "./interrupts.ts";
import { passOn } from "./pass_on.ts";

/** What shells give when there is no such program, and when it cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
/** And for a program that a signal has ended, beside the signal's number. */
const SIGNALED = 128;

/** Where what a command says is kept, beside being passed on. */
export interface Recorded {
  /** A file for its stdout. */
  readonly stdout: string;
  /** A file for its stderr. */
  readonly stderr: string;
}

/**
 * Runs a command to its end. It has no stdin: what it read there would be in
 * its output, but not in the key.
 *
 * @param command The program and its arguments.
 * @param interrupts Signals, which are passed on.
 * @param recorded Where to keep what it says; without it, it has our own stdout
 * and stderr.
 * @returns The exit code, as a shell has it.
 */
export async function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  interrupts: Interrupts,
  recorded?: Recorded,
): Promise<number> {
  const output = recorded ? "pipe" : "inherit";
  const child = spawn(program, args, { stdio: ["ignore", output, output] });
  const ended = new Promise<number>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? codeOf(signal)))
  );
  try {
    await once(child, "spawn");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    say(`cannot run ${program}: ${message}`);
    return code === "ENOENT" ? NOT_FOUND : NOT_EXECUTABLE;
  }
  // On Deno, child.kill() would make the signal what the child ended with,
  // whatever it made of it.
  using _passing = interrupts.passTo((signal) => sendTo(child.pid!, signal));
  const copies = recorded && child.stdout && child.stderr
    ? [
      copy(child.stdout, process.stdout, recorded.stdout),
      copy(child.stderr, process.stderr, recorded.stderr),
    ]
    : [];
  const [code] = await Promise.all([ended, ...copies]);
  return code;
}

function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** The exit code that stands for a signal. */
export function codeOf(signal: NodeJS.Signals | null): number {
  return SIGNALED + (signal === null ? 0 : constants.signals[signal]);
}

async function copy(from: Readable, to: Writable, path: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await passOn(from, to, (piece) => file.writeFile(piece));
  } finally {
    await file.close();
  }
}
