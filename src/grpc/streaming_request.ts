/**
 * Calls with many requests.
 *
 * @module
 */

import { RequestStream, type RequestStreamHost } from "./request_stream.ts";
import { ServerCall } from "./server_call.ts";
import { noRoom } from "./no_room.ts";

/** A call with many requests: its handler starts when its head has come. */
export class StreamingRequestCall extends ServerCall {
  readonly #requests = new RequestStream<unknown>(this.#host());

  /** Counts and times it from now on, and starts its handler. */
  override begin(): void {
    super.begin();
    if (!this.isOver) this.run(this.#requests);
  }

  /** {@inheritDoc StreamEvents.data} */
  data(bytes: Uint8Array): void {
    if (this.isOver) return;
    this.core.counts.unfinished.arrived(this, bytes.length);
    if (this.isOver) return;
    this.pace?.arrived(bytes.length);
    this.#requests.data(bytes);
  }

  /** {@inheritDoc StreamEvents.end} */
  end(): void {
    this.core.counts.unfinished.remove(this);
    if (!this.isOver) this.#requests.end();
  }

  /** Nothing more of the request is of use. */
  protected letGo(): void {
    this.#requests.stop();
  }

  #allow(bytes: number): void {
    const { pace, stream } = this;
    if (pace === undefined) stream.allow(bytes);
    else pace.open(bytes, (some) => stream.allow(some));
  }

  #host(): RequestStreamHost<unknown> {
    const { core, method } = this;
    const { unfinished } = core.counts;
    return {
      reading: core,
      turns: core.turns,
      grant: this.grant,
      decode: (message) => method.decode(message, true),
      allow: (bytes) => this.#allow(bytes),
      taken: (bytes) => unfinished.taken(this, bytes),
      granted: () => unfinished.remove(this),
      ungranted: (bytes) => unfinished.add(this, bytes),
      refused: (refusal) => this.fail(noRoom(refusal)),
    };
  }
}
