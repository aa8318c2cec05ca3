/**
 * `larder.v1.Cache.Publish`: a value of any size, in pieces.
 *
 * @module
 */

import type { handleClientStreamingCall } from "@grpc/grpc-js";
import type { Engine, Submission } from "../engine/engine.ts";
import type { Upload } from "../engine/uploads.ts";
import { invalidRequest, LarderError } from "../errors.ts";
import type { Digest, Id } from "../table/types.ts";
import { type CacheServiceOptions, localPaths } from "./cache_options.ts";
import type {
  PublishBegin,
  PublishReply,
  PublishRequest,
} from "./cache_wire.ts";
import { GatheredPieces } from "./gathered_pieces.ts";
import { toGrpcError } from "./status.ts";
import { Malformed } from "./strict_wire.ts";
import { connectionOf, readOneByOne } from "./transport/mod.ts";

/** A SHA-256 in bytes. */
const DIGEST_BYTES = 32;

/** Pieces renew the lease once in this share of a heartbeat's interval. */
const RENEWED_SHARE = 1 / 8;

type Requests = AsyncIterator<PublishRequest | Malformed>;

/** Makes the handler. */
export function publish(
  engine: Engine,
  options: CacheServiceOptions,
): handleClientStreamingCall<PublishRequest | Malformed, PublishReply> {
  return (call, callback) => {
    const owner = connectionOf(call) ?? call;
    const caller = { owner, hasGone: () => call.cancelled };
    const publishing = new Publishing(engine, options, caller);
    publishing.run(readOneByOne(call)).then(
      ({ size, sha256 }) =>
        callback(null, { size, sha256: Uint8Array.fromHex(sha256) }),
      // Of a caller who has gone grpc-js drops whatever we say.
      (error) => callback(toGrpcError(error)),
    );
  };
}

/** Whose value it is. */
interface Caller {
  /** Shares memory fairly with others. */
  readonly owner: object;
  /** Whether the call was cancelled. */
  readonly hasGone: () => boolean;
}

/** One call. */
class Publishing {
  readonly #engine: Engine;
  readonly #options: CacheServiceOptions;
  readonly #caller: Caller;
  /** Why the id is no longer its client's. */
  #lost: LarderError | undefined;
  #renewedMs = -Infinity;

  constructor(engine: Engine, options: CacheServiceOptions, caller: Caller) {
    this.#engine = engine;
    this.#options = options;
    this.#caller = caller;
  }

  async run(requests: Requests): Promise<Digest> {
    const begin = beginOf(await next(requests));
    const { id, sha256 } = begin;
    // Before a byte is taken of a value that is nobody's.
    const reply = await this.#engine.ask({ kind: "heartbeat", id });
    if (reply.kind === "error") throw reply.error;
    if (begin.path) {
      localPaths(this.#options);
      if (await next(requests)) throw invalidRequest("no pieces follow a path");
      return await this.#submit({ kind: "done", id, patient: true });
    }
    const upload = this.#options.uploads.begin(this.#caller.owner);
    try {
      const digest = await this.#receive(begin, requests, upload);
      // Some clients end a stream and only then reset it when they give up: what
      // has come is whole to all appearance, and cut short.
      if (this.#caller.hasGone()) throw invalidRequest("it broke off");
      const expected = sha256.length > 0 ? hexOf(sha256) : digest.sha256;
      if (expected !== digest.sha256) throw wrongDigest(id);
      const { name } = upload;
      return await this.#submit({ kind: "offer", id, upload: name, digest });
    } finally {
      await upload.discard();
    }
  }

  async #receive(
    { id }: PublishBegin,
    requests: Requests,
    upload: Upload,
  ): Promise<Digest> {
    const pieces = new GatheredPieces();
    for (;;) {
      const request = await next(requests);
      if (this.#lost) throw this.#lost;
      if (!request) break;
      if (!request.chunk) {
        throw invalidRequest("Begin is followed by pieces only");
      }
      this.#renew(id);
      for (const piece of pieces.add(request.chunk)) {
        await this.#renewing(id, upload.append(piece));
      }
    }
    for (const piece of pieces.rest()) {
      await this.#renewing(id, upload.append(piece));
    }
    return await this.#renewing(id, upload.finish());
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
    this.#engine.submit({ kind: "heartbeat", id }, (reply) => {
      if (reply.kind === "error") this.#lost = reply.error;
    });
  }

  /** What is accepted is finished, whether or not anybody listens. */
  async #submit(request: Submission): Promise<Digest> {
    const reply = await this.#engine.ask(request);
    if (reply.kind === "published") return reply.digest;
    throw reply.kind === "error"
      ? reply.error
      : new Error(`unexpected reply ${reply.kind}`);
  }
}

/** The next message; `undefined`: the client has sent all. */
async function next(requests: Requests): Promise<PublishRequest | undefined> {
  const { done, value } = await requests.next();
  if (done) return undefined;
  if (value instanceof Malformed) throw value.error;
  return value;
}

function beginOf(request: PublishRequest | undefined): PublishBegin {
  if (!request?.begin) {
    throw invalidRequest("the first message has to be Begin");
  }
  const { begin } = request;
  if (begin.sha256.length === 0) return begin;
  if (begin.path) throw invalidRequest("the digest of a path is not checked");
  if (begin.sha256.length === DIGEST_BYTES) return begin;
  throw invalidRequest(`a SHA-256 has ${DIGEST_BYTES} bytes`);
}

function hexOf(bytes: Uint8Array): string {
  return new Uint8Array(bytes).toHex();
}

function wrongDigest(id: Id): LarderError {
  const message = `Cannot publish assignment ${id}: the bytes that came are ` +
    "not those of the digest; it is still yours, publish it again";
  return new LarderError("wrong-digest", message);
}
