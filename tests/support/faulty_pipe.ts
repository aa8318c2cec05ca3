/**
 * One direction of a connection, and what goes wrong with it.
 *
 * @module
 */

import type { Socket } from "node:net";
import { LateResets } from "./late_resets.ts";

/** What happens to bytes on their way. */
export interface Faults {
  /** They arrive so much later. */
  readonly delayMs?: number;
  /** No more than so many a second. */
  readonly bytesPerSecond?: number;
  /** So many are passed on, and no more. */
  readonly afterBytes?: number;
  /**
   * What comes then: both directions are closed, or reset; this one is ended,
   * as a half-open connection is; or nothing comes any more.
   */
  readonly then?: "close" | "reset" | "end" | "freeze";
  /** Changes bytes in place. */
  readonly spoil?: (bytes: Uint8Array) => void;
  /** RST_STREAM comes so much later than the end of its stream: clients only. */
  readonly resetDelayMs?: number;
}

/** Not more waits on its way: whoever sends is to notice a slow network. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Passes on what one socket says to another one. */
export class FaultyPipe {
  /** Bytes that were passed on. */
  passed = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: Faults;
  readonly #resets: LateResets | undefined;
  #bytesPerSecond: number;
  #sent: Promise<void> = Promise.resolve();
  #taken = 0;
  #freeAtMs = 0;
  #frozen: PromiseWithResolvers<void> | undefined;

  constructor(from: Socket, to: Socket, faults: Faults) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#bytesPerSecond = faults.bytesPerSecond ?? Infinity;
    if (faults.resetDelayMs !== undefined) this.#resets = new LateResets();
  }

  /** Nothing comes any more, until it is thawed. */
  freeze(): void {
    this.#frozen ??= Promise.withResolvers();
  }

  /** From here on, no more than so many bytes a second are passed on. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Goes on with what has come meanwhile. */
  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  /** Runs until one side has ended, or what it may pass on is used up. */
  async run(): Promise<void> {
    const { afterBytes = Infinity, then = "close" } = this.#faults;
    const pieces = this.#from.iterator({ destroyOnReturn: false });
    try {
      if (afterBytes > 0) {
        for await (const piece of pieces) {
          const bytes = piece.subarray(0, afterBytes - this.#taken);
          this.#faults.spoil?.(bytes);
          await this.#take(bytes);
          if (this.#taken >= afterBytes) break;
        }
      }
      await this.#sent;
    } catch {
      // One of the sockets is gone.
      return this.#both("destroy");
    }
    if (this.#taken < afterBytes || then === "end") this.#to.end();
    else if (then === "close") this.#both("destroy");
    else if (then === "reset") this.#both("resetAndDestroy");
  }

  #both(how: "destroy" | "resetAndDestroy"): void {
    for (const socket of [this.#from, this.#to]) socket[how]();
  }

  /** Sends what has come in its time; resolves when there is room for more. */
  async #take(bytes: Uint8Array): Promise<void> {
    const { resetDelayMs = 0 } = this.#faults;
    this.#taken += bytes.length;
    const parts = this.#resets?.split(bytes) ?? [{ bytes, isLate: false }];
    for (const { bytes, isLate } of parts) {
      this.#send(bytes, isLate ? resetDelayMs : 0);
    }
    if (this.#taken - this.passed > MAX_WAITING_BYTES) await this.#sent;
  }

  #send(bytes: Uint8Array, lateMs: number): void {
    const { delayMs = 0 } = this.#faults;
    const nowMs = performance.now();
    const tookMs = bytes.length / this.#bytesPerSecond * 1_000;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + tookMs + lateMs;
    const dueMs = this.#freeAtMs + delayMs;
    this.#sent = this.#sent.then(async () => {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((due) => setTimeout(due, waitMs));
      while (this.#frozen) await this.#frozen.promise;
      await new Promise<void>((resolve, reject) =>
        this.#to.write(bytes, (error) => error ? reject(error) : resolve())
      );
      this.passed += bytes.length;
    });
    // Whoever waits for it hears of it.
    this.#sent.catch(() => {});
  }
}
