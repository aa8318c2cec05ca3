/**
 * Work that nobody has given out: its output takes the place of what is kept,
 * which others have until then.
 *
 * @module
 */

import type { Held, PublishOptions } from "../../client/tier.ts";
import type { Source } from "../../client/transfer.ts";
import type { Entry } from "../../client/backend.ts";
import type { Server } from "../server.ts";
import { claim, type ClaimOptions } from "./claim.ts";

/** Somebody who replaces it each time is not waited for any longer. */
const MAX_TRIES = 4;

/** Takes the work on when its output is there. */
export class Replacement implements Held {
  /** Nobody can take it away. */
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #server: Server;
  readonly #entry: Entry;
  readonly #options: ClaimOptions;

  /** Replaces what is kept of `entry`. */
  constructor(server: Server, entry: Entry, options: ClaimOptions) {
    this.#server = server;
    this.#entry = entry;
    this.#options = { ...options, wait: false };
  }

  /**
   * Removes what is kept, if it is still the same when it is, and publishes.
   *
   * @throws It stays, or somebody else runs the same now.
   */
  async publish(value: Source, options: PublishOptions = {}): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const claimed = await claim(this.#server, this.#entry, this.#options);
      switch (claimed.kind) {
        case "assigned": {
          await using held = claimed.held;
          return await held.publish(value, options);
        }
        case "ready":
          await claimed.body.release();
          if (!claimed.remove) throw new Error("this server removes nothing");
          await claimed.remove();
          break;
        case "loading":
          throw new Error("somebody else runs the same");
        default:
          throw new Error(claimed.reason);
      }
    }
    throw new Error("somebody else replaces it, too");
  }

  /** There is nothing to give back. */
  async abandon(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
