/**
 * What a server gives out to a caller who has just gone.
 *
 * @module
 */

import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";
import { hasCode } from "./cache_error.ts";
import { Ending, type EndSignal } from "./ending.ts";
import type { Claim } from "./tier.ts";

/** An answer that is on its way is there by then, more often than not. */
const LINGER_MS = 2_000;

/**
 * Keeps a call open for a while when it is called off before it was answered:
 * what it brings is given back, and need not run out.
 */
export class LateAnswer {
  readonly #wanted: EndSignal | undefined;
  readonly #end = new Ending();
  readonly #onAbort: () => void;
  #timer: ReturnType<typeof nodeTimeout> | undefined;
  /** Whether nothing is to be given back that could come soon. */
  #isVain: boolean;

  /**
   * @param wanted Aborted when nobody wants the answer any more.
   * @param bringsNothing Whether no answer has anything to be given back.
   */
  constructor(
    wanted: EndSignal | undefined,
    { bringsNothing }: { readonly bringsNothing: boolean },
  ) {
    this.#wanted = wanted;
    this.#isVain = bringsNothing;
    this.#onAbort = () => {
      const end = () => this.#end.abort(wanted?.reason);
      // Of a server that says nothing, nothing comes soon either.
      if (this.#isVain || hasCode(wanted?.reason, "unavailable")) return end();
      this.#timer = nodeTimeout(end, LINGER_MS).unref();
    };
    wanted?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Ends the call. */
  get signal(): EndSignal {
    return this.#end.signal;
  }

  /** The server says that somebody else has the work. */
  isWaiting(): void {
    this.#isVain = true;
    if (this.#wanted?.aborted) this.#end.abort(this.#wanted.reason);
  }

  /** Throws when there is no sense in asking again. */
  assertWanted(): void {
    this.#wanted?.throwIfAborted();
  }

  /** Gives back what has come for nobody; resolves when there is no more to come. */
  async giveBack(asking: Promise<Claim>): Promise<void> {
    try {
      const claim = await asking;
      if (!this.#wanted?.aborted) return;
      if (claim.kind === "ready") await claim.body.release();
      if (claim.kind !== "assigned") return;
      await claim.held.abandon("nobody wants it any more");
    } catch {
      // Whoever has asked hears of it.
    } finally {
      clearNodeTimeout(this.#timer);
      this.#wanted?.removeEventListener("abort", this.#onAbort);
    }
  }
}
