/**
 * Several caches as one, the fast before the large.
 *
 * @module
 */

import type { CallOptions, Entry, FetchRequest } from "./backend.ts";
import { CacheBase } from "./cache_base.ts";
import { AllCatalogs, type TierCatalog } from "./catalog.ts";
import { callable, checkOptions, has, shown } from "./checked_options.ts";
import { CacheError, hasCode } from "./cache_error.ts";
import { nameOf } from "./memory_catalog.ts";
import { isOutage } from "./outages.ts";
import type { Claim, Held, OnOutage, PublishOptions, Tier } from "./tier.ts";
import { bytesBody, collect, type Source } from "./transfer.ts";

/** How a tiered cache speaks up. */
export interface TieredOptions {
  /** Told of every call that went on without a tier; by default a warning. */
  readonly onOutage?: OnOutage | undefined;
}

/** Keeps a value in some tiers; whether one of them has it now. */
type Keep = (value: Uint8Array) => Promise<boolean>;

type Ready = Extract<Claim, { kind: "ready" }>;

/** Of so many entries it is known that the tier which gave out the work lacks them. */
const MAX_UNSHARED = 10_000;

/**
 * Reads through its tiers, in their order, and writes through to all of them.
 *
 * The last tier that answers gives out the work, for it is the one that most
 * machines have in common. A tier that is away is left out.
 */
export class TieredCache extends CacheBase {
  /** The tiers' names. */
  readonly name: string;
  /** Of all tiers together. */
  readonly catalog: TierCatalog;
  readonly #tiers: readonly Tier[];
  /**
   * Entries that a tier gave out and could not keep, while others do: there may
   * be another value by now, which everybody else has.
   */
  readonly #unshared = new Map<string, Tier>();

  /**
   * Makes one cache of several.
   *
   * @param tiers From the fastest to the largest; they are closed with it.
   * @param options Who is told of outages.
   */
  constructor(tiers: readonly Tier[], options: TieredOptions = {}) {
    checkOptions(options, { onOutage: callable });
    super(options.onOutage);
    if (!Array.isArray(tiers) || tiers.length === 0) {
      throw new TypeError(
        "the tiers must be a list of one or more, such as [memory({ maxBytes: " +
          `1_000_000 }), await Cache.connect(…)], not ${shown(tiers)}`,
      );
    }
    for (const [at, tier] of tiers.entries()) {
      if (has(tier, "ask") && has(tier, "close")) continue;
      const what = has(tier, "then") ? "a promise: await it" : shown(tier);
      throw new TypeError(
        `tier ${at} must be a cache, or memory({ maxBytes }), not ${what}`,
      );
    }
    this.#tiers = tiers;
    this.catalog = new AllCatalogs(tiers);
    this.name = tiers.map(({ name }) => name).join(", ");
  }

  /**
   * Reads the tiers in turn; when none has it, asks them for the work, the last
   * one first. Nothing is held of one tier while another one is waited for:
   * two tiers may be one server.
   */
  async ask(request: FetchRequest, options: CallOptions): Promise<Claim> {
    const read = { ...request, assign: false, wait: false };
    const last = this.#tiers.length - 1;
    const away = new Set<Tier>();
    for (const [at, tier] of this.#tiers.entries()) {
      if (at === last) break;
      const claim = await this.#askTier(tier, read, options);
      if (!claim) away.add(tier);
      if (claim?.kind === "ready") {
        return await this.#shared(claim, request, options) ??
          this.#found(claim, request, at);
      }
    }
    for (let at = last; at >= 0; at--) {
      const tier = this.#tiers[at]!;
      if (away.has(tier)) continue;
      const claim = await this.#askTier(tier, request, options);
      if (!claim) away.add(tier);
      if (claim?.kind === "ready") return this.#found(claim, request, at);
      if (claim?.kind === "loading") return claim;
      if (claim?.kind === "assigned") {
        const held = new HeldByTier(claim.held, {
          keep: this.#keeper(this.#others(tier), request),
          keepUnshared: async (value) => {
            if (this.#unshared.size >= MAX_UNSHARED) return false;
            const name = nameOf(request);
            this.#unshared.set(name, tier);
            const keep = this.#keeper(this.#others(tier), request);
            const isKept = await keep(value);
            if (!isKept) this.#unshared.delete(name);
            return isKept;
          },
          report: (error) => this.#reportTier(tier, request.namespace, error),
        });
        return { kind: "assigned", held };
      }
    }
    if (away.size < this.#tiers.length) {
      return { kind: "unassigned", reason: "no tier has it, or gives it out" };
    }
    throw new CacheError("unavailable", `no tier answers: ${this.name}`);
  }

  /** Closes the tiers. */
  protected override async closeTiers(): Promise<void> {
    await Promise.all(this.#tiers.map((tier) => tier.close()));
  }

  /**
   * What the tier says that gave out the work for a value and could not keep it:
   * what it has by now takes the place of ours; when it has none, ours is
   * everybody's.
   */
  async #shared(
    ours: Ready,
    request: FetchRequest,
    options: CallOptions,
  ): Promise<Claim | undefined> {
    const name = nameOf(request);
    const tier = this.#unshared.get(name);
    if (!tier) return undefined;
    const theirs = await this.#askTier(
      tier,
      { ...request, wait: false },
      options,
    );
    if (theirs?.kind === "ready") {
      await ours.body.release();
      await this.#forget(this.#others(tier), request);
      this.#unshared.delete(name);
      return this.#found(theirs, request, this.#tiers.indexOf(tier));
    }
    if (theirs?.kind !== "assigned") return undefined;
    await using held = theirs.held;
    const value = await collect(ours.body, options);
    try {
      await held.publish(value, { signal: options.signal });
      this.#unshared.delete(name);
    } catch (error) {
      if (options.signal?.aborted || !isOutage(error)) throw error;
      this.#reportTier(tier, request.namespace, error);
    }
    return { ...ours, body: bytesBody(value) };
  }

