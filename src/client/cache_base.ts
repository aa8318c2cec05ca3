/**
 * What every cache does for a program, whatever it is made of.
 *
 * @module
 */

import type { CallOptions, Entry, FetchRequest } from "./backend.ts";
import { CacheError } from "./cache_error.ts";
import {
  CALL_OPTIONS,
  type ClaimOptions,
  type Compute,
  type Generated,
  type GenerateOptions,
  type GetOptions,
  type ProduceOptions,
  type SetOptions,
  type TransferOptions,
  type WriteOptions,
} from "./call_options.ts";
import { within } from "./call_signal.ts";
import { CatalogBase } from "./catalog_base.ts";
import { callable, checkOptions } from "./checked_options.ts";
import { asBytes } from "./codecs/codec.ts";
import { json, type JsonValue } from "./codecs/mod.ts";
import { found } from "./computing.ts";
import { valueOf } from "./kept.ts";
import { entryOf } from "./entries.ts";
import type { KeyInput } from "./keys.ts";
import { LenientTier } from "./lenient_tier.ts";
import { LinkedSignal } from "./linked_signal.ts";
import { nameOf } from "./memory_catalog.ts";
import { Outages } from "./outages.ts";
import { SingleFlight } from "./single_flight.ts";
import {
  keepStream,
  producedStream,
  readStream,
  type Streaming,
} from "./streaming.ts";
import type { Claim, OnOutage, Outage, Tier } from "./tier.ts";
import { checkSource, type Source } from "./transfer.ts";

/** The calls of {@linkcode Cache} and {@linkcode TieredCache}. */
export abstract class CacheBase extends CatalogBase implements Tier {
  readonly #outages: Outages;
  readonly #lenient: LenientTier;
  readonly #flights = new SingleFlight();
  /**
   * The same for the calls, which listen for a short while: one of a runtime looks
   * through all of its listeners for each that comes or goes.
   */
  readonly #closed = new LinkedSignal(this.closing.signal);

  /** Without a listener, outages are warned of on the console. */
  constructor(onOutage?: OnOutage) {
    super();
    this.#outages = new Outages(onOutage);
    this.#lenient = new LenientTier(this, this.#outages);
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
   * What is kept and cannot be read, by this codec, is computed and kept anew.
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
    checkOptions(options, CALL_OPTIONS);
    callable("compute", compute);
    const codec = options.codec ?? json<T>();
    const { computeWhenDown = true } = options;
    const entry = entryOf(namespace, key);
    // Who shares a computation shares what happens when no server answers.
    const { ttlMs = "" } = options;
    const flight = `${codec.name} ${computeWhenDown} ${ttlMs} ${nameOf(entry)}`;
    return await within(
      options,
      this.#closed,
      (signal) =>
        this.#flights.run(
          flight,
          signal,
          (signal) =>
            found({ entry, compute, codec, options, signal }, this.#lenient),
        ),
    );
  }

  /**
   * The value of a key, if the cache has it. `undefined` as well when no server
   * answers.
   *
   * @throws {StoredError} What is kept is an error.
   * @throws {CodecError} What is kept cannot be read by this codec.
   */
  async get<T = JsonValue>(
    namespace: string,
    key: KeyInput,
    options: GetOptions<T> = {},
  ): Promise<T | undefined> {
    checkOptions(options, CALL_OPTIONS);
    const entry = entryOf(namespace, key);
    return await within(options, this.#closed, async (signal) => {
      const claim = await this.#lenient.askToRead(entry, options, signal);
      if (claim?.kind !== "ready") return undefined;
      const kept = await this.#lenient.whole(entry, claim, options, signal);
      return kept && valueOf(kept);
    });
  }

  /**
   * Keeps a value that was computed elsewhere.
   *
   * @returns Whether it was kept: a value that is there already stays, unless
   * `overwrite` says otherwise.
   * @throws {CacheError} As for {@linkcode CacheBase.setStream}.
   */
  async set<T = JsonValue>(
    namespace: string,
    key: KeyInput,
    value: T,
    options: SetOptions<T> = {},
  ): Promise<boolean> {
    checkOptions(options, CALL_OPTIONS);
    const { codec = json<T>() } = options;
    const bytes = asBytes(codec.name, codec.encode(value));
    return await this.setStream(namespace, key, bytes, options);
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
    checkOptions(options, CALL_OPTIONS);
    const entry = entryOf(namespace, key);
    return await within(options, this.#closed, async (signal) => {
      return await readStream(this.#streaming(entry, options, signal));
    });
  }

  /**
   * Keeps a large value that comes as a stream.
   *
   * @returns Whether it was kept: a value that is there already stays, unless
   * `overwrite` says otherwise, and the stream is not read.
   * @throws {CacheError} With `overwrite`: `in-use`, the value that is there is
   * being read; `unimplemented`, the server is an original.
   * @throws {TypeError} `value` is nothing that bytes can be read of.
   */
  async setStream(
    namespace: string,
    key: KeyInput,
    value: Source,
    options: WriteOptions = {},
  ): Promise<boolean> {
    checkOptions(options, CALL_OPTIONS);
    checkSource(value);
    const entry = entryOf(namespace, key);
    return await within(options, this.#closed, async (signal) => {
      return await keepStream(
        this.#streaming(entry, options, signal),
        value,
        { ...options, name: this.name, key },
      );
    });
  }

  /**
   * A large value as a stream: from the cache, or produced, kept, and then read
   * from there.
   *
   * @param namespace As for {@linkcode CacheBase.generate}.
   * @param key All that the value depends on.
   * @param produce Begins the value: a new stream at each call. Called again when
   * the connection breaks before all of it was sent, and when it could not be
   * kept, or is gone before it could be read.
   * @param options Bounds, and who is told of progress.
   */
  async generateStream(
    namespace: string,
    key: KeyInput,
    produce: Compute<Source>,
    options: ProduceOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    checkOptions(options, CALL_OPTIONS);
    callable("produce", produce);
    const entry = entryOf(namespace, key);
    return await within(options, this.#closed, async (signal) => {
      return await producedStream(
        this.#streaming(entry, options, signal),
        produce,
      );
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
    options: ClaimOptions = {},
  ): Promise<Claim> {
    checkOptions(options, CALL_OPTIONS);
    const { wait = true, ttlMs } = options;
    const request = { ...entryOf(namespace, key), assign: true, wait, ttlMs };
    return await within(
      options,
      this.#closed,
      (signal) => this.ask(request, { signal }),
    );
  }

  #streaming(
    entry: Entry,
    options: TransferOptions & ClaimOptions,
    signal: AbortSignal,
  ): Streaming {
    const closed = this.#closed;
    const { name } = this;
    return { cache: this.#lenient, name, entry, options, signal, closed };
  }

  /** Gives work back, stops heartbeats, and ends connections and waiting calls. */
  async close(): Promise<void> {
    this.closing.abort(new CacheError("closed", "the cache is closed"));
    await this.closeTiers();
  }

  /** The same as {@linkcode CacheBase.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
