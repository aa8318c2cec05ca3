/**
 * `larder.v1.Cache`: waits without polling, values of any size in pieces.
 *
 * @module
 */

import {
  type ServiceDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { Sha256 } from "../../workers/digest.ts";
import {
  type Backend,
  type Body,
  type CallOptions,
  type Entry,
  type Fetched,
  type FetchRequest,
  LET_GO_TIMEOUT_MS,
  type Pieces,
} from "./backend.ts";
import { asCacheError, CacheError } from "./cache_error.ts";
import { type Channel, loadService } from "./channel.ts";
import { fileBody } from "./local_files.ts";
import { afterSilence, Patience } from "./patience.ts";
import { eachPiece } from "./transfer.ts";
import { verified } from "./verified.ts";

/** A server that has not answered by then is not there. */
const TIMEOUT_MS = 10_000;

/** Whoever reads the same is through with it by then, more often than not. */
const IN_USE_MS = 1_000;

/** `FetchReply`: one of its fields. */
interface FetchReply {
  readonly waiting?: { readonly holder: string };
  readonly assigned?: {
    readonly id: string;
    readonly heartbeatIntervalMs: string;
    readonly path: string;
  };
  readonly unassigned?: { readonly reason: string };
  readonly ready?: {
    readonly size: string;
    readonly sha256: Uint8Array;
    readonly handle: string;
    readonly path: string;
  };
  readonly chunk?: Uint8Array;
}

type Ready = NonNullable<FetchReply["ready"]>;
type Replies = AsyncGenerator<FetchReply, void, undefined>;

/** How a client of a server talks to it. */
export interface V1Options {
  /** Whether values are handed over as files. */
  readonly paths: boolean;
  /** How long to try to go on with a transfer that broke. */
  readonly patienceMs: number;
}

/** A value that is on its way. */
interface Transfer {
  readonly ready: Ready;
  readonly replies: Replies;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** The service on a channel. */
export class V1Backend implements Backend {
  readonly #channel: Channel;
  readonly #service: ServiceDefinition;
  readonly #paths: boolean;
  readonly #patienceMs: number;

  constructor(channel: Channel, { paths, patienceMs }: V1Options) {
    this.#channel = channel;
    this.#patienceMs = patienceMs;
    this.#service = loadService("larder/v1/cache.proto", "larder.v1.Cache");
    this.#paths = paths;
  }

  async fetch(
    request: FetchRequest,
    { signal, onContact }: CallOptions,
  ): Promise<Fetched> {
    const call = new AbortController();
    const ended = signal ? AbortSignal.any([signal, call.signal]) : call.signal;
    const hasAnswered = afterSilence(TIMEOUT_MS, () => {
      call.abort(new CacheError("unavailable", "the server is silent"));
    });
    const replies = this.#fetch({ ...request, path: this.#paths }, ended);
    let isRead = false;
    try {
      for (;;) {
        const { value: reply } = await replies.next();
        hasAnswered();
        if (!reply) throw new CacheError("unavailable", "the answer broke off");
        if (reply.waiting) {
          if (!request.wait) return { kind: "loading" };
          onContact?.();
          continue;
        }
        const { ready } = reply;
        if (!ready) return this.#without(reply);
        const remove = () => this.#remove(request, ready);
        if (this.#paths) {
          return { kind: "ready", body: await this.#file(ready), remove };
        }
        isRead = true;
        const transfer = { ready, replies, signal: ended };
        const body = this.#body(request, transfer, call);
        return { kind: "ready", body, remove };
      }
    } finally {
      hasAnswered();
      if (!isRead) await replies.return();
    }
  }

  #without({ assigned, unassigned }: FetchReply): Fetched {
    if (!assigned) {
      return { kind: "unassigned", reason: unassigned?.reason ?? "" };
    }
    const { id, path } = assigned;
    const heartbeatIntervalMs = Number(assigned.heartbeatIntervalMs);
    const work = { id, heartbeatIntervalMs };
    return { kind: "assigned", work: this.#paths ? { ...work, path } : work };
  }

  async heartbeat(id: string): Promise<void> {
    await this.#unary("Heartbeat", { id });
  }

  async publish(
    id: string,
    value: Pieces | undefined,
    options: CallOptions,
  ): Promise<void> {
    await this.#channel.clientStream(
      this.#service["Publish"]!,
      value === undefined
        ? pathRequests(id)
        : publishRequests(id, value, options),
      options,
    );
  }

  async abandon(id: string, reason: string): Promise<void> {
    await this.#unary("Abandon", { id, reason }, LET_GO_TIMEOUT_MS);
  }

  async #unary(
    name: string,
    request: object,
    timeoutMs = TIMEOUT_MS,
  ): Promise<void> {
    await this.#channel.unary(this.#service[name]!, request, { timeoutMs });
  }

  #fetch(request: object, signal: AbortSignal): Replies {
    const method = this.#service["Fetch"]!;
    return this.#channel.serverStream<FetchReply>(method, request, { signal });
  }

  async #file({ path, handle, ...whole }: Ready): Promise<Body> {
    // A handle that is not released ends with its lease.
    const release = () =>
      this.#unary("Release", { handle }, LET_GO_TIMEOUT_MS).catch(() => {});
    const body = await fileBody(path, release);
    return { ...body, chunks: () => verified(body.chunks(), whole) };
  }

  /** The server may not know yet that nobody reads it any more. */
  async #remove(
    { namespace, key }: Entry,
    { sha256 }: Ready,
  ): Promise<void> {
    const patience = new Patience(IN_USE_MS);
    for (;;) {
      try {
        return await this.#unary("Delete", { namespace, key, sha256 });
      } catch (error) {
        const { code } = error as Partial<ServiceError>;
        if (code !== status.FAILED_PRECONDITION) throw error;
        if (!await patience.pause()) throw error;
      }
    }
  }

  #body(entry: Entry, transfer: Transfer, call: AbortController): Body {
    return {
      size: Number(transfer.ready.size),
      chunks: () => verified(this.#chunks(entry, transfer), transfer.ready),
      async release() {
        // Who reads may be waiting for the next piece.
        call.abort(new CacheError("failed", "the value is not read any more"));
        await transfer.replies.return();
      },
    };
  }

  /** The pieces of a value; a connection that breaks is made again. */
  async *#chunks(
    { namespace, key }: Entry,
    { ready, replies, signal }: Transfer,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const size = Number(ready.size);
    const patience = new Patience(this.#patienceMs);
    let from = replies;
    for (let at = 0; at < size;) {
      try {
        for await (const reply of from) {
          if (!reply.chunk) {
            assertSame(ready, reply);
            continue;
          }
          at += reply.chunk.length;
          patience.renew();
          yield reply.chunk;
        }
        if (at < size) throw new CacheError("unavailable", "it broke off");
      } catch (error) {
        signal.throwIfAborted();
        if (at === size) return;
        const failure = asCacheError(error, "cannot read the value");
        if (failure.code !== "unavailable") throw failure;
        if (!await patience.pause(signal)) throw failure;
        from = this.#fetch({ namespace, key, offset: String(at) }, signal);
      }
    }
  }
}

/** Throws unless a transfer that goes on is of the value that it began with. */
function assertSame({ sha256 }: Ready, { ready }: FetchReply): void {
  if (ready && sameBytes(ready.sha256, sha256)) return;
  const what = ready ? "replaced" : "removed";
  throw new CacheError("failed", `the value was ${what} meanwhile`);
}

function* pathRequests(id: string): Generator<object, void, undefined> {
  yield { begin: { id, path: true } };
  yield { end: {} };
}

/** Only what is whole gets an End, and only what has one is published. */
async function* publishRequests(
  id: string,
  value: Pieces,
  { signal }: CallOptions,
): AsyncGenerator<object, void, undefined> {
  yield { begin: { id } };
  const hash = new Sha256();
  let size = 0;
  for await (const chunk of eachPiece(value)) {
    hash.update(chunk);
    size += chunk.length;
    yield { chunk };
  }
  signal?.throwIfAborted();
  yield { end: { size, sha256: Buffer.from(hash.hex(), "hex") } };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
