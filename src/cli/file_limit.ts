/**
 * Limits of the size of files: `ulimit -f`.
 *
 * @module
 */

import process from "node:process";
import { isIgnored } from "./run/ignored.ts";

/**
 * Has a write that meets the limit fail, as on a full disk. Else it ends the
 * process: a command that `larder run` has run would fail in the end, though it
 * stays below the limit itself. What it runs is ended as ever.
 */
export function outliveFileLimit(): void {
  // A listener would end that for what is started from here.
  if (isIgnored("SIGXFSZ")) return;
  // Once, however many commands run in this process.
  if (process.listeners("SIGXFSZ").includes(goOn)) return;
  process.on("SIGXFSZ", goOn);
}

function goOn(): void {}
