/**
 * `nohup`: a process that was started deaf to SIGHUP stays so, and so does what
 * it runs.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import process from "node:process";

/**
 * Found out before the first listener: with it Deno hears the signal again. Node
 * does so when it starts; there, who has started it is the only sign.
 */
const IS_DEAF = process.versions["deno"] === undefined
  ? isUnderNohup()
  : isDeaf("self");

/** Whether a signal is to do nothing. */
export function isIgnored(signal: NodeJS.Signals): boolean {
  return IS_DEAF && signal === "SIGHUP";
}

/**
 * The words that run a command as deaf as we are.
 *
 * @param command The program and its arguments.
 */
export function stayingDeaf(
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  return IS_DEAF
    ? ["sh", "-c", 'trap "" HUP; exec "$0" "$@"', ...command]
    : command;
}

/** Shells say which program they have started; what that starts is deaf, too. */
function isUnderNohup(): boolean {
  return basename(process.env["_"] ?? "") === "nohup" ||
    isDeaf(String(process.ppid));
}

function isDeaf(pid: string): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
    const bit = BigInt(constants.signals.SIGHUP - 1);
    return (BigInt(`0x${mask}`) >> bit & 1n) === 1n;
  } catch {
    // Not Linux.
    return false;
  }
}
