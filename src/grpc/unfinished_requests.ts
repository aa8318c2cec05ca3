/**
 * Bounds the requests that have begun and never end.
 *
 * The requests of polite clients are complete within milliseconds, so whoever has
 * been still for longest makes room for the others: one call, or, where a
 * connection has many of them, all of these.
 *
 * @module
 */

import { FEW_REQUESTS, REQUEST_OVERHEAD_BYTES } from "./limits.ts";
import type { CountedClient } from "./open_calls.ts";

/** A request in the list. The list owns all but `client` and `refuse`. */
export interface UnfinishedRequest {
  /** Whose it is. */
  readonly client: CountedClient;
  /** What has come of it; 0: it is not in the list. */
  unfinishedBytes: number;
  /** The one that has been still for longer. */
  stiller: UnfinishedRequest | undefined;
  /** The one that moved after it. */
  livelier: UnfinishedRequest | undefined;
  /** Ends it; it is out of the list. */
  refuse(): void;
}

/** How many there may be, and how large together. */
export interface UnfinishedLimits {
  /** Requests that have begun and not ended. */
  readonly maxRequests: number;
  /** Bytes that have come of them. */
  readonly maxBytes: number;
  /** Told of each that is refused. */
  readonly onRefused: () => void;
}

/**
 * The requests that are not complete, in the order in which something of them
 * came. A list through the requests themselves: every call passes through it.
 */
export class UnfinishedRequests {
  readonly #limits: UnfinishedLimits;
  #stillest: UnfinishedRequest | undefined;
  #liveliest: UnfinishedRequest | undefined;
  #size = 0;
  #bytes = 0;

  /**
   * @param limits How many there may be, and how large together.
   */
  constructor(limits: UnfinishedLimits) {
    this.#limits = limits;
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** What has come of them, with what each costs. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes a request until it is removed; `bytes` have come of it. */
  add(request: UnfinishedRequest, bytes = 0): void {
    request.unfinishedBytes = bytes + REQUEST_OVERHEAD_BYTES;
    this.#bytes += request.unfinishedBytes;
    this.#size++;
    request.client.unfinished++;
    this.#append(request);
    this.#makeRoom();
  }

  /** Notes that so much more of a request has come. */
  arrived(request: UnfinishedRequest, bytes: number): void {
    if (request.unfinishedBytes === 0) return;
    request.unfinishedBytes += bytes;
    this.#bytes += bytes;
    if (this.#liveliest !== request) {
      this.#unlink(request);
      this.#append(request);
    }
    this.#makeRoom();
  }

  /** Notes that so much of a streaming request is its handler's by now. */
  taken(request: UnfinishedRequest, bytes: number): void {
    if (request.unfinishedBytes === 0) return;
    request.unfinishedBytes -= bytes;
    this.#bytes -= bytes;
  }

  /** Forgets a request: it is complete, has ended, or is counted elsewhere. */
  remove(request: UnfinishedRequest): void {
    if (request.unfinishedBytes === 0) return;
    this.#bytes -= request.unfinishedBytes;
    this.#size--;
    request.unfinishedBytes = 0;
    request.client.unfinished--;
    this.#unlink(request);
  }

  #makeRoom(): void {
    const { maxRequests, maxBytes } = this.#limits;
    while (this.#size > maxRequests || this.#bytes > maxBytes) {
      const stillest = this.#stillest;
      if (stillest === undefined) return;
      const { client } = stillest;
      if (client.unfinished > FEW_REQUESTS) this.#refuseAll(client);
      else this.#refuse(stillest);
    }
  }

  #refuseAll(client: CountedClient): void {
    let request = this.#stillest;
    while (request !== undefined) {
      const next: UnfinishedRequest | undefined = request.livelier;
      if (request.client === client) this.#refuse(request);
      // To refuse one may have ended others.
      request = next?.unfinishedBytes === 0 ? this.#stillest : next;
    }
  }

  #refuse(request: UnfinishedRequest): void {
    this.remove(request);
    this.#limits.onRefused();
    request.refuse();
  }

  #append(request: UnfinishedRequest): void {
    request.stiller = this.#liveliest;
    request.livelier = undefined;
    if (this.#liveliest) this.#liveliest.livelier = request;
    else this.#stillest = request;
    this.#liveliest = request;
  }

  #unlink(request: UnfinishedRequest): void {
    const { stiller, livelier } = request;
    if (stiller) stiller.livelier = livelier;
    else this.#stillest = livelier;
    if (livelier) livelier.stiller = stiller;
    else this.#liveliest = stiller;
    request.stiller = request.livelier = undefined;
  }
}
