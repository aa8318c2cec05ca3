/**
 * `larder.v1.Cache`: waits without polling, values of any size in pieces.
 *
 * @module
 */

import type { ServiceDefinition } from "@grpc/grpc-js";
import { Backoff, sleep } from "./backoff.ts";
import type {
  Backend,
  Body,
  CallOptions,
  Entry,
  Fetched,
  FetchRequest,
  Pieces,
} from "./backend.ts";
import { asCacheError, CacheError } from "./cache_error.ts";
import { type Channel, loadService } from "./channel.ts";
import { fileBody } from "./local_files.ts";
import { eachPiece } from "./transfer.ts";

/** A server that has not answered by then is not there. */
const TIMEOUT_MS = 10_000;
/** A transfer that broke goes on where it was, this often in a row. */
const MAX_RESUMES = 8;

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
}

/** The service on a channel. */
export class V1Backend implements Backend {
  readonly #channel: Channel;
  readonly #service: ServiceDefinition;
  readonly #paths: boolean;

  constructor(channel: Channel, { paths }: V1Options) {
    this.#channel = channel;
    this.#service = loadService("larder/v1/cache.proto", "larder.v1.Cache");
    this.#paths = paths;
  }

  async fetch(
    request: FetchRequest,
    { signal, onContact }: CallOptions,
  ): Promise<Fetched> {
    const silence = new AbortController();
    const timer = setTimeout(() => {
      silence.abort(new CacheError("unavailable", "the server is silent"));
    }, TIMEOUT_MS);
    const either = signal
      ? AbortSignal.any([signal, silence.signal])
      : silence.signal;
    const replies = this.#fetch({ ...request, path: this.#paths }, either);
    let isRead = false;
    try {
      for (;;) {
        const { value: reply } = await replies.next();
        clearTimeout(timer);
        if (!reply) throw new CacheError("unavailable", "the answer broke off");
        if (reply.waiting) {
          if (!request.wait) return { kind: "loading" };
          onContact?.();
          continue;
        }
        const { ready } = reply;
        if (!ready) return this.#without(reply);
        if (this.#paths) return await this.#file(ready);
        isRead = true;
        const body = this.#body(request, { ready, replies, signal });
        return { kind: "ready", body };
      }
    } finally {
      clearTimeout(timer);
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

  async publish(id: string, value: Pieces | undefined): Promise<void> {
    await this.#channel.clientStream(
      this.#service["Publish"]!,
      value === undefined
        ? only({ begin: { id, path: true } })
        : publishRequests(id, value),
    );
  }

  async abandon(id: string, reason: string): Promise<void> {
    await this.#unary("Abandon", { id, reason });
  }

  async #unary(name: string, request: object): Promise<void> {
    const options = { timeoutMs: TIMEOUT_MS };
    await this.#channel.unary(this.#service[name]!, request, options);
  }

  #fetch(request: object, signal: AbortSignal | undefined): Replies {
    const method = this.#service["Fetch"]!;
    return this.#channel.serverStream<FetchReply>(method, request, { signal });
  }

  async #file({ path, handle }: Ready): Promise<Fetched> {
    // A handle that is not released ends with its lease.
    const release = () => this.#unary("Release", { handle }).catch(() => {});
    return { kind: "ready", body: await fileBody(path, release) };
  }

  #body(
    entry: Entry,
    { ready, replies, signal }: {
      ready: Ready;
      replies: Replies;
      signal: AbortSignal | undefined;
    },
  ): Body {
    return {
      size: Number(ready.size),
      chunks: () => this.#chunks(entry, { ready, replies, signal }),
      release: async () => void await replies.return(),
    };
  }

  /** The pieces of a value; a connection that breaks is made again. */
  async *#chunks(
    { namespace, key }: Entry,
    { ready, replies, signal }: {
      ready: Ready;
      replies: Replies;
      signal: AbortSignal | undefined;
    },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const size = Number(ready.size);
    let at = 0;
    let from = replies;
    const fresh = () => new Backoff(200, 5_000);
    let backoff = fresh();
    for (let resumes = 0; at < size; resumes++) {
      try {
        for await (const { chunk, ready: again } of from) {
          if (again && !sameBytes(again.sha256, ready.sha256)) {
            throw new CacheError("failed", "the value was replaced meanwhile");
          }
          if (!chunk) continue;
          at += chunk.length;
          resumes = 0;
          backoff = fresh();
          yield chunk;
        }
        if (at < size) throw new CacheError("unavailable", "it broke off");
      } catch (error) {
        const failure = asCacheError(error, "cannot read the value");
        if (failure.code !== "unavailable" || resumes >= MAX_RESUMES) {
          throw signal?.aborted ? signal.reason : failure;
        }
        await sleep(backoff.nextMs(), signal);
        from = this.#fetch({ namespace, key, offset: String(at) }, signal);
      }
    }
  }
}

async function* only<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}

async function* publishRequests(
  id: string,
  value: Pieces,
): AsyncGenerator<object, void, undefined> {
  yield { begin: { id } };
  for await (const chunk of eachPiece(value)) yield { chunk };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
