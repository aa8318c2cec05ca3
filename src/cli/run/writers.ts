/**
 * Processes that a command has left behind, and that still write what it was to
 * write: that is not whole yet.
 *
 * @module
 */

import { readlinkSync } from "node:fs";
import { relative } from "node:path";
import process from "node:process";
import type { Out } from "./outs.ts";
import { stateOf } from "./owner.ts";
import { listed, membersOf, textOf } from "./session_members.ts";

/** Of the flags of an open file, those that say whether it can be written. */
const ACCESS_BITS = 0o3;

/** A file that is open for writing. */
export interface Writer {
  /** Which process has it. */
  readonly pid: string;
  /** The out, as it was named. */
  readonly name: string;
}

/**
 * A process that has one of the outs open for writing, and that has begun after
 * this one, in its session; `undefined`: there is none, or none is told of, as
 * where there is no `/proc`.
 */
export async function writerOf(
  outs: readonly Out[],
): Promise<Writer | undefined> {
  const own = await stateOf("self");
  if (!own || outs.length === 0) return undefined;
  for (const [pid, { started }] of membersOf(own.session)) {
    if (pid === String(process.pid)) continue;
    if (Number(started) < Number(own.started)) continue;
    for (const fd of listed(`/proc/${pid}/fd`)) {
      const path = linkedTo(`/proc/${pid}/fd/${fd}`);
      const out = outs.find((each) => isIn(each, path));
      if (out && isForWriting(pid, fd)) return { pid, name: out.name };
    }
  }
  return undefined;
}

function isIn({ kind, path, place, pattern }: Out, file: string): boolean {
  if (pattern) return pattern.matches(relative(place, file));
  return file === path || file === place ||
    (kind === "folder" && file.startsWith(`${place}/`));
}

function isForWriting(pid: string, fd: string): boolean {
  const info = textOf(`/proc/${pid}/fdinfo/${fd}`);
  const [, flags = "0"] = /^flags:\s*([0-7]+)$/m.exec(info) ?? [];
  return (Number.parseInt(flags, 8) & ACCESS_BITS) !== 0;
}

function linkedTo(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
