/**
 * What every cache does for a program, whatever it is made of.
 *
 * @module
 */

import { unlessAborted } from "./backoff.ts";
import type { CallOptions, Entry, FetchRequest } from "./backend.ts";
import { CacheError } from "./cache_error.ts";
import { type Bounds, within } from "./call_signal.ts";
import { type Codec, json, type JsonValue } from "./codecs/mod.ts";
import { keyBytes, type KeyInput } from "./keys.ts";
import { nameOf } from "./memory_tier.ts";
import { isOutage, Outages } from "./outages.ts";
import { SingleFlight } from "./single_flight.ts";
import { decodeError, encodeError, isStoredError } from "./stored_error.ts";
import type { Claim, Held, OnOutage, Origin, Outage, Tier } from "./tier.ts";
import { collect, type OnProgress, type Source, streamOf } from "./transfer.ts";

/** What bounds a call, and who is told of large values on their way. */
export interface TransferOptions extends Bounds {
  /** Told whenever a piece of the value has come or gone. */
  readonly onProgress?: OnProgress | undefined;
}

/** How to read a value. */
export interface GetOptions<T> extends TransferOptions {
  /** What reads the bytes; JSON by default. */
  readonly codec?: Codec<T> | undefined;
  /** Whether to wait while somebody computes it; by default not. */
  readonly wait?: boolean | undefined;
}

/** How to write a value. */
export interface SetOptions<T> extends TransferOptions {
  /** What writes the bytes; JSON by default. */
  readonly codec?: Codec<T> | undefined;
}

/** How to get or compute a value. */
export interface GenerateOptions<T> extends TransferOptions {
  /** What writes and reads the bytes; JSON by default. */
  readonly codec?: Codec<T> | undefined;
  /** Which errors of the computation to keep like values; by default none. */
  readonly cacheErrors?: boolean | ((error: unknown) => boolean) | undefined;
  /** Whether to compute when no server answers; by default so. */
  readonly computeWhenDown?: boolean | undefined;
}

/** A value, and where it came from. */
export interface Generated<T> {
  /** The value. Callers that shared one computation share the object. */
  readonly value: T;
  /** A tier, or `computed`; `uncached`: computed, but not kept by anybody. */
  readonly source: Origin | "computed" | "uncached";
}

/** Computes a value; the signal is aborted when nobody wants it any more. */
export type Compute<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** The calls of {@linkcode Cache} and {@linkcode TieredCache}. */
export abstract class CacheBase implements Tier {
  /** Names what the cache is made of. */
  abstract readonly name: string;
  readonly #outages: Outages;
  readonly #closed = new AbortController();
  readonly #flights = new SingleFlight();

  /** Without a listener, outages are warned of on the console. */
  constructor(onOutage?: OnOutage) {
    this.#outages = new Outages(onOutage);
  }

  /** What {@linkcode CacheBase.claim} asks for, with a key in bytes. */
  abstract ask(request: FetchRequest, options: CallOptions): Promise<Claim>;
  /** Closes what the cache is made of. */
  protected abstract closeTiers(): Promise<void>;

  /** Says that a call goes on without a tier. */
  protected report(outage: Outage): void {
    this.#outages.report(outage);
  }

  /**
   * The value of a key: from the cache, or computed, and then kept for everyone.
   *
   * Of all who ask for it at once, on all machines, one computes and the others
   * wait. What `compute` throws is thrown here, and the next who asks computes
   * again. When no server answers, it is computed here, and nothing is kept.
   *
   * @param namespace Identifiers with dots between them, such as `sim.ring_osc`.
   * @param key All that the value depends on.
   * @param compute Computes the value.
   * @param options The codec, bounds, and what to do with errors.
   * @throws {CacheError} `deadline`, `closed`, or `invalid`: the namespace is none.
   */
  async generate<T = JsonValue>(
    namespace: string,
    key: KeyInput,
    compute: Compute<T>,
    options: GenerateOptions<T> = {},
  ): Promise<T> {
    const { value } = await this.generateDetailed(
      namespace,
      key,
      compute,
      options,
    );
    return value;
  }

