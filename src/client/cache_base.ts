/**
 * What every cache does for a program, whatever it is made of.
 *
 * @module
 */

import type { Body, CallOptions, FetchRequest } from "./backend.ts";
import { CacheError, hasCode } from "./cache_error.ts";
import { unlessAborted } from "./backoff.ts";
import {
  CALL_OPTIONS,
  type Compute,
  type Generated,
  type GenerateOptions,
  type GetOptions,
  type SetOptions,
  type TransferOptions,
  type WriteOptions,
} from "./call_options.ts";
import { type Bounds, within } from "./call_signal.ts";
import { CatalogBase, inUse } from "./catalog_base.ts";
import { callable, checkOptions } from "./checked_options.ts";
import { json, type JsonValue } from "./codecs/mod.ts";
import {
  type Computation,
  computeHeld,
  orAbandon,
  started,
} from "./computing.ts";
import { valueOf } from "./kept.ts";
import { entryOf } from "./entries.ts";
import { formatKeyInput, type KeyInput } from "./keys.ts";
import { LenientTier } from "./lenient_tier.ts";
import { nameOf } from "./memory_catalog.ts";
import { Outages } from "./outages.ts";
import { SingleFlight } from "./single_flight.ts";
import type { Claim, OnOutage, Outage, Tier } from "./tier.ts";
import { asStream, checkSource, type Source, streamOf } from "./transfer.ts";

/** More than anybody has tiers, each of which may have a value of its own. */
const MAX_TRIES = 8;

/** The calls of {@linkcode Cache} and {@linkcode TieredCache}. */
export abstract class CacheBase extends CatalogBase implements Tier {
  readonly #outages: Outages;
  readonly #lenient: LenientTier;
  readonly #flights = new SingleFlight();

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
    const flight = `${codec.name} ${computeWhenDown} ${nameOf(entry)}`;
    return await within(
      options,
      this.closing.signal,
      (signal) =>
        this.#flights.run(
          flight,
          signal,
          (signal) => this.#found({ entry, compute, codec, options, signal }),
        ),
    );
  }

  /** Finds it, or computes it; what cannot be read gives way to what can. */
  async #found<T>(computation: Computation<T>): Promise<Generated<T>> {
    const { entry, compute, codec, options, signal } = computation;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const claim = await this.#lenient.askToCompute(
        entry,
        signal,
        options.computeWhenDown,
      );
      if (claim.kind === "assigned") {
        return await computeHeld(claim.held, computation, this.#lenient);
      }
      if (claim.kind !== "ready") break;
      const reading = { ...options, codec };
      const kept = await this.#lenient.whole(entry, claim, reading, signal);
      if (!kept) break;
      if (kept.kind !== "unreadable") {
        return { value: valueOf(kept), source: claim.origin };
      }
      const { error } = kept;
      if (!await this.#lenient.discard(entry, claim, error, signal)) break;
    }
    const value = await started(compute, signal);
    return { value, source: "uncached" };
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
    return await within(options, this.closing.signal, async (signal) => {
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
    const bytes = codec.encode(value);
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
    return await within(options, this.closing.signal, async (signal) => {
      const claim = await this.#lenient.askToRead(entry, options, signal);
      if (claim?.kind !== "ready") return undefined;
      return this.#stream(claim.body, options);
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
    return await within(options, this.closing.signal, async (signal) => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const claim = await this.#lenient.askToCompute(entry, signal);
        if (claim.kind === "assigned") {
          return await this.#lenient.publish(entry, claim.held, {
            value,
            events: { onProgress: options.onProgress, signal },
            wanted: signal,
          });
        }
        if (claim.kind !== "ready") break;
        await claim.body.release();
        if (!options.overwrite) break;
        // Each tier may have one, and others may be quicker than we are.
        await this.#remove(claim, { namespace, key, signal });
      }
      return false;
    });
  }

  /** Takes a value away that another one is to take the place of. */
  async #remove(
    { remove }: Extract<Claim, { kind: "ready" }>,
    { namespace, key, signal }: {
      readonly namespace: string;
      readonly key: KeyInput;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    if (!remove) {
      throw new CacheError(
        "unimplemented",
        `${this.name}: cannot replace ${namespace} ${formatKeyInput(key)}: ` +
          "an original server removes nothing",
      );
    }
    try {
      await unlessAborted(remove(), signal);
    } catch (error) {
      if (!hasCode(error, "in-use")) throw error;
      throw inUse(this.name, "replace", namespace, key);
    }
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
    checkOptions(options, CALL_OPTIONS);
    callable("produce", produce);
    const entry = entryOf(namespace, key);
    return await within(options, this.closing.signal, async (signal) => {
      const events = { onProgress: options.onProgress, signal };
      const claim = await this.#lenient.askToCompute(entry, signal);
      if (claim.kind === "ready") return this.#stream(claim.body, options);
      if (claim.kind === "assigned") {
        const value = await orAbandon(claim.held, async () => {
          const source = await started(produce, signal);
          checkSource(source);
          return source;
        });
        const publication = { value, events, wanted: signal };
        await this.#lenient.publish(entry, claim.held, publication);
        const again = await this.#lenient.askToRead(entry, {}, signal);
        if (again?.kind === "ready") return this.#stream(again.body, options);
      }
      return asStream(await started(produce, signal));
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
    checkOptions(options, CALL_OPTIONS);
    const { wait = true } = options;
    const request = { ...entryOf(namespace, key), assign: true, wait };
    return await within(
      options,
      this.closing.signal,
      (signal) => this.ask(request, { signal }),
    );
  }

  /** It outlives the call, and so does what ends it, but for the deadline. */
  #stream(
    body: Body,
    { onProgress, signal }: TransferOptions,
  ): ReadableStream<Uint8Array> {
    return streamOf(body, onProgress, signal, this.closing.signal);
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
