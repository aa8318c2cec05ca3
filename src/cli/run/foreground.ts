/**
 * Whether a terminal's Ctrl-C reaches this process and what it runs.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";

/** Of the words after the name in `/proc/PID/stat`. */
const GROUP = 2;
const TERMINAL = 4;
const FOREGROUND_GROUP = 5;

/** Whether our group of processes is the one that has the terminal now. */
export function isInForeground(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return words[TERMINAL] !== "0" && words[GROUP] === words[FOREGROUND_GROUP];
  } catch {
    // Not Linux.
    return [process.stdin, process.stdout, process.stderr]
      .some(({ isTTY }) => isTTY === true);
  }
}
