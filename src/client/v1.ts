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
import {
  type AskOptions,
  type Backend,
  type BeatOptions,
  type Body,
  type Entry,
  type Fetched,
  type FetchRequest,
  LET_GO_TIMEOUT_MS,
  type Pieces,
  type PublishCallOptions,
} from "./backend.ts";
import {
  asCacheError,
  CacheError,
  givenUp,
  hasCode,
  noAnswer,
  silence,
} from "./cache_error.ts";
import type { Channel, UnaryOptions } from "./channel.ts";
import { loadService } from "./services.ts";
import { Ending, type EndSignal } from "./ending.ts";
import { LinkedSignal } from "./linked_signal.ts";
import { fileBody } from "./local_files.ts";
import { afterSilence, Patience } from "./patience.ts";
import type { Replies } from "./replies.ts";
import { bytesBody } from "./transfer.ts";
import { pathRequests, publishRequests, valueRequest } from "./v1_requests.ts";
import { checked, verified } from "./verified.ts";

/** A server that has not answered by then is not there. */
const TIMEOUT_MS = 10_000;

/** Whoever reads the same is through with it by then, more often than not. */
const IN_USE_MS = 1_000;

/** `FetchReply`: one of its fields. */
interface FetchReply {
  readonly waiting?: { readonly holder: string; readonly computingMs: string };
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
    readonly computedMs: string;
    readonly ttlMs: string;
    /** Empty where it comes in pieces. */
    readonly value: Uint8Array;
  };
  readonly chunk?: Uint8Array;
}

type Ready = NonNullable<FetchReply["ready"]>;

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
  readonly replies: Replies<FetchReply>;
  /** Ends the replies. */
  readonly stream: LinkedSignal;
}

/** The service on a channel. */
export class V1Backend implements Backend {
  readonly #channel: Channel;
  readonly #service: ServiceDefinition;
  readonly #paths: boolean;
  readonly #patienceMs: number;
  /** Whether the server has no call that takes a value in one message. */
  #isOlder = false;

  constructor(channel: Channel, { paths, patienceMs }: V1Options) {
    this.#channel = channel;
    this.#patienceMs = patienceMs;
    this.#service = loadService("larder/v1/cache.proto", "larder.v1.Cache");
    this.#paths = paths;
  }

