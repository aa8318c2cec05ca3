/**
 * `nohup`, and jobs that a script has in the background: a process that was
 * started deaf to a signal stays so, and so does what it runs.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import process from "node:process";

/** What would end a program. */
const SIGNALS = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGXFSZ",
] as const;

/**
 * Found out before the first listener: with it Deno hears the signal again. Node
 * does so when it starts; there, who has started it is the only sign.
 */
const IGNORED: ReadonlySet<NodeJS.Signals> = process.versions["deno"] ===
    undefined
  ? new Set(isUnderNohup() ? ["SIGHUP"] : [])
  : ignoredBy("self");

// Also while nobody listens.
if (process.versions["deno"] === undefined && IGNORED.size > 0) {
  process.on("SIGHUP", () => {});
}

/** Whether a signal is to do nothing. */
export function isIgnored(signal: NodeJS.Signals): boolean {
  return IGNORED.has(signal);
}

/**
 * The words that run a command as deaf as we are.
 *
 * @param command The program and its arguments.
 */
export function stayingDeaf(
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  if (IGNORED.size === 0) return command;
  const names = [...IGNORED].map((signal) => signal.replace(/^SIG/, ""));
  return ["sh", "-c", `trap "" ${names.join(" ")}; exec "$0" "$@"`, ...command];
}

/** Shells say which program they have started; what that starts is deaf, too. */
function isUnderNohup(): boolean {
  return basename(process.env["_"] ?? "") === "nohup" ||
    ignoredBy(String(process.ppid)).has("SIGHUP");
}

/** Of the signals that would end it, those that do nothing to a process. */
function ignoredBy(pid: string): ReadonlySet<NodeJS.Signals> {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const mask = BigInt(
      `0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`,
    );
    return new Set(
      SIGNALS.filter((signal) =>
        (mask >> BigInt(constants.signals[signal] - 1) & 1n) === 1n
      ),
    );
  } catch {
    // Not Linux.
    return new Set();
  }
}
