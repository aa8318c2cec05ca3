/**
 * Files that may not be what they seem. Deno's path permissions follow
 * symbolic links and node:fs drops O_NOFOLLOW, so nothing here trusts a path:
 * it is looked at with lstat, opened without blocking, and compared with what
 * was looked at.
 *
 * What remains is the time between a look and the use of a folder, which is looked
 * at once for what one message asks for: a few milliseconds. Whoever wins that
 * race can write to the root as the server's user, and could have done so himself;
 * and every value is verified by SHA-256 when it is read.
 *
 * @module
 */

import type { Failure, FailureCode, Stamp } from "./blob_protocol.ts";
import { Sha256 } from "./digest.ts";
import type {
  FileInfo,
  FileSystem,
  ReadableFile,
  WritableFile,
} from "./file_system.ts";
import { MAX_LISTED_FOLDER_BYTES } from "./root_contents.ts";
import type { Steps } from "./blob_steps.ts";

/** Of a file that holds a value: nobody may write to it. */
export const VALUE_MODE = 0o444;

/** A failure that the store reports by its code. */
export class OpError extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string) {
    super(message);
    this.name = "OpError";
    this.code = code;
  }
}

/** Errors of Linux that Deno 2.9.6 gives no code, by their number in the message. */
const UNNAMED: Readonly<Record<string, string>> = {
  "23": "ENFILE",
  "27": "EFBIG",
  "116": "ESTALE",
  "122": "EDQUOT",
};

/** The operating system's code of an error, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  const [, number = ""] = /\(os error (\d+)\)/.exec(error.message) ?? [];
  return UNNAMED[number];
}

/** Any error as it travels to the main isolate. */
export function toFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof OpError) return { code: error.code, message };
  switch (systemCode(error)) {
    case "ENOENT":
      return { code: "missing", message };
    case "ENOSPC":
    case "EDQUOT":
      return { code: "full", message };
    case "EFBIG":
      return { code: "too-large", message };
    default:
      return { code: "failed", message };
  }
}

/** What lies at a path, itself; `undefined`: nothing does. */
export function lookAt(fs: FileSystem, path: string): FileInfo | undefined {
  try {
    return fs.lstat(path);
  } catch (error) {
    const code = systemCode(error);
    // A name too long for the file system cannot be there either.
    if (code === "ENOENT" || code === "ENAMETOOLONG") return undefined;
    throw error;
  }
}

/** Whether a folder has too many names to be listed. */
export function isHuge(fs: FileSystem, folder: string): boolean {
  return (lookAt(fs, folder)?.size ?? 0) > MAX_LISTED_FOLDER_BYTES;
}

/** What lies at a path, which must be a regular file. */
export function lookAtFile(fs: FileSystem, path: string): FileInfo {
  return fileAt(path, lookAt(fs, path));
}

/** What was found at a path, which must be a regular file. */
export function fileAt(path: string, info: FileInfo | undefined): FileInfo {
  if (!info) throw new OpError("missing", `There is no file '${path}'`);
  if (!info.isFile) {
    throw new OpError("not-a-file", `'${path}' is no regular file`);
  }
  return info;
}

/** Makes a new file readable for all: the umask may have taken bits away. */
export function fixMode(fs: FileSystem, path: string, made: FileInfo): void {
  if (((made.mode ?? 0) & 0o777) !== VALUE_MODE) fs.chmod(path, VALUE_MODE);
}

/**
 * Two changes within a tick of the kernel's clock have the same time: 10 ms at
 * most; and clocks of one machine agree to about that.
 */
const TICK_MS = 20;

/** The stamp of a file that was looked at just now. */
export function stampOf(fs: FileSystem, info: FileInfo): Stamp {
  const mtimeMs = info.mtime?.getTime() ?? 0;
  return {
    size: info.size,
    mtimeMs,
    ino: String(info.ino),
    ...fs.nowMs() - mtimeMs < TICK_MS && { young: true },
  };
}

/** Whether two stamps are of the same unchanged file. */
export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

/**
 * When a file last changed. Clients cannot set ctime, but Deno cuts it to the
 * second: within that second mtime is exact, otherwise the second's end is
 * taken, because calling a file young is the safe side.
 */
export function changedMs(info: FileInfo): number {
  const ctimeMs = info.ctime?.getTime() ?? 0;
  const mtimeMs = info.mtime?.getTime() ?? 0;
  const sameSecond = mtimeMs >= ctimeMs && mtimeMs < ctimeMs + 1000;
  return sameSecond ? mtimeMs : ctimeMs + 999;
}

/** A file that is being read; `using` closes it. */
export class OpenFile implements Disposable {
  readonly path: string;
  readonly #file: ReadableFile;

  /** Opens for reading exactly the file that was looked at. */
  constructor(fs: FileSystem, path: string, info: FileInfo) {
    this.path = path;
    this.#file = fs.open(path);
    const stat = this.#file.stat();
    if (!stat.isFile() || stat.ino !== info.ino || stat.dev !== info.dev) {
      this.#file.close();
      throw new OpError("not-a-file", `'${path}' was replaced meanwhile`);
    }
  }

  /** How long it is now. */
  get size(): number {
    return this.#file.stat().size;
  }

  /** Fills `into` from the current position as far as the file goes; how far. */
  read(into: Uint8Array): number {
    let done = 0;
    while (done < into.length) {
      const count = this.#file.read(into, done, into.length - done, null);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Fills `into` from a position as far as the file goes; how far. */
  readAt(into: Uint8Array, position: number): number {
    let done = 0;
    while (done < into.length) {
      const left = into.length - done;
      const count = this.#file.read(into, done, left, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Makes it read-only, and sets the time of its last change. */
  mark(seconds: number): void {
    this.#file.chmod(0o444);
    this.#file.setTime(seconds);
  }

  /** Puts the bytes on the disk; other threads wait, this one does not. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Reads up to `size` bytes from the current position, slice by slice.
 *
 * @param each Gets each slice; it is overwritten by the next.
 * @returns How many bytes there were, and their SHA-256.
 */
export function* hashOpen(
  { sizes: { sliceBytes, atOnceBytes } }: FileSystem,
  file: OpenFile,
  size: number,
  each?: (slice: Uint8Array) => void,
): Steps<{ readonly size: number; readonly sha256: string }> {
  const hash = new Sha256();
  const buffer = new Uint8Array(Math.min(size, sliceBytes));
  let done = 0;
  while (done < size) {
    if (size > atOnceBytes) yield;
    const want = Math.min(size - done, buffer.length);
    const slice = buffer.subarray(0, file.read(buffer.subarray(0, want)));
    if (slice.length === 0) break;
    hash.update(slice);
    each?.(slice);
    done += slice.length;
  }
  return { size: done, sha256: hash.hex() };
}

/** Writes all of it, slice by slice; `hash` sees what was written. */
export function* writeAll(
  { sizes: { sliceBytes, atOnceBytes } }: FileSystem,
  file: WritableFile,
  bytes: Uint8Array,
  hash?: Sha256,
): Steps<void> {
  for (let done = 0; done < bytes.length;) {
    if (bytes.length > atOnceBytes) yield;
    const slice = bytes.subarray(done, done + sliceBytes);
    writeSlice(file, slice);
    hash?.update(slice);
    done += slice.length;
  }
}

/** Writes one slice, however often the system takes a part of it. */
export function writeSlice(file: WritableFile, slice: Uint8Array): void {
  for (let done = 0; done < slice.length;) {
    done += file.writeSync(slice.subarray(done));
  }
}
