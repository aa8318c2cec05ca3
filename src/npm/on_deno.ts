/**
 * The server's program, run by Deno as a child: it gets this process's signals,
 * and ends when this process does.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findDeno } from "../cli/deno_binary.ts";

const PROGRAM = fileURLToPath(
  new URL("../server/launcher.js", import.meta.url),
);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** What the launcher may do; everything it needs is in the package. */
const FLAGS = [
  ...["run", "--quiet", "--no-prompt", "--cached-only", "--no-remote"],
  ...["--frozen", `--config=${CONFIG}`, "--ignore-env"],
  ...["--allow-read", "--allow-write", "--allow-run", "--allow-sys=statfs"],
];
const PASSED_ON = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The exit code when there is no Deno to run. */
const CANNOT_SERVE = 1;

/**
 * Runs a command of the server's.
 *
 * @param command `serve` or `recover`.
 * @param words What follows on the command line.
 * @returns The exit code.
 */
export async function runOnDeno(
  command: "serve" | "recover",
  words: readonly string[],
): Promise<number> {
  const deno = findDeno();
  if ("missing" in deno) {
    console.error(`larder: ${deno.missing}`);
    return CANNOT_SERVE;
  }
  // Its stdin ends with this process, however that ends.
  const supervised = command === "serve" ? ["--supervised"] : [];
  const child = spawn(
    deno.path,
    [...FLAGS, PROGRAM, command, ...supervised, ...words],
    {
      stdio: ["pipe", "inherit", "inherit"],
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    },
  );
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  return await exitCodeOf(child, deno.path);
}

function exitCodeOf(child: ChildProcess, path: string): Promise<number> {
  return new Promise((resolve) => {
    child.on("error", ({ message }) => {
      console.error(`larder: cannot run ${path}: ${message}`);
      resolve(CANNOT_SERVE);
    });
    child.on("exit", (code, signal) => {
      if (signal === null) return resolve(code ?? CANNOT_SERVE);
      // As the child ended, so does this one.
      for (const each of PASSED_ON) process.removeAllListeners(each);
      process.kill(process.pid, signal);
    });
  });
}
