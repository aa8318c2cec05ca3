/**
 * `larder.v1.Cache.Fetch`: get, assign or wait in one call.
 *
 * @module
 */

import type { handleServerStreamingCall } from "@grpc/grpc-js";
import type { Grant } from "../engine/admission.ts";
import type { Engine, Notice, Submission } from "../engine/engine.ts";
import { entryKey } from "../engine/entry_key.ts";
import { MemoryBudget } from "../engine/memory_budget.ts";
import type { HandleReply, Range } from "../engine/pieces.ts";
import { LarderError } from "../errors.ts";
import { MAX_OPEN_KEYS_BYTES, UNCOUNTED_KEY_BYTES } from "../limits.ts";
import type { Assignment, EntryKey, Reply } from "../table/types.ts";
import { type CacheServiceOptions, localPaths } from "./cache_options.ts";
import type { FetchReply, FetchRequest } from "./cache_wire.ts";
import { StreamWriter } from "./stream_writer.ts";
import { Malformed } from "./strict_wire.ts";
import { connectionOf } from "./transport/mod.ts";

/** Why a client has to compute for itself, for people. */
const REASONS: Record<string, string> = {
  "full": "the server holds as much work, or as many handles, as it can",
  "no-room": "a quota or the disk is full",
  "stopping": "the server is stopping",
  "failed": "the server cannot look the entry up or keep it now",
};

/** Makes the handler. */
export function fetch(
  engine: Engine,
  options: CacheServiceOptions,
): handleServerStreamingCall<FetchRequest | Malformed, FetchReply> {
  const keys = new MemoryBudget({
    totalBytes: MAX_OPEN_KEYS_BYTES,
    connectionBytes: MAX_OPEN_KEYS_BYTES / 8,
  });
  return (call) => {
    const writer = new StreamWriter(call);
    const { request } = call;
    try {
      if (request instanceof Malformed) throw request.error;
      if (request.path) localPaths(options);
      const { namespace, key, assign, fromDisk } = request;
      const get: Submission & { kind: "get" } = {
        kind: "get",
        api: request.path ? "local" : "stream",
        entry: entryKey(namespace, key),
        assign,
        patient: true,
        ...(fromDisk ? { fromDisk } : {}),
        peer: call,
      };
      const owner = connectionOf(call) ?? call;
      holdKey(keys, owner, { bytes: key.length, ended: writer.ended });
      const fetching = new Fetching(engine, options, {
        request,
        entry: get.entry,
        owner,
        writer,
      });
      fetching.start(get);
    } catch (error) {
      writer.fail(error);
    }
  };
}

/** A call keeps its key for as long as it waits; long ones are counted. */
function holdKey(
  keys: MemoryBudget,
  owner: object,
  { bytes, ended }: { readonly bytes: number; readonly ended: AbortSignal },
): void {
  if (bytes <= UNCOUNTED_KEY_BYTES || ended.aborted) return;
  const grant = keys.takeNow(owner, bytes);
  if (grant) {
    return ended.addEventListener("abort", () => grant.release(), {
      once: true,
    });
  }
  const message = "too many calls wait for entries with long keys: try again " +
    "later, or use a hash as the key";
  throw new LarderError("overloaded", message);
}

/** What one call is about. */
interface Call {
  readonly request: FetchRequest;
  readonly entry: EntryKey;
  readonly owner: object;
  readonly writer: StreamWriter<FetchReply>;
}

/** One call. */
class Fetching {
  readonly #engine: Engine;
  readonly #options: CacheServiceOptions;
  readonly #call: Call;
  /** Who has the work now, when the client is still to hear of who had it. */
  #untold: Notice | undefined;
  #isTelling = false;

  constructor(engine: Engine, options: CacheServiceOptions, call: Call) {
    this.#engine = engine;
    this.#options = options;
    this.#call = call;
  }

  start(get: Submission): void {
    const { owner, writer, request } = this.#call;
    let isToldEnough = false;
    const ticket = this.#engine.submit(
      get,
      (reply, grant) => {
        this.#untold = undefined;
        this.#answer(reply, grant).then(
          () => writer.end(),
          (error) => writer.fail(error),
        );
      },
      owner,
      (notice) => {
        void this.#tell(notice);
        if (request.wait) return;
        isToldEnough = true;
        writer.end();
      },
    );
    // The notice may have come before there was a ticket.
    if (isToldEnough) return this.#engine.cancel(ticket);
    const cancel = () => this.#engine.cancel(ticket);
    // After an answer the engine knows the ticket no more.
    if (writer.ended.aborted) cancel();
    else writer.ended.addEventListener("abort", cancel, { once: true });
  }

  /** One at a time: holders may change faster than the client reads of it. */
  async #tell(notice: Notice): Promise<void> {
    this.#untold = notice;
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#untold) {
      const message = { waiting: waiting(this.#untold) };
      this.#untold = undefined;
      await this.#call.writer.write(message);
    }
    this.#isTelling = false;
  }

  async #answer(reply: Reply, grant: Grant | undefined): Promise<void> {
    const { writer } = this.#call;
    switch (reply.kind) {
      case "assigned":
        return await this.#assign(reply.assignment);
      case "unassigned": {
        const reason = REASONS[reply.reason ?? ""] ?? "there is no such entry";
        return void writer.write({ unassigned: { reason } });
      }
      case "value":
        try {
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
    const isSent = await this.#call.writer.write({ assigned });
    // Whoever waits need not sit out the lease of one who never heard of it.
    if (!isSent) this.#engine.submit({ kind: "abandon", id }, () => {});
  }

  async #sendValue(
    { value, digest }: Reply & { kind: "value" },
  ): Promise<void> {
    const { writer, request } = this.#call;
    if (!digest) throw new Error("a value without its digest");
    const sent = writer.write({ ready: ready(digest) });
    const { offset, length } = rangeOf(request, value.length);
    // At most one piece: larger values come as handles.
    const chunk = value.subarray(offset, offset + length);
    await (request.head || length === 0 ? sent : writer.write({ chunk }));
  }

  async #sendFile(handle: HandleReply): Promise<void> {
    const { request, writer } = this.#call;
    const isGiven = request.path && !request.head;
    let isKept = false;
    try {
      if (!isGiven) await this.#sendPieces(handle);
      else isKept = await writer.write({ ready: this.#readyFile(handle) });
    } finally {
      const drop = { kind: "drop", id: handle.id } as const;
      if (!isKept) this.#engine.submit(drop, () => {});
    }
  }

  #readyFile({ id, name, digest }: HandleReply): Ready {
    const path = localPaths(this.#options).path(name);
    return { ...ready(digest), handle: id, path };
  }

  async #sendPieces(handle: HandleReply): Promise<void> {
    const { request, entry, owner, writer } = this.#call;
    const sent = writer.write({ ready: ready(handle.digest) });
    const range = rangeOf(request, handle.digest.size);
    if (request.head || range.length === 0) return void await sent;
    const signal = writer.ended;
    const pieces = this.#options.pieces.read(entry, handle, {
      range,
      owner,
      signal,
    });
    try {
      for await (const chunk of pieces) {
        if (!await writer.write({ chunk })) return;
      }
    } catch (error) {
      // Nobody waits for the memory any more.
      if (!signal.aborted) throw error;
    }
  }
}

type Ready = Extract<FetchReply, { ready: unknown }>["ready"];

function ready({ size, sha256 }: { size: number; sha256: string }): Ready {
  return { size, sha256: Uint8Array.fromHex(sha256) };
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
