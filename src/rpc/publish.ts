/**
 * `larder.v1.Cache.Publish`: a value of any size, in pieces.
 *
 * @module
 */

import type { Engine, Submission } from "../engine/engine.ts";
import type { Upload } from "../engine/uploads.ts";
import { invalidRequest, type LarderError } from "../errors.ts";
import type { Call, ClientStreamingHandler, Requests } from "../grpc/call.ts";
import type { Digest, Id } from "../table/types.ts";
import { type CacheServiceOptions, localPaths } from "./cache_options.ts";
import type {
  PublishBegin,
  PublishEnd,
  PublishReply,
  PublishRequest,
} from "./cache_wire.ts";
import { GatheredPieces } from "./gathered_pieces.ts";
import {
  assertEndOfPath,
  assertWhole,
  wholeOf,
  withoutEnd,
} from "./publish_end.ts";
import { demandAnywhere, idBy } from "./rights.ts";
import { toStatusError } from "./status.ts";

/** Pieces renew the lease once in this share of a heartbeat's interval. */
const RENEWED_SHARE = 1 / 8;

/** Makes the handler. */
export function publish(
  engine: Engine,
  options: CacheServiceOptions,
): ClientStreamingHandler<PublishRequest, PublishReply> {
  return async (requests, call) => {
    demandAnywhere(call, "write");
    const publishing = new Publishing(engine, options, call);
    try {
      const { size, sha256 } = await publishing.run(requests);
      return { size, sha256: Uint8Array.fromHex(sha256) };
    } catch (error) {
      throw toStatusError(error);
    }
  };
}

/** One call. */
class Publishing {
  readonly #engine: Engine;
  readonly #options: CacheServiceOptions;
  readonly #call: Call;
  /** Why the id is no longer its client's. */
  #lost: LarderError | undefined;
  #renewedMs = -Infinity;

  constructor(engine: Engine, options: CacheServiceOptions, call: Call) {
    this.#engine = engine;
    this.#options = options;
    this.#call = call;
  }

  async run(requests: Requests<PublishRequest>): Promise<Digest> {
    const peer = this.#call;
    const begin = beginOf(await next(requests));
    const { id, path, expectedSize } = begin;
    // Before a byte is taken of a value that is nobody's.
    const reply = await this.#engine.ask(
      idBy(this.#call, { kind: "heartbeat", id }),
    );
    if (reply.kind === "error") throw reply.error;
    if (path) {
      localPaths(this.#options);
      const request = await next(requests);
      if (request?.chunk) throw invalidRequest("no pieces follow a path");
      assertEndOfPath(await lastOf(requests, request, id));
      return await this.#submit({ kind: "done", id, patient: true, peer });
    }
    const { uploads } = this.#options;
    const upload = uploads.begin(peer.connection, id, {
      expected: Number(expectedSize),
      from: peer,
    });
    try {
      await upload.announce();
      const sent = await this.#receive(begin, requests, upload);
      const digest = await this.#renewing(id, upload.finish());
      assertWhole(id, digest, sent);
      const offer = { id, upload: upload.name, digest, peer };
      return await this.#submit({ kind: "offer", ...offer });
    } finally {
      await upload.discard();
    }
  }

  /** Takes the pieces; what the client says that they are together. */
  async #receive(
    { id }: PublishBegin,
    requests: Requests<PublishRequest>,
    upload: Upload,
  ): Promise<Digest> {
    const pieces = new GatheredPieces();
    let request: PublishRequest | undefined;
    while ((request = await next(requests))?.chunk) {
      if (this.#lost) throw this.#lost;
      this.#renew(id);
      for (const piece of pieces.add(request.chunk)) {
        await this.#renewing(id, upload.append(piece));
      }
    }
    const sent = wholeOf(await lastOf(requests, request, id));
    if (this.#lost) throw this.#lost;
    for (const piece of pieces.rest()) {
      await this.#renewing(id, upload.append(piece));
    }
    return sent;
  }

  /** A client must not lose its work because our disk is slow. */
  async #renewing<T>(id: Id, work: Promise<T>): Promise<T> {
    const { heartbeatIntervalMs } = this.#options;
    const timer = setInterval(() => this.#renew(id), heartbeatIntervalMs);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  #renew(id: Id): void {
    // A value may come in pieces of a byte, and a lease is longer than that.
    const nowMs = performance.now();
    const { heartbeatIntervalMs } = this.#options;
    if (nowMs - this.#renewedMs < heartbeatIntervalMs * RENEWED_SHARE) return;
    this.#renewedMs = nowMs;
    const beat = idBy(this.#call, { kind: "heartbeat", id } as const);
    this.#engine.submit(beat, (reply) => {
      if (reply.kind === "error") this.#lost = reply.error;
    });
  }

  /** What is accepted is finished, whether or not anybody listens. */
  async #submit(
    request: Submission & { readonly id: Id },
  ): Promise<Digest> {
    const reply = await this.#engine.ask(idBy(this.#call, request));
    if (reply.kind === "published") return reply.digest;
    throw reply.kind === "error"
      ? reply.error
      : new Error(`unexpected reply ${reply.kind}`);
  }
}

/** The next message; `undefined`: the client has sent all, or has gone. */
async function next(
  requests: Requests<PublishRequest>,
): Promise<PublishRequest | undefined> {
  return (await requests.next()).value;
}

function beginOf(request: PublishRequest | undefined): PublishBegin {
  if (request?.begin) return request.begin;
  throw invalidRequest("the first message has to be Begin");
}

/** The End, if that is what the message is, and nothing follows it. */
async function lastOf(
  requests: Requests<PublishRequest>,
  request: PublishRequest | undefined,
  id: Id,
): Promise<PublishEnd> {
  if (!request) throw withoutEnd(id);
  const { end } = request;
  if (!end) throw invalidRequest("only pieces and an End follow Begin");
  if (await next(requests)) throw invalidRequest("nothing follows End");
  return end;
}
