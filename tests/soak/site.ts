/**
 * Where the connections of a soak go, and what they did there.
 *
 * @module
 */

import { Flag } from "../../src/http2/frames.ts";
import { MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { callFields, getRequest, message } from "../rude/messages.ts";
import { greeting, type Outcome, RawClient } from "../support/raw_client.ts";

/** The namespace of all values here. */
export const NS = "tests.soak";
/** Values for readers that never read: more than the cache of hot ones holds. */
export const COLD_VALUES = 96;
/** The size of large values. */
export const LARGE_BYTES = 1024 * 1024;
/** The size of the others. */
export const SMALL_BYTES = 1_024;
/** A server that is silent for so long has failed a connection. */
const LIMIT_MS = 20_000;
/** What a client says first that takes all it is given. */
export const OPENING: Uint8Array = greeting(MAX_WINDOW_BYTES);
/** Rude clients that wait: a few are always there, and never many. */
const MAX_HELD = 12;

/** A kind of visitor. */
export interface Kind {
  readonly name: string;
  /** How many of this kind there are in a deck. */
  readonly weight: number;
  readonly isRude: boolean;
  /** Throws when a polite client was not served. */
  readonly run: (site: Site) => Promise<void>;
}

/** What has been done until now. */
export interface Tally {
  connections: number;
  rude: number;
  /** Values that were not read yet when a polite client asked; it asked again. */
  loading: number;
}

/** A server's addresses, and what the visitors share. */
export class Site implements Disposable {
  readonly remotePort: number;
  readonly localPort: number;
  readonly tally: Tally = { connections: 0, rude: 0, loading: 0 };
  /** An assignment that is heard of all the time, and never published. */
  heldId = 0n;
  readonly #held = new Map<RawClient, ReturnType<typeof setTimeout>>();
  #serial = 0;

  /** Addresses are `ip:port`. */
  constructor(addresses: { readonly remote: string; readonly local: string }) {
    this.remotePort = portOf(addresses.remote);
    this.localPort = portOf(addresses.local);
  }

  /** A number that was never given out. */
  next(): number {
    return this.#serial++;
  }

  /** Connects, and counts it. */
  async connect(port: number, isRude = false): Promise<RawClient> {
    const connection = await RawClient.connect(port, { limitMs: LIMIT_MS });
    this.tally.connections++;
    if (isRude) this.tally.rude++;
    return connection;
  }

  /** A call on a connection of its own, which says goodbye: the usual client. */
  async call(port: number, bytes: Uint8Array): Promise<Outcome> {
    using connection = await this.connect(port);
    await connection.send(OPENING, bytes);
    const answer = await connection.outcome(1);
    await connection.goodbye();
    return answer;
  }

  /** Keeps a connection open for a while, while others come and go. */
  hold(connection: RawClient, forMs: number): void {
    const timer = setTimeout(() => this.#drop(connection), forMs);
    this.#held.set(connection, timer);
    if (this.#held.size > MAX_HELD) {
      this.#drop(this.#held.keys().next().value!);
    }
  }

  #drop(connection: RawClient): void {
    clearTimeout(this.#held.get(connection));
    this.#held.delete(connection);
    connection[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const connection of this.#held.keys()) this.#drop(connection);
  }
}

/** A call on stream 1, whose headers are built once. */
export function caller(path: string): (content: Uint8Array) => Uint8Array {
  const head = headers(1, callFields(path));
  return (content) => join(head, data(1, message(content), Flag.END_STREAM));
}

/** Bytes that ask for a value, or for the work of making it. */
export function asking(
  path: string,
): (key: string, assign?: boolean) => Uint8Array {
  const call = caller(path);
  return (key, assign = false) => call(getRequest(NS, key, assign));
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
