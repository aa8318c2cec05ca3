/**
 * Files that say who somebody is, or who may do what: looked at again while the
 * server runs, the last good ones kept, and told of where others can read or
 * change them who should not.
 *
 * @module
 */

import type { Clock, Timer } from "./clock.ts";
import { messageOf } from "./errors.ts";
import { MAX_CREDENTIALS_BYTES } from "./limits.ts";
import type { Log } from "./log/log.ts";

/** What they need of the world. */
export interface CredentialOptions {
  readonly clock: Clock;
  /** Takes what is for the operator. */
  readonly log: Log;
  /** Reads a file; the system by default. */
  readonly read?: (path: string) => Promise<string>;
}

/** What is looked at, and what becomes of it. */
export interface CredentialLooks<T>
  extends Pick<CredentialOptions, "clock" | "log"> {
  /** Between two looks. */
  readonly everyMs: number;
  /** The one of them that others must not read, or change. */
  readonly exposed: ExposedFile;
  readonly read: () => Promise<T>;
  /** Takes what was read; throws where that cannot be. */
  readonly take: (found: T) => void;
  /** What stays then: a line for the log, to which the reason is added. */
  readonly stays: string;
  /** Called after each look, whatever it has found. */
  readonly afterwards: () => void;
}

/** Looks at files from time to time, until it is disposed. */
export class CredentialFiles<T> implements Disposable {
  readonly #looks: CredentialLooks<T>;
  /** Why the files cannot be taken now, so that it is said once. */
  #trouble: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  /** Looks for the first time when some time has passed. */
  constructor(looks: CredentialLooks<T>) {
    this.#looks = looks;
    this.#arm();
  }

  /** Looks now; whoever asks meanwhile is told with it. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    this.#timer?.cancel();
    const { exposed, read, take, stays, afterwards, log } = this.#looks;
    try {
      await exposed.look();
      const found = await read();
      if (this.#isClosed) return;
      take(found);
      this.#trouble = undefined;
    } catch (error) {
      if (this.#isClosed) return;
      const trouble = whyNot(error);
      if (trouble !== this.#trouble) {
        log(`${stays}: ${trouble}`, { level: "error" });
      }
      this.#trouble = trouble;
    }
    afterwards();
    this.#arm();
  }

  #arm(): void {
    const { clock, everyMs } = this.#looks;
    this.#timer = clock.setTimer(everyMs, () => void this.look());
  }
}

/** Reads a file that is not larger than such files are. */
export async function readCredentials(path: string): Promise<string> {
  const { size, isDirectory } = await Deno.stat(path);
  if (isDirectory) throw new Error("is a folder, and no file");
  if (size > MAX_CREDENTIALS_BYTES) throw new Error("is larger than 1 MiB");
  return await Deno.readTextFile(path);
}

/** Why a file cannot be taken, in words. */
export function whyNot(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "the user of the server may not read it";
  }
  return messageOf(error);
}

/** What of a file says who can do what with it; `null`: the system has no such. */
export type FileOwnership = Pick<Deno.FileInfo, "mode" | "uid">;

/** What is looked at. */
export interface ExposedFileOptions {
  readonly log: Log;
  /** Why others can do too much, in words; `undefined`: they cannot. */
  readonly why: (file: FileOwnership) => string | undefined;
  /** Looks at a file; the system by default. */
  readonly stat?: (path: string) => Promise<FileOwnership>;
}

/** A file that is warned of where others can read or change it. */
export class ExposedFile {
  readonly #path: string;
  readonly #options: ExposedFileOptions;
  /** What has been said, so that it is said once. */
  #said: string | undefined;

  /** Looks at nothing yet. */
  constructor(path: string, options: ExposedFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Looks now, and warns of what is new. */
  async look(): Promise<void> {
    const { log, why, stat = Deno.stat } = this.#options;
    try {
      const said = why(await stat(this.#path));
      if (said !== undefined && said !== this.#said) {
        log(said, { level: "warn" });
      }
      this.#said = said;
    } catch {
      // Whoever reads it says what is wrong.
    }
  }
}

/** Whoever changes the rights has all of them. */
export function whyRightsExposed(
  path: string,
  { mode, uid }: FileOwnership,
  serverUid: number | null,
): string | undefined {
  if (mode !== null && (mode & 0o022) !== 0) {
    return `--access ${path}: others may write it, and so give themselves ` +
      `every right: chmod go-w ${path}`;
  }
  if (uid === null || serverUid === null || uid === 0 || uid === serverUid) {
    return undefined;
  }
  return `--access ${path}: it belongs to the user ${uid}, who is neither root ` +
    "nor the user of the server, and may give themselves every right";
}

/** Whoever has the key can answer as the server. */
export function whyKeyExposed(
  path: string,
  { mode }: FileOwnership,
): string | undefined {
  if (mode === null || (mode & 0o004) === 0) return undefined;
  return `--tls-key ${path}: every user may read it, and so answer in the ` +
    `server's place: chmod o-r ${path}`;
}
