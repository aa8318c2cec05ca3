/**
 * Hits of 1 KiB and heartbeats on one connection, one after the other. They are
 * to notice what a server does for others, and to be no load themselves.
 *
 * @module
 */

import { MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import {
  call,
  GET,
  getRequest,
  HEARTBEAT,
  idRequest,
  SET,
  setRequest,
} from "../rude/messages.ts";
import { type Outcome, RawClient } from "./raw_client.ts";
import { expectEmpty, idAndPath } from "./reply_heads.ts";
import { within } from "./waiting.ts";

const VALUE = new Uint8Array(1_024).fill(7);
const KEY = "small";
/** A call that takes longer has failed: the server hung. */
const DEADLINE_MS = 10_000;

/** A client of `remote.RemoteCache` with a value and with work of its own. */
export class SmallCalls implements Disposable {
  #connection: RawClient;
  readonly #port: number;
  readonly #namespace: string;
  readonly #ask: Uint8Array;
  #heldId = 0n;
  #stream = -1;

  private constructor(
    connection: RawClient,
    port: number,
    namespace: string,
  ) {
    this.#connection = connection;
    this.#port = port;
    this.#namespace = namespace;
    this.#ask = getRequest(namespace, KEY);
  }

  /** Connects, publishes its value, and takes on work that it keeps alive. */
  static async open(address: string, namespace: string): Promise<SmallCalls> {
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    const connection = await connect(port);
    const calls = new SmallCalls(connection, port, namespace);
    const id = await calls.#assigned(KEY);
    expectEmpty("Set", await calls.#call(SET, setRequest(id, VALUE)));
    calls.#heldId = await calls.#assigned("work");
    return calls;
  }

  /** Reads the value. */
  async hit(): Promise<void> {
    const { how, dataBytes } = await this.#call(GET, this.#ask);
    if (how === "answered" && dataBytes > VALUE.length) return;
    throw new Error(`hit: ${how} with ${dataBytes} bytes`);
  }

  /** Keeps the work. */
  async heartbeat(): Promise<void> {
    const answer = await this.#call(HEARTBEAT, idRequest(this.#heldId));
    expectEmpty("Heartbeat", answer);
  }

  async #assigned(key: string): Promise<bigint> {
    const request = getRequest(this.#namespace, key, true);
    return idAndPath("Get", await this.#call(GET, request)).id;
  }

  /** A server that is full dismisses the idlest: then, as gRPC does, again. */
  async #call(path: string, content: Uint8Array): Promise<Outcome> {
    const answer = await this.#callOnce(path, content);
    if (answer.how !== "closed" || answer.dataBytes > 0) return answer;
    this.#connection[Symbol.dispose]();
    this.#connection = await connect(this.#port);
    this.#stream = -1;
    return await this.#callOnce(path, content);
  }

  async #callOnce(path: string, content: Uint8Array): Promise<Outcome> {
    const connection = this.#connection;
    const stream = this.#stream += 2;
    await connection.send(call(stream, path, content));
    return await within(connection.outcome(stream), path, DEADLINE_MS);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

function connect(port: number): Promise<RawClient> {
  return RawClient.open(port, { windowBytes: MAX_WINDOW_BYTES });
}
