/**
 * A call that ends when a test says so.
 *
 * @module
 */

import type { Call } from "../../grpc/call.ts";
import { Metadata } from "../../grpc/metadata.ts";

/** A call without a stream below it. */
export class FakeCall implements Call {
  readonly peer = "192.0.2.1:1";
  readonly connection = {};
  readonly place = { id: 1, connection: { peer: this.peer } };
  readonly caller = undefined;
  readonly metadata = new Metadata();
  readonly deadlineMs = undefined;
  readonly initialMetadata = new Metadata();
  readonly trailingMetadata = new Metadata();
  readonly #ended = new AbortController();
  readonly #listeners: ((delivered: boolean) => void)[] = [];
  #delivered: boolean | undefined;

  get hasEnded(): boolean {
    return this.#delivered !== undefined;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** How many want to hear of its end. */
  get listeners(): number {
    return this.#listeners.length;
  }

  whenEnded(listener: (delivered: boolean) => void): void {
    if (this.#delivered !== undefined) listener(this.#delivered);
    else this.#listeners.push(listener);
  }

  sendHeaders(): void {}

  /** Ends it. */
  end(delivered: boolean): void {
    this.#delivered = delivered;
    if (!delivered) this.#ended.abort();
    for (const listener of this.#listeners.splice(0)) listener(delivered);
  }
}