  #others(tier: Tier): readonly Tier[] {
    return this.#tiers.filter((each) => each !== tier);
  }

  /** Takes an entry's value away, wherever it can be. */
  async #forget(tiers: readonly Tier[], entry: Entry): Promise<void> {
    const read = { ...entry, assign: false, wait: false };
    for (const tier of tiers) {
      const claim = await this.#askTier(tier, read, {});
      if (claim?.kind !== "ready") continue;
      await claim.body.release();
      await claim.remove?.();
    }
  }

  #found(claim: Ready, entry: Entry, at: number): Claim {
    // It lives no longer elsewhere than where it was found.
    const { ttlMs } = claim;
    const keep = this.#keeper(this.#tiers.slice(0, at), { ...entry, ttlMs });
    return { ...claim, keep: async (value) => void await keep(value) };
  }

  /** Publishes to those tiers that have nothing yet. */
  #keeper(
    tiers: readonly Tier[],
    { namespace, key, ttlMs }: Pick<
      FetchRequest,
      "namespace" | "key" | "ttlMs"
    >,
  ): Keep {
    const request = { namespace, key, assign: true, wait: false, ttlMs };
    return async (value) => {
      let isKept = false;
      for (const tier of tiers) {
        const claim = await this.#askTier(tier, request, {});
        if (claim?.kind === "ready") {
          isKept = true;
          await claim.body.release();
        }
        if (claim?.kind !== "assigned") continue;
        try {
          await claim.held.publish(value);
          isKept = true;
        } catch (error) {
          // What has no room for it is left out, as one that gives out no work.
          if (hasCode(error, "full")) continue;
          this.#reportTier(tier, namespace, error as Error);
        }
      }
      return isKept;
    };
  }

  /** `undefined`: the tier is away, and that has been said. */
  async #askTier(
    tier: Tier,
    request: FetchRequest,
    options: CallOptions,
  ): Promise<Claim | undefined> {
    try {
      return await tier.ask(request, options);
    } catch (error) {
      if (options.signal?.aborted || !isOutage(error)) throw error;
      this.#reportTier(tier, request.namespace, error);
      return undefined;
    }
  }

  #reportTier({ name: tier }: Tier, namespace: string, error: Error): void {
    this.report({ tier, namespace, error });
  }
}

/** What becomes of a value beside the tier that gave out the work for it. */
interface Others {
  /** Keeps what that tier has, too. */
  readonly keep: Keep;
  /** Keeps what that tier could not keep. */
  readonly keepUnshared: Keep;
  /** Says why that tier could not. */
  readonly report: (error: Error) => void;
}

/** Work that one tier gave out, and of which the others get the value. */
class HeldByTier implements Held {
  readonly #held: Held;
  readonly #others: Others;

  constructor(held: Held, others: Others) {
    this.#held = held;
    this.#others = others;
  }

  get signal(): AbortSignal {
    return this.#held.signal;
  }

  /**
   * A stream can be read once: the other tiers get it when it is read. What was
   * lost is in nobody's hands but somebody else's: no tier gets it.
   */
  async publish(value: Source, options?: PublishOptions): Promise<void> {
    const { keep, keepUnshared, report } = this.#others;
    try {
      await this.#held.publish(value, options);
    } catch (error) {
      if (!isOutage(error) || hasCode(error, "lost")) throw error;
      const isKept = value instanceof Uint8Array && await keepUnshared(value);
      if (!isKept) throw error;
      return report(error);
    }
    if (value instanceof Uint8Array) await keep(value);
  }

  async abandon(reason?: string): Promise<void> {
    await this.#held.abandon(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abandon();
  }
}
