/**
 * When entries were used last, on its way to the manifest: gathered for a
 * while, so that a hit costs no write.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import { messageOf } from "../errors.ts";
import {
  ACCESS_INTERVAL_MS,
  MAX_PENDING_USE_BYTES,
  MAX_PENDING_USES,
} from "../limits.ts";
import { type Manifest, MAX_USES, type Use } from "../manifest/manifest.ts";
import type { EntryKey } from "../table/types.ts";

/** What an access log works with. */
export interface AccessLogOptions {
  readonly manifest: Pick<Manifest, "touch">;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly warn: (message: string) => void;
}

/**
 * Gathers uses. What a killed process had not written yet is lost: then the
 * order of eviction is off by that, and nothing else is.
 */
export class AccessLog {
  readonly #options: AccessLogOptions;
  #pending = new Map<string, Use>();
  /** Of the keys that are pending or being written. */
  #bytes = 0;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** Nothing is pending. */
  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  /** Notes a use, to be written within a while. */
  note(entry: EntryKey): void {
    if (this.#pending.has(entry.name)) return;
    const bytes = this.#bytes + entry.key.length;
    if (bytes > MAX_PENDING_USE_BYTES) {
      // Once: the rest is forgotten until there is room again.
      return this.#pending.size > 0 ? void this.flush() : undefined;
    }
    this.#bytes = bytes;
    const { clock } = this.#options;
    const accessedMs = clock.wallMs();
    this.#pending.set(entry.name, { entry, accessedMs, handed: false });
    if (this.#pending.size >= MAX_PENDING_USES) return void this.flush();
    this.#timer ??= clock.setTimer(ACCESS_INTERVAL_MS, () => this.flush());
  }

  /** Writes at once that a path to the entry is given out. */
  async hand(entry: EntryKey): Promise<void> {
    const accessedMs = this.#options.clock.wallMs();
    await this.#write([{ entry, accessedMs, handed: true }]);
  }

  /** Writes what is pending. Never rejects. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const uses = [...this.#pending.values()];
    this.#pending = new Map();
    this.#writing = this.#writing.then(() => this.#writeAll(uses));
    return this.#writing;
  }

  async #writeAll(uses: readonly Use[]): Promise<void> {
    for (let at = 0; at < uses.length; at += MAX_USES) {
      const some = uses.slice(at, at + MAX_USES);
      await this.#write(some);
      for (const { entry } of some) this.#bytes -= entry.key.length;
    }
  }

  /** A full disk must not keep anybody from reading. */
  async #write(uses: readonly Use[]): Promise<void> {
    try {
      await this.#options.manifest.touch(uses);
    } catch (error) {
      this.#options.warn(
        `cannot write when entries were used: ${messageOf(error)}`,
      );
    }
  }
}
