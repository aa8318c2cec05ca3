/**
 * Which calls are traced.
 *
 * @module
 */

import type { Clock } from "../../clock.ts";
import { MAX_TRACED_CALLS } from "../../limits.ts";
import type { Parent } from "./traceparent.ts";

const SECOND_MS = 1_000;

/** Says so, call by call. */
export class Sampler {
  readonly #ratio: number;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #random: () => number;
  #secondEndsMs = 0;
  #taken = 0;

  /** A share of 0 to 1; `random` is for tests. */
  constructor(
    ratio: number,
    clock: Pick<Clock, "nowMs">,
    random: () => number = Math.random,
  ) {
    this.#ratio = ratio;
    this.#clock = clock;
    this.#random = random;
  }

  /** Whether a call is: its client decides, or else chance. */
  takes(parent: Parent | undefined): boolean {
    const isWanted = parent?.isSampled ?? this.#random() < this.#ratio;
    return isWanted && this.#isAllowed();
  }

  /** Clients must not be able to let the server do nothing else. */
  #isAllowed(): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#secondEndsMs) {
      this.#secondEndsMs = nowMs + SECOND_MS;
      this.#taken = 0;
    }
    return ++this.#taken <= MAX_TRACED_CALLS;
  }
}
