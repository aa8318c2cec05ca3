/**
 * `larder.v1.Cache.Fetch`: get, assign or wait in one call.
 *
 * @module
 */

import type { Right } from "../access/caller.ts";
import type { Grant } from "../engine/admission.ts";
import type { Engine, Notice } from "../engine/engine.ts";
import { entryKey } from "../engine/entry_key.ts";
import { MemoryBudget } from "../engine/memory_budget.ts";
import type { HandleReply, Range } from "../engine/pieces.ts";
import { invalidRequest, LarderError } from "../errors.ts";
import type { Call, Sender, ServerStreamingHandler } from "../grpc/call.ts";
import { release } from "../grpc/release.ts";
import { exhausted } from "../grpc/retry_info.ts";
import {
  FIRST_MESSAGE_BYTES,
  HOLDING_RETRY_MS,
  MAX_AGE_MS,
  MAX_OPEN_KEYS_BYTES,
  UNCOUNTED_KEY_BYTES,
} from "../limits.ts";
import type {
  Assignment,
  Digest,
  EntryKey,
  Reply,
  Times,
} from "../table/types.ts";
import { type CacheServiceOptions, localPaths } from "./cache_options.ts";
import type { FetchReply, FetchRequest } from "./cache_wire.ts";
import { demand, idBy, may, who } from "./rights.ts";
import { toStatusError } from "./status.ts";

/** Why a client has to compute for itself, for people. */
const REASONS: Record<string, string> = {
  "full": "the server holds as much work, or as many handles, as it can",
  "no-room": "there is no room, and none can be made at once",
  "still-read": "its time to live is over, and its file is still being read",
  "stopping": "the server is stopping",
  "failed": "the server cannot look the entry up or keep it now",
};

/** Makes the handler. */
export function fetch(
  engine: Engine,
  options: CacheServiceOptions,
): ServerStreamingHandler<FetchRequest, FetchReply> {
  const keys = new MemoryBudget({
    totalBytes: MAX_OPEN_KEYS_BYTES,
    connectionBytes: MAX_OPEN_KEYS_BYTES / 8,
  });
  return async (request, call, sender) => {
    try {
      demand(call, "read", request.namespace);
      if (request.path) localPaths(options);
      const entry = entryKey(request.namespace, request.key);
      // The entry has a copy, and the call may wait for long.
      release(request.key);
      holdKey(keys, call, entry.key.length);
      const asked = { request, entry, call, sender };
      await new Fetching(engine, options, asked).run();
    } catch (error) {
      throw toStatusError(error);
    }
  };
}

/** A call keeps its key for as long as it waits; long ones are counted. */
function holdKey(keys: MemoryBudget, call: Call, bytes: number): void {
  if (bytes <= UNCOUNTED_KEY_BYTES || call.hasEnded) return;
  const grant = keys.takeNow(call.connection, bytes);
  if (grant) return call.whenEnded(() => grant.release());
  const message = "too many calls wait for entries with long keys: try again " +
    "later, or use a hash as the key";
  throw new LarderError("overloaded", message);
}

/** What one call is about. */
interface Asked {
  readonly request: FetchRequest;
  readonly entry: EntryKey;
  readonly call: Call;
  readonly sender: Sender<FetchReply>;
}

/** One call. */
class Fetching {
  readonly #engine: Engine;
  readonly #options: CacheServiceOptions;
  readonly #asked: Asked;
  /** Who has the work now, when the client is still to hear of who had it. */
  #untold: Notice | undefined;
  #isTelling = false;

  constructor(engine: Engine, options: CacheServiceOptions, asked: Asked) {
    this.#engine = engine;
    this.#options = options;
    this.#asked = asked;
  }

