/**
 * The sending side of a call with a stream of replies.
 *
 * @module
 */

import type { ServerWritableStream } from "@grpc/grpc-js";
import { toGrpcError } from "./status.ts";

/** Sends messages in order, and knows whether they have left. */
export class StreamWriter<Message> {
  readonly #call: ServerWritableStream<unknown, Message>;
  readonly #gone = new AbortController();

  /** From here on the call's end is noticed. */
  constructor(call: ServerWritableStream<unknown, Message>) {
    this.#call = call;
    if (call.cancelled) this.#gone.abort();
    // Emitted at every end of a call.
    else call.once("cancelled", () => this.#gone.abort());
  }

  /** Aborted when the call has ended, however it did. */
  get ended(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * Sends a message.
   *
   * @returns Resolves when it has left our memory: to whether it was taken;
   * `false`: the caller has gone.
   */
  write(message: Message): Promise<boolean> {
    const { signal } = this.#gone;
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const gone = () => resolve(false);
      signal.addEventListener("abort", gone, { once: true });
      this.#call.write(message, (error: unknown) => {
        signal.removeEventListener("abort", gone);
        resolve(!error);
      });
    });
  }

  /** Ends the call with OK. */
  end(): void {
    if (!this.#gone.signal.aborted) this.#call.end();
  }

  /** Ends the call with an error. */
  fail(thrown: unknown): void {
    if (!this.#gone.signal.aborted) {
      this.#call.emit("error", toGrpcError(thrown));
    }
  }
}
