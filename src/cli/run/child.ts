/**
 * The command that `larder run` runs.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import { say } from "../output.ts";
import { codeOf, type Interrupts } from "./interrupts.ts";
import { passOn } from "./pass_on.ts";

/** What shells give when there is no such program, and when it cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

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
  await using files = recorded && await filesFor(recorded);
  const output = recorded ? "pipe" : "inherit";
  const child = spawn(program, args, { stdio: ["ignore", output, output] });
  // Before anything is waited for: what nobody reads yet when the program ends,
  // Node throws away.
  const copied = files && child.stdout && child.stderr
    ? Promise.all([
      passOn(child.stdout, process.stdout, files.stdout),
      passOn(child.stderr, process.stderr, files.stderr),
    ])
    : Promise.resolve();
  // Of a program that cannot be run.
  copied.catch(() => {});
  const ended = new Promise<number>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? codeOf(signal)))
  );
  try {
    await once(child, "spawn");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT";
    say(`cannot run ${program}: ${isMissing ? "not found" : message}`);
    return isMissing ? NOT_FOUND : NOT_EXECUTABLE;
  }
  // On Deno, child.kill() would make the signal what the child ended with,
  // whatever it made of it.
  using _passing = interrupts.passTo((signal) => sendTo(child.pid!, signal));
  const [code] = await Promise.all([ended, copied]);
  return code;
}

/** What takes the pieces that a command says. */
interface Files extends AsyncDisposable {
  readonly stdout: (piece: Uint8Array) => Promise<void>;
  readonly stderr: (piece: Uint8Array) => Promise<void>;
}

async function filesFor({ stdout, stderr }: Recorded): Promise<Files> {
  const [out, err] = await Promise.all(
    [stdout, stderr].map((path) => open(path, "wx", 0o600)),
  ) as [FileHandle, FileHandle];
  return {
    stdout: (piece) => out.writeFile(piece),
    stderr: (piece) => err.writeFile(piece),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([out.close(), err.close()]);
    },
  };
}

function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
