/**
 * Files that say who somebody is, or who may do what: looked at again while the
 * server runs, and the last good ones kept.
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
    const { read, take, stays, afterwards, log } = this.#looks;
    try {
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
