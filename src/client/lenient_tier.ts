/**
 * A cache that is away must break nothing.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import { unlessAborted } from "./backoff.ts";
import type { Entry } from "./backend.ts";
import { CacheError } from "./cache_error.ts";
import type { GetOptions } from "./call_options.ts";
import { json } from "./codecs/mod.ts";
import { type Kept, readKept } from "./kept.ts";
import { isOutage, type Outages } from "./outages.ts";
import type { Claim, Held, Tier } from "./tier.ts";
import { collect, type Source, type TransferEvents } from "./transfer.ts";

type Ready = Extract<Claim, { kind: "ready" }>;

/**
 * Calls of a tier that may fail: what it cannot do is said, and the answer is
 * one with which the program can go on. Other errors are thrown.
 */
export class LenientTier {
  readonly #tier: Pick<Tier, "name" | "ask">;
  readonly #outages: Outages;

  /** Outages of `tier` are reported to `outages`. */
  constructor(tier: Pick<Tier, "name" | "ask">, outages: Outages) {
    this.#tier = tier;
    this.#outages = outages;
  }

  /** Asks for the value or the work; an outage is `unassigned`. */
  async askToCompute(
    entry: Entry,
    { computeWhenDown = true, ttlMs }: {
      readonly computeWhenDown?: boolean | undefined;
      readonly ttlMs?: number | undefined;
    },
    signal: AbortSignal,
  ): Promise<Claim> {
    try {
      const request = { ...entry, assign: true, wait: true, ttlMs };
      return await this.#tier.ask(request, { signal });
    } catch (error) {
      if (!computeWhenDown || !this.#isOutage(error, entry, signal)) {
        throw error;
      }
      return { kind: "unassigned", reason: "no server answers" };
    }
  }

  /** Asks for the value; an outage is `undefined`. */
  async askToRead(
    entry: Entry,
    { wait = false }: { readonly wait?: boolean | undefined },
    signal: AbortSignal,
  ): Promise<Claim | undefined> {
    try {
      const request = { ...entry, assign: false, wait };
      return await this.#tier.ask(request, { signal });
    } catch (error) {
      if (!this.#isOutage(error, entry, signal)) throw error;
      return undefined;
    }
  }

  /**
   * What is kept; `undefined`: the server went away in the middle of it. Only
   * what can be read is kept where it will be found sooner.
   */
  async whole<T>(
    entry: Entry,
    { body, keep }: Ready,
    { onProgress, codec = json<T>() }: GetOptions<T>,
    signal: AbortSignal,
  ): Promise<Kept<T> | undefined> {
    try {
      const value = await collect(body, { onProgress, signal });
      const kept = readKept(value, codec);
      if (keep && kept.kind !== "unreadable") {
        await unlessAborted(keep(value), signal);
      }
      return kept;
    } catch (error) {
      if (!this.#isOutage(error, entry, signal)) throw error;
      return undefined;
    }
  }

  /** Takes away what cannot be read; whether it is gone. Says so. */
  async discard(
    { namespace }: Entry,
    { remove }: Ready,
    cause: unknown,
    signal: AbortSignal,
  ): Promise<boolean> {
    const tier = this.#tier.name;
    const message = `${tier}: what is kept cannot be read: ${messageOf(cause)}`;
    const error = new CacheError("failed", message, { cause });
    this.#outages.report({ tier, error, namespace });
    if (!remove) return false;
    try {
      await unlessAborted(remove(), signal);
      return true;
    } catch (error) {
      if (!this.#isOutage(error, { namespace }, signal)) throw error;
      return false;
    }
  }

  /** Says that a value is used and not kept, as its codec refuses it. */
  notKept({ namespace }: Entry, cause: unknown): void {
    const tier = this.#tier.name;
    const message = `a value of ${namespace} is not kept: ${messageOf(cause)}`;
    const error = new CacheError("failed", message, { cause });
    this.#outages.report({ tier, error, namespace });
  }

  /**
   * Publishes; whether the value is kept.
   *
   * @param wanted Aborted when nobody waits for it any more, which is then not
   * to be told of outages either.
   */
  async publish(
    entry: Entry,
    held: Held,
    { value, events, wanted }: {
      readonly value: Source;
      readonly events: TransferEvents;
      readonly wanted: AbortSignal;
    },
  ): Promise<boolean> {
    try {
      await held.publish(value, { ...events, wanted });
      return true;
    } catch (error) {
      if (!this.#isOutage(error, entry, wanted)) throw error;
      return false;
    }
  }

  /** Whether to go on without the cache after an error; says so. */
  #isOutage(
    error: unknown,
    { namespace }: Pick<Entry, "namespace">,
    signal: AbortSignal,
  ): boolean {
    if (signal.aborted || !isOutage(error)) return false;
    this.#outages.report({ tier: this.#tier.name, error, namespace });
    return true;
  }
}
