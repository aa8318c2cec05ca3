/**
 * Which process something belongs to, in a line of text, and whether that
 * process has died.
 *
 * @module
 */

import { readFile, readlink, stat } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";

/** Stands for a fact that the operating system does not provide. */
export const UNKNOWN = "-";

/** The words of an owner's line. */
const WORDS = [
  ...["pid", "started", "pids", "boot", "host"] as const,
  // What its command has in common with it.
  ...["session", "folder"] as const,
];

/** How many there are of them. */
export const OWNER_WORDS: number = WORDS.length;

/** A process, as others can look for it. */
export type Owner = { readonly [word in typeof WORDS[number]]: string };

let own: Promise<string> | undefined;

/** This process, in a line: `PID STARTED PIDS BOOT HOST SESSION FOLDER`. */
export function thisOwner(): Promise<string> {
  return own ??= describe();
}

async function describe(): Promise<string> {
  const { started, session } = await stateOf(String(process.pid)) ?? {};
  const owner: Owner = {
    pid: String(process.pid),
    started: started ?? UNKNOWN,
    pids: await readlink("/proc/self/ns/pid").catch(() => UNKNOWN),
    boot: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")
      .catch(() => UNKNOWN)).trim(),
    host: hostname().replaceAll(/\s/g, "_") || UNKNOWN,
    session: session ?? UNKNOWN,
    folder: await idOf("."),
  };
  return WORDS.map((word) => owner[word]).join(" ");
}

/** What tells a folder from all others, in one word. */
export async function idOf(folder: string): Promise<string> {
  try {
    const { dev, ino } = await stat(folder, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return UNKNOWN;
  }
}

/** What a line says; more may follow in it. */
export function ownerOf(line: string): Owner {
  const [pid = "", started = "", pids = "", boot = "", host = "", ...more] =
    line.split(" ");
  const [session = UNKNOWN, folder = UNKNOWN] = more;
  return { pid, started, pids, boot, host, session, folder };
}

/**
 * Whether the process of a line is gone for certain. Of another machine, and of
 * a container with process numbers of its own, nobody here can tell.
 */
export async function isDead(line: string): Promise<boolean> {
  const other = ownerOf(line);
  const here = ownerOf(await thisOwner());
  if (!/^\d+$/.test(other.pid) || other.host !== here.host) return false;
  if (other.boot !== here.boot) return true;
  if (other.pids !== here.pids) return false;
  if (here.started === UNKNOWN) return !answers(Number(other.pid));
  const state = await stateOf(other.pid);
  return state === undefined || !state.runs || state.started !== other.started;
}

/** More would be a circle. */
const MAX_PARENTS = 1_000;

/** Whether a line is that of a process which has started this one. */
export async function isAround(line: string): Promise<boolean> {
  const other = ownerOf(line);
  const here = ownerOf(await thisOwner());
  if (other.host !== here.host || other.boot !== here.boot) return false;
  if (other.pids !== here.pids) return false;
  for await (const pid of parents()) {
    if (pid === other.pid) return !await isDead(line);
  }
  return false;
}

/** The processes that have started this one, from the nearest on. */
export async function* parents(): AsyncGenerator<string, void, undefined> {
  let pid = String(process.ppid);
  for (let count = 0; pid !== "0" && count < MAX_PARENTS; count++) {
    yield pid;
    pid = (await stateOf(pid))?.parent ?? "0";
  }
}

/** What is told of a process. */
export interface ProcessState {
  readonly started: string;
  /** Whether it has not ended; one that has may wait for its parent to see it. */
  readonly runs: boolean;
  readonly parent: string;
  readonly session: string;
}

/** What is told of a process; `undefined`: there is none, or nothing is told. */
export async function stateOf(pid: string): Promise<ProcessState | undefined> {
  try {
    return stateIn(await readFile(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** What a process's `/proc/PID/stat` tells. */
export function stateIn(stat: string): ProcessState {
  // The name of the program, in brackets, may hold anything.
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    started: words[19] ?? UNKNOWN,
    runs: !/[ZX]/.test(words[0]!),
    parent: words[1] ?? "0",
    session: words[3] ?? UNKNOWN,
  };
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}
