/**
 * What ends a call before the server does.
 *
 * @module
 */

import { type Client, connectivityState } from "@grpc/grpc-js";
import { CacheError } from "./cache_error.ts";
import { afterSilence } from "./patience.ts";

/** A machine that is there accepts a connection, and says so, well within this. */
const CONNECT_MS = 2_000;

/** Cancels a call when its signal is aborted, or when it gets no connection. */
export class CallEnd implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #end: () => void;
  readonly #stopWaiting: () => void;
  #noConnection: CacheError | undefined;

  /**
   * @param client The connection.
   * @param signal What else ends the call.
   * @param end Ends it; called once or not at all.
   */
  constructor(
    client: Client,
    signal: AbortSignal | undefined,
    end: () => void,
  ) {
    this.#signal = signal;
    this.#end = end;
    signal?.addEventListener("abort", end, { once: true });
    // grpc-js itself waits for as long as the system does: some minutes.
    this.#stopWaiting = afterSilence(CONNECT_MS, () => {
      const state = client.getChannel().getConnectivityState(false);
      // A channel that is closed lets its calls end by themselves.
      if (state === connectivityState.READY) return;
      if (state === connectivityState.SHUTDOWN) return;
      this.#noConnection = new CacheError(
        "unavailable",
        `no connection within ${CONNECT_MS} ms`,
      );
      end();
    });
  }

  /** Why the call failed: what ended it, or else what it failed with. */
  reason(error: unknown): unknown {
    if (this.#signal?.aborted) return this.#signal.reason;
    return this.#noConnection ?? error;
  }

  /** The call has ended. */
  [Symbol.dispose](): void {
    this.#stopWaiting();
    this.#signal?.removeEventListener("abort", this.#end);
  }
}