  async fetch(
    request: FetchRequest,
    { signal, wanted, onLeft, onContact, onWaiting }: AskOptions,
  ): Promise<Fetched> {
    const stream = new LinkedSignal(signal);
    const replies = this.#fetch(
      {
        ...request,
        path: this.#paths,
        ttlMs: Math.ceil(request.ttlMs ?? 0),
      },
      { signal: stream.signal, wanted, onLeft },
    );
    const hasAnswered = afterSilence(TIMEOUT_MS, () => {
      stream.abort(silence("no answer", TIMEOUT_MS));
    });
    let isRead = false;
    let isLeft = false;
    try {
      for (;;) {
        const { value: reply } = await replies.next();
        hasAnswered();
        if (!reply) throw noAnswer("the answer broke off");
        if (reply.waiting) {
          if (!request.wait) return { kind: "loading" };
          onContact?.();
          const { holder, computingMs } = reply.waiting;
          onWaiting?.({ holder, computingMs: Number(computingMs) });
          continue;
        }
        const { ready } = reply;
        // A server ends the call by itself; but for a value, with this message.
        isLeft = true;
        if (!ready) return this.#without(reply);
        const remove = () => this.#remove(request, ready);
        const found = { kind: "ready", remove, ...timesOf(ready) } as const;
        if (this.#paths) return { ...found, body: await this.#file(ready) };
        if (ready.value.length > 0) {
          return { ...found, body: bytesBody(checked(ready.value, ready)) };
        }
        isLeft = false;
        isRead = true;
        const body = this.#body(request, { ready, replies, stream });
        return { ...found, body };
      }
    } finally {
      hasAnswered();
      // From here on, it ends when the body is released.
      stream[Symbol.dispose]();
      if (isLeft) replies.leave();
      else if (!isRead) await replies.return();
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

  async heartbeat(id: string, options: BeatOptions): Promise<void> {
    await this.#unary("Heartbeat", { id }, options);
  }

  async publish(
    id: string,
    value: Pieces | undefined,
    options: PublishCallOptions,
  ): Promise<void> {
    const whole = value && valueRequest(id, value);
    if (whole && await this.#publishValue(whole, options)) return;
    await this.#channel.clientStream(
      this.#service["Publish"]!,
      value === undefined
        ? pathRequests(id)
        : publishRequests(id, value, options),
      options,
    );
  }

  /** Whether the server can do that: one that is older cannot. */
  async #publishValue(
    request: object,
    { signal, wanted, isForOthers, onLeft }: PublishCallOptions,
  ): Promise<boolean> {
    if (this.#isOlder) return false;
    try {
      const options = { signal, wanted, isForOthers, onLeft, isUpload: true };
      await this.#channel.unary(
        this.#service["PublishValue"]!,
        request,
        options,
      );
    } catch (error) {
      const { code } = error as Partial<ServiceError>;
      if (code !== status.UNIMPLEMENTED) throw error;
      this.#isOlder = true;
    }
    return !this.#isOlder;
  }

  async abandon(
    id: string,
    reason: string,
    { signal, wanted }: AskOptions,
  ): Promise<void> {
    const options = { signal, wanted, timeoutMs: LET_GO_TIMEOUT_MS };
    await this.#unary("Abandon", { id, reason }, options);
  }

  async #unary(
    name: string,
    request: object,
    options: Partial<UnaryOptions> = {},
  ): Promise<void> {
    await this.#channel.unary(this.#service[name]!, request, {
      timeoutMs: TIMEOUT_MS,
      ...options,
    });
  }

  #fetch(request: object, options: AskOptions): Replies<FetchReply> {
    const method = this.#service["Fetch"]!;
    return this.#channel.serverStream<FetchReply>(method, request, options);
  }

  async #file({ path, handle, ...whole }: Ready): Promise<Body> {
    // A handle that is not released ends with its lease.
    const release = () =>
      this.#unary("Release", { handle }, { timeoutMs: LET_GO_TIMEOUT_MS })
        .catch(() => {});
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
        if (await patience.pause()) continue;
        throw new CacheError("in-use", "the value is being read", {
          cause: error,
        });
      }
    }
  }

  #body(entry: Entry, transfer: Transfer): Body {
    const released = new Ending();
    const pieces = () => this.#chunks(entry, transfer, released);
    return {
      size: Number(transfer.ready.size),
      chunks: () => verified(pieces(), transfer.ready),
      async release() {
        // Who reads may be waiting for the next piece.
        const message = "the value is not read any more";
        released.abort(new CacheError("failed", message));
        transfer.stream.abort(released.reason);
        await transfer.replies.return();
      },
    };
  }

  /**
   * The pieces of a value; a connection that breaks is made again. A server that
   * ends a transfer which its reader has left lying goes on with it, too.
   */
  async *#chunks(
    { namespace, key }: Entry,
    { ready, replies, stream }: Transfer,
    released: EndSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const size = Number(ready.size);
    using budget = this.#channel.budget({ ms: () => this.#patienceMs });
    using ended = new LinkedSignal(released, budget.signal);
    const { signal } = ended;
    signal.addEventListener("abort", () => stream.abort(signal.reason));
    budget.heard();
    let from: Replies<FetchReply> | undefined = replies;
    for (let at = 0; at < size;) {
      try {
        from ??= this.#fetch({ namespace, key, offset: String(at) }, {
          signal,
        });
        for await (const reply of from) {
          budget.heard();
          if (!reply.chunk) {
            assertSame(ready, reply);
            continue;
          }
          at += reply.chunk.length;
          budget.rests();
          yield reply.chunk;
          budget.waits();
        }
        if (at < size) throw noAnswer("it broke off");
      } catch (error) {
        released.throwIfAborted();
        if (at === size) return;
        const failure = asCacheError(error, "cannot read the value");
        const isCut = hasCode(failure, "unavailable") ||
          hasCode(failure, "full");
        if (!isCut || !await budget.pause(released)) {
          throw givenUp(failure, budget.waitedMs);
        }
        from = undefined;
      }
    }
  }
}

/** What is known of a value's time; 0 stands for nothing. */
function timesOf({ computedMs, ttlMs }: Ready): {
  readonly computedMs?: number;
  readonly ttlMs?: number;
} {
  return {
    ...computedMs !== "0" && { computedMs: Number(computedMs) },
    ...ttlMs !== "0" && { ttlMs: Number(ttlMs) },
  };
}

/** Throws unless a transfer that goes on is of the value that it began with. */
function assertSame({ sha256 }: Ready, { ready }: FetchReply): void {
  if (ready && sameBytes(ready.sha256, sha256)) return;
  const what = ready ? "replaced" : "removed";
  throw new CacheError("failed", `the value was ${what} meanwhile`);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
