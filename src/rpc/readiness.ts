/**
 * Whether a server takes calls for what it is there for, and who wants to know.
 *
 * @module
 */

import type { Call } from "../grpc/call.ts";

/**
 * `starting`: it recovers what it served before; `draining`: it gives out no more
 * work, and waits for what is under way; `stopped`: nobody is to wait any longer.
 */
export type Phase = "starting" | "ready" | "draining" | "stopped";

/** The phase of a server, and those who watch it. */
export class Readiness {
  readonly #watchers = new Set<() => void>();
  #phase: Phase = "starting";

  /** The phase it is in. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Neither recovering nor stopping. A full disk changes nothing: hits are served. */
  get isReady(): boolean {
    return this.#phase === "ready";
  }

  /** How many watch it. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** A new phase; whoever watches is told. */
  enter(phase: Phase): void {
    this.#phase = phase;
    for (const told of [...this.#watchers]) told();
  }

  /**
   * Wakes a call that waits: with a new phase, and when it ends.
   *
   * @returns Makes the promise of the next wake; those before count no more.
   */
  wakes(call: Pick<Call, "whenEnded">): () => PromiseWithResolvers<void> {
    let next = Promise.withResolvers<void>();
    const told = () => next.resolve();
    this.#watchers.add(told);
    call.whenEnded(() => {
      this.#watchers.delete(told);
      told();
    });
    return () => next = Promise.withResolvers();
  }
}
