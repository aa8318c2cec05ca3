/**
 * Several caches as one, the fast before the large.
 *
 * @module
 */

import type { CallOptions, Entry, FetchRequest } from "./backend.ts";
import { CacheBase } from "./cache_base.ts";
import { CacheError } from "./cache_error.ts";
import { isOutage } from "./outages.ts";
import type { Claim, Held, OnOutage, PublishOptions, Tier } from "./tier.ts";
import type { Source } from "./transfer.ts";

/** How a tiered cache speaks up. */
export interface TieredOptions {
  /** Told of every call that went on without a tier; by default a warning. */
  readonly onOutage?: OnOutage | undefined;
}

/** Keeps a value in some tiers; whether one of them has it now. */
type Keep = (value: Uint8Array) => Promise<boolean>;

/**
 * Reads through its tiers, in their order, and writes through to all of them.
 *
 * The last tier that answers gives out the work, for it is the one that most
 * machines have in common. A tier that is away is left out.
 */
export class TieredCache extends CacheBase {
  /** The tiers' names. */
  readonly name: string;
  readonly #tiers: readonly Tier[];

  /**
   * Makes one cache of several.
   *
   * @param tiers From the fastest to the largest; they are closed with it.
   * @param options Who is told of outages.
   */
  constructor(tiers: readonly Tier[], { onOutage }: TieredOptions = {}) {
    super(onOutage);
    if (tiers.length === 0) throw new TypeError("give at least one tier");
    this.#tiers = tiers;
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
      if (claim?.kind === "ready") return this.#found(claim, request, at);
    }
    for (let at = last; at >= 0; at--) {
      const tier = this.#tiers[at]!;
      if (away.has(tier)) continue;
      const claim = await this.#askTier(tier, request, options);
      if (!claim) away.add(tier);
      if (claim?.kind === "ready") return this.#found(claim, request, at);
      if (claim?.kind === "loading") return claim;
      if (claim?.kind === "assigned") {
        const others = this.#tiers.filter((each) => each !== tier);
        const held = new HeldByTier(claim.held, {
          keep: this.#keeper(others, request),
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

  #found(
    claim: Extract<Claim, { kind: "ready" }>,
    entry: Entry,
    at: number,
  ): Claim {
    const keep = this.#keeper(this.#tiers.slice(0, at), entry);
    return { ...claim, keep: async (value) => void await keep(value) };
  }

  /** Publishes to those tiers that have nothing yet. */
  #keeper(tiers: readonly Tier[], { namespace, key }: Entry): Keep {
    const request = { namespace, key, assign: true, wait: false };
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

/** Work that one tier gave out, and of which the others get the value. */
class HeldByTier implements Held {
  readonly #held: Held;
  readonly #keep: Keep;
  readonly #report: (error: Error) => void;

  constructor(
    held: Held,
    { keep, report }: { keep: Keep; report: (error: Error) => void },
  ) {
    this.#held = held;
    this.#keep = keep;
    this.#report = report;
  }

  get signal(): AbortSignal {
    return this.#held.signal;
  }

  /** A stream can be read once: the other tiers get it when it is read. */
  async publish(value: Source, options?: PublishOptions): Promise<void> {
    let failure: Error | undefined;
    try {
      await this.#held.publish(value, options);
    } catch (error) {
      if (!isOutage(error)) throw error;
      failure = error;
    }
    const isKept = value instanceof Uint8Array && await this.#keep(value);
    if (!failure) return;
    if (!isKept) throw failure;
    this.#report(failure);
  }

  async abandon(reason?: string): Promise<void> {
    await this.#held.abandon(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abandon();
  }
}
