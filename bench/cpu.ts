/**
 * The processor time of a process and its descendants, from `/proc`.
 *
 * @module
 */

import { descendants } from "./memory.ts";

/** Linux counts in hundredths of a second, whatever the kernel's own tick is. */
const TICK_S = 0.01;
/** Of `/proc/PID/stat`, after the name in brackets: user and system time. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

/** In seconds, of the tree below a process. */
export function cpuSecondsOf(pid: number): number {
  let ticks = 0;
  for (const each of descendants(pid)) {
    const text = Deno.readTextFileSync(`/proc/${each}/stat`);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD]);
  }
  return ticks * TICK_S;
}
