/**
 * How full the disk was when it was last asked.
 *
 * @module
 */

import type { BlobStore, Space } from "../blobs/blob_store.ts";
import type { Clock } from "../clock.ts";

/** A disk that takes longer is in trouble, and metrics are wanted most then. */
const PATIENCE_MS = 500;

/** The last answer. */
export class KnownSpace {
  /** Absent as long as there was none. */
  current: Space | undefined;
  readonly #blobs: Pick<BlobStore, "space">;
  readonly #clock: Clock;
  #asking: Promise<void> | undefined;

  /** Asks nothing yet. */
  constructor(blobs: Pick<BlobStore, "space">, clock: Clock) {
    this.#blobs = blobs;
    this.#clock = clock;
  }

  /** Asks, one at a time, and waits no longer than is good. */
  async refresh(): Promise<void> {
    this.#asking ??= this.#ask();
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(PATIENCE_MS, late.resolve);
    await Promise.race([this.#asking, late.promise]);
    timer.cancel();
  }

  async #ask(): Promise<void> {
    try {
      this.current = await this.#blobs.space();
    } catch {
      // What was known stays: `larder_disk_trouble` tells of trouble.
    } finally {
      this.#asking = undefined;
    }
  }
}