  /** Resolves when the client has been told all, or has gone. */
  run(): Promise<void> {
    const { call, request, entry } = this.#asked;
    const { assign, fromDisk, length, wait } = request;
    const ttlMs = ttlOf(request);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isAnswered = false;
    let isToldEnough = false;
    const fail = (error: unknown) => {
      if (!isAnswered) this.#engine.cancel(ticket);
      reject(error);
    };
    const ticket = this.#engine.submit(
      {
        kind: "get",
        api: request.path ? "local" : "stream",
        entry,
        ...who(call, { entry, assign }),
        patient: true,
        ...(fromDisk ? { fromDisk } : {}),
        ...(length === "0" ? {} : { looks: true }),
        ...(ttlMs === undefined ? {} : { ttlMs }),
        peer: call,
      },
      (reply, grant) => {
        isAnswered = true;
        this.#untold = undefined;
        this.#answer(reply, grant).then(resolve, reject);
      },
      call.connection,
      (notice) => {
        const told = notice.stopping && !wait
          ? this.#answer({ kind: "unassigned", reason: "stopping" }, undefined)
          : this.#tell(notice);
        if (wait) return void told.catch(fail);
        isToldEnough = true;
        told.then(resolve, reject);
      },
    );
    // The notice may have come before there was a ticket.
    if (isToldEnough) this.#engine.cancel(ticket);
    call.whenEnded(() => {
      if (isAnswered) return;
      this.#engine.cancel(ticket);
      resolve();
    });
    return promise;
  }

  /** One at a time: holders may change faster than the client reads of it. */
  async #tell(notice: Notice): Promise<void> {
    this.#untold = notice;
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#untold) {
      const { call, entry } = this.#asked;
      this.#demandStill("read");
      // Who has the work is for those who look after it.
      const { peer: _, ...others } = this.#untold;
      const isShown = may(call, "admin", entry.namespace);
      const message = { waiting: waiting(isShown ? this.#untold : others) };
      this.#untold = undefined;
      await this.#asked.sender.send(message);
    }
    this.#isTelling = false;
  }

  async #answer(reply: Reply, grant: Grant | undefined): Promise<void> {
    const { sender } = this.#asked;
    switch (reply.kind) {
      case "assigned":
        return await this.#assign(reply.assignment);
      case "unassigned": {
        this.#demandStill("read");
        if (isOver(reply)) throw exhausted(reply.detail, HOLDING_RETRY_MS);
        const why = REASONS[reply.reason ?? ""] ?? this.#absent;
        const reason = reply.detail ? `${why}: ${reply.detail}` : why;
        return void await sender.send({ unassigned: { reason } });
      }
      case "value":
        try {
          this.#demandStill("read");
          return await this.#sendValue(reply);
        } finally {
          grant?.release();
        }
      case "handle":
        return await this.#sendFile(reply);
      case "error":
        throw reply.error;
      default:
        throw new LarderError("overloaded", "the server is busy: try again");
    }
  }

  async #assign({ id, staging }: Assignment): Promise<void> {
    const { heartbeatIntervalMs } = this.#options;
    const path = staging === undefined
      ? {}
      : { path: localPaths(this.#options).stagingPath(staging) };
    const assigned = { id, heartbeatIntervalMs, ...path };
    const { call } = this.#asked;
    let isSent = false;
    try {
      this.#demandStill("write");
      isSent = await this.#asked.sender.send({ assigned });
    } finally {
      // Whoever waits need not sit out the lease of one who never heard of it.
      const abandon = idBy(call, { kind: "abandon", id } as const);
      if (!isSent) this.#engine.submit(abandon, () => {});
    }
  }

  /** A call may have waited for hours, and its rights have gone meanwhile. */
  #demandStill(right: Right): void {
    const { call, entry } = this.#asked;
    demand(call, right, entry.namespace);
  }

  async #sendValue(
    { value, digest, times }: Reply & { kind: "value" },
  ): Promise<void> {
    const { sender, request } = this.#asked;
    if (!digest) throw new Error("a value without its digest");
    const told = ready(digest, times);
    const { offset, length } = rangeOf(request, value.length);
    const isWhole = length === value.length && !request.head;
    if (isWhole && length <= FIRST_MESSAGE_BYTES) {
      return void await sender.send({ ready: { ...told, value } });
    }
    const sent = sender.send({ ready: told });
    // At most one piece: larger values come as handles.
    const chunk = value.subarray(offset, offset + length);
    await (request.head || length === 0 ? sent : sender.send({ chunk }));
  }

  async #sendFile(handle: HandleReply): Promise<void> {
    const { request, sender, call } = this.#asked;
    const isGiven = request.path && !request.head;
    let isKept = false;
    try {
      this.#demandStill("read");
      if (!isGiven) await this.#sendPieces(handle);
      else isKept = await sender.send({ ready: this.#readyFile(handle) });
    } finally {
      const drop = idBy(call, { kind: "drop", id: handle.id } as const);
      if (!isKept) this.#engine.submit(drop, () => {});
    }
  }

  /** Why there is nothing, where the server has no trouble. */
  get #absent(): string {
    const { call, request, entry } = this.#asked;
    return request.assign && !may(call, "write", entry.namespace)
      ? "there is no such entry, and this caller may not publish one"
      : "there is no such entry";
  }

  #readyFile({ id, name, digest, times }: HandleReply): Ready {
    const path = localPaths(this.#options).path(name);
    return { ...ready(digest, times), handle: id, path };
  }

  async #sendPieces(handle: HandleReply): Promise<void> {
    const { request, entry, call, sender } = this.#asked;
    const sent = sender.send({ ready: ready(handle.digest, handle.times) });
    const range = rangeOf(request, handle.digest.size);
    if (request.head || range.length === 0) return void await sent;
    const { connection: owner, signal } = call;
    const pieces = this.#options.pieces.read(entry, handle, {
      range,
      owner,
      signal,
    });
    try {
      for await (const chunk of pieces) {
        if (!await sender.send({ chunk })) return;
      }
    } catch (error) {
      // Nobody waits for the memory any more.
      if (!call.hasEnded) throw error;
    }
  }
}

/** Whether somebody has as much of something as they may. */
function isOver(
  reply: Reply & { kind: "unassigned" },
): reply is typeof reply & { readonly detail: string } {
  return reply.reason === "caller-assignments" ||
    reply.reason === "caller-handles";
}

type Ready = Extract<FetchReply, { ready: unknown }>["ready"];

function ready(
  { size, sha256 }: Digest,
  { computedMs, ttlMs }: Times = {},
): Ready {
  return {
    size,
    sha256: Uint8Array.fromHex(sha256),
    ...(computedMs !== undefined && { computedMs: Math.round(computedMs) }),
    // 0 would say that it has no end.
    ...(ttlMs !== undefined && { ttlMs: Math.max(1, Math.floor(ttlMs)) }),
  };
}

/** For how long a value is to be kept; absent: for ever. */
function ttlOf(request: FetchRequest): number | undefined {
  const ttlMs = Number(request.ttlMs);
  if (ttlMs <= MAX_AGE_MS) return ttlMs === 0 ? undefined : ttlMs;
  throw invalidRequest(
    `ttl_ms is ${MAX_AGE_MS} at most, ten years; 0 keeps a value for ever`,
  );
}

function waiting({ peer = "", computedMs }: Notice): {
  holder: string;
  computingMs: number;
} {
  return { holder: peer, computingMs: Math.max(0, Math.round(computedMs)) };
}

/** What of a value is asked for: a range beyond the end is cut off there. */
function rangeOf({ offset, length }: FetchRequest, size: number): Range {
  // Both may be larger than any number that JavaScript takes for exact.
  const from = Math.min(Number(offset), size);
  const most = Number(length) || Infinity;
  return { offset: from, length: Math.min(most, size - from) };
}
