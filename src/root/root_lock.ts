/**
 * `Cache.toml`: says what is being served, and is locked while it is, so that
 * two servers never share a root.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { CONFIG_FILE } from "../../workers/root_names.ts";
import { isDiskFull, StartError, systemReason } from "../errors.ts";
import { parseToml, stringifyToml } from "../toml.ts";
import { isUnixAddress, socketPath } from "../unix_address.ts";
import { diskFull } from "./full_disk.ts";

/** What `Cache.toml` says. */
export interface ServedFields {
  /**
   * Where LocalCache answers, `ip:port`, `unix:PATH`, or `fd:NAME` where nobody
   * knows the path; absent when it does not.
   */
  readonly localAddress?: string;
  /** Where RemoteCache answers, likewise; absent when it does not. */
  readonly remoteAddress?: string;
  /** How often clients send heartbeats. */
  readonly heartbeatIntervalMs: number;
  /** How long a lease lasts without one. */
  readonly heartbeatTimeoutMs: number;
  /** Whether other users of the machine are served. */
  readonly shared?: boolean;
}

/** Locks a root until it is released or the process ends. */
export interface RootLock extends Disposable {
  /**
   * Rewrites what is being served; rejects with a `StartError` when the file
   * cannot be written.
   */
  update(fields: ServedFields): Promise<void>;
  /** Lets another server have the root; idempotent. */
  release(): void;
  /** Releases, and removes the file if it was made for this lock. */
  discard(): Promise<void>;
}

/** Of another server's file, which is a few lines, no more is looked at. */
const MAX_FILE_BYTES = 64 * 1024;
/** A file that is replaced each time it is looked at is not worth waiting for. */
const MAX_ATTEMPTS = 5;

/**
 * Takes the lock of a root. The file stays as it is until it is updated: whose
 * root it is has still to be found out.
 *
 * @param root The root folder.
 * @returns The lock.
 * @throws {StartError} When the root is in use, or the file is not ours to write.
 */
export async function lockRoot(root: string): Promise<RootLock> {
  const path = join(root, CONFIG_FILE);
  const { file, isNew } = await openLocked(path, root);
  let isHeld = true;
  function release(): void {
    if (!isHeld) return;
    isHeld = false;
    // Closing gives the lock back.
    file.close();
  }
  return {
    async update(fields) {
      try {
        await rewrite(file, fields);
      } catch (error) {
        if (isDiskFull(error)) throw diskFull(root, error);
        throw new StartError(
          1,
          `cannot write ${path}: ${systemReason(error)}`,
          { cause: error },
        );
      }
    },
    release,
    async discard() {
      // While it is locked: whoever waits for it then looks again.
      if (isHeld && isNew) await Deno.remove(path);
      release();
    },
    [Symbol.dispose]: release,
  };
}

interface Opened {
  readonly file: Deno.FsFile;
  /** It was not there before. */
  readonly isNew: boolean;
}

async function openLocked(path: string, root: string): Promise<Opened> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const opened = await open(path);
    const { file } = opened;
    try {
      if (!(await isStillAt(path, file))) {
        file.close();
        continue;
      }
      if (!(await file.tryLock(true))) throw await inUse(file, root);
      // It may have been replaced before it was locked: then it locks nothing.
      if (await isStillAt(path, file)) return opened;
      file.close();
    } catch (error) {
      file.close();
      throw error;
    }
  }
  throw new StartError(
    1,
    `${path} is being replaced all the time: find out by whom, then try again`,
  );
}

async function open(path: string): Promise<Opened> {
  const options = { read: true, write: true };
  try {
    const file = await Deno.open(path, { ...options, createNew: true });
    return { file, isNew: true };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw unusable(path, error);
    }
  }
  try {
    // Before opening: opening follows links, and waits for ever on a FIFO.
    const info = await Deno.lstat(path);
    if (!info.isFile || (info.nlink ?? 1) !== 1) {
      throw new StartError(
        1,
        `${path} is not a file of its own but a link or something else: remove it`,
      );
    }
    return { file: await Deno.open(path, options), isNew: false };
  } catch (error) {
    throw error instanceof StartError ? error : unusable(path, error);
  }
}

async function isStillAt(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const [opened, found] = await Promise.all([file.stat(), Deno.lstat(path)]);
    return found.isFile && opened.ino === found.ino && opened.dev === found.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function inUse(file: Deno.FsFile, root: string): Promise<StartError> {
  const where = await servedBy(file);
  return new StartError(
    1,
    `root ${root} is in use by another server${
      where === "" ? "" : ` (${where})`
    }: stop it or serve another root`,
  );
}

/** What the other server says of itself: a help for people, never relied upon. */
async function servedBy(file: Deno.FsFile): Promise<string> {
  try {
    const bytes = new Uint8Array(MAX_FILE_BYTES);
    const length = await file.read(bytes) ?? 0;
    const table = parseToml(
      new TextDecoder().decode(bytes.subarray(0, length)),
    );
    const on = (kind: string) => {
      const socket = table[`${kind}_socket`];
      return typeof socket === "string"
        ? `unix:${socket}`
        : table[`${kind}_addr`];
    };
    const [local, remote] = [on("local"), on("remote")];
    return [
      ...typeof local === "string" ? [`LocalCache on ${local}`] : [],
      ...typeof remote === "string" ? [`RemoteCache on ${remote}`] : [],
    ].join(", ").slice(0, 200);
  } catch {
    return "";
  }
}

/** In place, because the lock is on the inode. */
async function rewrite(
  file: Deno.FsFile,
  fields: ServedFields,
): Promise<void> {
  const text = new TextEncoder().encode(stringifyToml({
    ...whereOf("local", fields.localAddress),
    ...whereOf("remote", fields.remoteAddress),
    ...fields.shared && { shared: true },
    heartbeat_interval: toSeconds(fields.heartbeatIntervalMs),
    heartbeat_timeout: toSeconds(fields.heartbeatTimeoutMs),
  }));
  // One write, as long as the old text at least and only then cut: whoever
  // reads in between sees a whole document, with empty lines after it.
  const { size } = await file.stat();
  const padded = new Uint8Array(
    Math.max(text.length, Math.min(size, MAX_FILE_BYTES)),
  ).fill("\n".charCodeAt(0));
  padded.set(text);
  await file.seek(0, Deno.SeekMode.Start);
  for (let at = 0; at < padded.length;) {
    at += await file.write(padded.subarray(at));
  }
  await file.truncate(text.length);
}

/** Clients of the original read the address, and know no socket. */
function whereOf(
  kind: string,
  address: string | undefined,
): Record<string, string> {
  if (address === undefined || address.startsWith("fd:")) return {};
  if (!isUnixAddress(address)) return { [`${kind}_addr`]: address };
  return { [`${kind}_socket`]: socketPath(address) };
}

function toSeconds(ms: number): { secs: number; nanos: number } {
  return { secs: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

function unusable(path: string, error: unknown): StartError {
  if (isDiskFull(error)) return diskFull(dirname(path), error);
  return new StartError(
    1,
    `cannot open ${path}: ${
      systemReason(error)
    }: let this user read and write it`,
    { cause: error },
  );
}
