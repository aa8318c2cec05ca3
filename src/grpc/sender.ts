/**
 * The sending side of a call with many replies.
 *
 * @module
 */

import type { ServerStream } from "../http2/stream_api.ts";
import type { Sender } from "./call.ts";
import { frameMessage } from "./framing.ts";

/** What a sender needs of its call. */
export interface SenderOptions<S> {
  /** Where the messages go. */
  readonly stream: ServerStream;
  /** Makes the parts of a message. */
  readonly encode: (message: S) => readonly Uint8Array[];
  /** Sends what comes before the first message; `false`: the call is over. */
  readonly begin: () => boolean;
}

/** Sends messages in order, and knows when they have left. */
export class ReplySender<S> implements Sender<S> {
  readonly #options: SenderOptions<S>;
  /** Of messages that were not given to write yet. */
  readonly #waiting = new Set<(sent: boolean) => void>();

  /** Nothing is sent until there is a message. */
  constructor(options: SenderOptions<S>) {
    this.#options = options;
  }

  /** Whether a message waits for the client to read. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** {@inheritDoc Sender.send} */
  send(message: S): Promise<boolean> {
    return new Promise((resolve) => {
      const { stream, encode, begin } = this.#options;
      // What it throws rejects the promise.
      const frame = frameMessage(encode(message));
      if (!begin()) return resolve(false);
      this.#waiting.add(resolve);
      stream.data(frame, () => {
        this.#waiting.delete(resolve);
        resolve(true);
      });
    });
  }

  /** The call has ended: what still waits is not sent. */
  end(): void {
    for (const resolve of this.#waiting) resolve(false);
    this.#waiting.clear();
  }
}