  /** The same, and says where the value came from. */
  async generateDetailed<T = JsonValue>(
    namespace: string,
    key: KeyInput,
    compute: Compute<T>,
    options: GenerateOptions<T> = {},
  ): Promise<Generated<T>> {
    const codec = options.codec ?? json<T>();
    const entry = { namespace, key: keyBytes(key) };
    const flight = `${codec.name} ${nameOf(entry)}`;
    return await within(
      options,
      this.#closed.signal,
      (signal) =>
        this.#flights.run(flight, signal, async (signal) => {
          const claim = await this.#askToCompute(
            entry,
            signal,
            options.computeWhenDown,
          );
          const how = { compute, codec, options, signal };
          if (claim.kind === "assigned") {
            return await this.#computeHeld(entry, claim.held, how);
          }
          if (claim.kind === "ready") {
            const value = await this.#whole(entry, claim, options);
            if (value) {
              return { value: read(value, codec), source: claim.origin };
            }
          }
          const value = await unlessAborted(started(compute, signal), signal);
          return { value, source: "uncached" };
        }),
    );
  }

  /**
   * The value of a key, if the cache has it. `undefined` as well when no server
   * answers.
   *
   * @throws {StoredError} What is kept is an error.
   */
  async get<T = JsonValue>(
    namespace: string,
    key: KeyInput,
    options: GetOptions<T> = {},
  ): Promise<T | undefined> {
    const entry = { namespace, key: keyBytes(key) };
    return await within(options, this.#closed.signal, async (signal) => {
      const claim = await this.#askToRead(entry, options, signal);
      if (claim?.kind !== "ready") return undefined;
      const value = await this.#whole(entry, claim, options);
      if (!value) return undefined;
      return read(value, options.codec ?? json<T>());
    });
  }

  /**
   * Keeps a value that was computed elsewhere.
   *
   * @returns Whether it was kept: a value that is there already stays.
   */
  async set<T = JsonValue>(
    namespace: string,
    key: KeyInput,
    value: T,
    options: SetOptions<T> = {},
  ): Promise<boolean> {
    const { source } = await this.generateDetailed(
      namespace,
      key,
      () => value,
      options,
    );
    return source === "computed";
  }

  /**
   * A large value as a stream of bytes, if the cache has it. Read it to its
   * end, or cancel it.
   *
   * @throws {StoredError} From the stream: what is kept is an error.
   */
  async getStream(
    namespace: string,
    key: KeyInput,
    options: TransferOptions & { readonly wait?: boolean } = {},
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const entry = { namespace, key: keyBytes(key) };
    return await within(options, this.#closed.signal, async (signal) => {
      const claim = await this.#askToRead(entry, options, signal);
      if (claim?.kind !== "ready") return undefined;
      return streamOf(claim.body, options.onProgress);
    });
  }

  /**
   * Keeps a large value that comes as a stream.
   *
   * @returns Whether it was kept: a value that is there already stays, and the
   * stream is not read.
   */
  async setStream(
    namespace: string,
    key: KeyInput,
    value: Source,
    options: TransferOptions = {},
  ): Promise<boolean> {
    const entry = { namespace, key: keyBytes(key) };
    return await within(options, this.#closed.signal, async (signal) => {
      const claim = await this.#askToCompute(entry, signal);
      if (claim.kind === "ready") await claim.body.release();
      if (claim.kind !== "assigned") return false;
      return await this.#publish(entry, claim.held, value, options);
    });
  }

  /**
   * A large value as a stream: from the cache, or produced, kept, and then read
   * from there.
   *
   * @param namespace As for {@linkcode CacheBase.generate}.
   * @param key All that the value depends on.
   * @param produce Begins the value. Called again when what was kept is gone
   * before it could be read.
   * @param options Bounds, and who is told of progress.
   */
  async generateStream(
    namespace: string,
    key: KeyInput,
    produce: Compute<Source>,
    options: TransferOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const kept = await this.getStream(namespace, key, options);
    if (kept) return kept;
    const entry = { namespace, key: keyBytes(key) };
    return await within(options, this.#closed.signal, async (signal) => {
      const { onProgress } = options;
      const claim = await this.#askToCompute(entry, signal);
      if (claim.kind === "ready") return streamOf(claim.body, onProgress);
      if (claim.kind === "assigned") {
        const value = await this.#orAbandon(
          claim.held,
          unlessAborted(started(produce, signal), signal),
        );
        await this.#publish(entry, claim.held, value, options);
        const again = await this.#askToRead(entry, {}, signal);
        if (again?.kind === "ready") return streamOf(again.body, onProgress);
      }
      return asStream(await unlessAborted(started(produce, signal), signal));
    });
  }

  /**
   * Asks for an entry, and leaves all the rest to the program: the work that is
   * `held` sends its heartbeats until it is published or abandoned.
   *
   * @throws {CacheError} `unavailable` when no server answers.
   */
  async claim(
    namespace: string,
    key: KeyInput,
    options: Bounds & { readonly wait?: boolean } = {},
  ): Promise<Claim> {
    const request = {
      namespace,
      key: keyBytes(key),
      assign: true,
      wait: options.wait ?? true,
    };
    return await within(
      options,
      this.#closed.signal,
      (signal) => this.ask(request, { signal }),
    );
  }

  /** Gives work back, stops heartbeats, and ends connections and waiting calls. */
  async close(): Promise<void> {
    this.#closed.abort(new CacheError("closed", "the cache is closed"));
    await this.closeTiers();
  }

  /** The same as {@linkcode CacheBase.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Asks for the value or the work; an outage is `unassigned`, and said. */
  async #askToCompute(
    entry: Entry,
    signal: AbortSignal,
    computeWhenDown = true,
  ): Promise<Claim> {
    try {
      const request = { ...entry, assign: true, wait: true };
      return await this.ask(request, { signal });
    } catch (error) {
      if (!computeWhenDown || !this.#isOutage(error, entry, signal)) {
        throw error;
      }
      return { kind: "unassigned", reason: "no server answers" };
    }
  }

  async #askToRead(
    entry: Entry,
    { wait = false }: { readonly wait?: boolean | undefined },
    signal: AbortSignal,
  ): Promise<Claim | undefined> {
    try {
      return await this.ask({ ...entry, assign: false, wait }, { signal });
    } catch (error) {
      if (!this.#isOutage(error, entry, signal)) throw error;
      return undefined;
    }
  }

  /** The bytes, unless the server went away in the middle of them. */
  async #whole(
    entry: Entry,
    { body, keep }: Extract<Claim, { kind: "ready" }>,
    { onProgress, signal }: TransferOptions,
  ): Promise<Uint8Array | undefined> {
    try {
      const value = await collect(body, onProgress);
      await keep?.(value);
      return value;
    } catch (error) {
      if (!this.#isOutage(error, entry, signal)) throw error;
      return undefined;
    }
  }

  async #computeHeld<T>(
    entry: Entry,
    held: Held,
    { compute, codec, options, signal }: {
      readonly compute: Compute<T>;
      readonly codec: Codec<T>;
      readonly options: GenerateOptions<T>;
      readonly signal: AbortSignal;
    },
  ): Promise<Generated<T>> {
    let value: T;
    try {
      value = await unlessAborted(started(compute, signal), signal);
    } catch (error) {
      const { cacheErrors = false } = options;
      const isKept = !signal.aborted &&
        (typeof cacheErrors === "boolean" ? cacheErrors : cacheErrors(error));
      if (isKept) await this.#publish(entry, held, encodeError(error), options);
      else await held.abandon("the computation failed");
      throw error;
    }
    const bytes = await this.#orAbandon(
      held,
      started(() => codec.encode(value)),
    );
    const isKept = await this.#publish(entry, held, bytes, options);
    return { value, source: isKept ? "computed" : "uncached" };
  }

  /** Publishes; says so when that fails, for the value is there all the same. */
  async #publish(
    entry: Entry,
    held: Held,
    value: Source,
    { onProgress }: TransferOptions,
  ): Promise<boolean> {
    try {
      await held.publish(value, { onProgress });
      return true;
    } catch (error) {
      if (!this.#isOutage(error, entry)) throw error;
      return false;
    }
  }

  async #orAbandon<T>(held: Held, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      await held.abandon("the computation failed");
      throw error;
    }
  }

  /** Whether to go on without the cache after an error; says so. */
  #isOutage(
    error: unknown,
    { namespace }: Entry,
    signal?: AbortSignal,
  ): boolean {
    if (signal?.aborted || !isOutage(error)) return false;
    this.report({ tier: this.name, error, namespace });
    return true;
  }
}

/** Runs a function; what it throws at once is a rejection too. */
async function started<T>(
  run: Compute<T>,
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  return await run(signal);
}

function read<T>(bytes: Uint8Array, codec: Codec<T>): T {
  if (isStoredError(bytes)) throw decodeError(bytes);
  return codec.decode(bytes);
}

function asStream(source: Source): ReadableStream<Uint8Array> {
  if (source instanceof ReadableStream) return source;
  return ReadableStream.from(
    source instanceof Uint8Array ? [source] : source,
  );
}
