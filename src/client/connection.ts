/**
 * One server: finds out what it speaks, tries again while it is away, and stops
 * trying so hard when it stays away.
 *
 * @module
 */

import { Assignment } from "./assignment.ts";
import type { Backend, CallOptions, Fetched, FetchRequest } from "./backend.ts";
import { asCacheError, CacheError, hasCode } from "./cache_error.ts";
import { Channel } from "./channel.ts";
import { checkAssigned } from "./local_files.ts";
import { OriginalLocal, OriginalRemote } from "./original.ts";
import { Patience } from "./patience.ts";
import type { Claim, Tier } from "./tier.ts";
import { V1Backend } from "./v1.ts";

/** A server that has never answered may well not be there at all. */
const FIRST_CONTACT_MS = 2_000;
/** A server that stays away is asked this often, by one call; the others go on. */
const PROBE_MS = 5_000;

/** How to reach a server. */
export interface ConnectionOptions {
  /** Which of its listeners it is: paths or bytes. */
  readonly kind: "local" | "remote";
  /** `host:port`. */
  readonly address: string;
  /** How long to try before a server counts as away. */
  readonly patienceMs: number;
}

/** How hard to try, beside when to end it. */
export interface CallEffort {
  /** Ends the call. */
  readonly signal?: AbortSignal | undefined;
  /**
   * `once`: one attempt. `usual`: until the patience ends, but none while the
   * server is known to be away. `full`: until the patience ends.
   */
  readonly effort?: "once" | "usual" | "full";
}

/** A server, and which of its services it is spoken to through. */
export class Connection implements Tier {
  readonly name: string;
  readonly #kind: "local" | "remote";
  readonly #patienceMs: number;
  readonly #channel: Channel;
  readonly #v1: Backend;
  readonly #original: Backend;
  readonly #held = new Set<Assignment>();
  /** Where the server is known to be an original. */
  #isOriginal = false;
  #hasAnswered = false;
  /** When to try again a server that is away; 0: it is not. */
  #nextProbeMs = 0;

  /** Nothing is sent before the first call. */
  constructor({ kind, address, patienceMs }: ConnectionOptions) {
    this.name = `${kind} ${address}`;
    this.#kind = kind;
    this.#patienceMs = patienceMs;
    this.#channel = new Channel(address);
    this.#v1 = new V1Backend(this.#channel, {
      paths: kind === "local",
      patienceMs,
    });
    this.#original = kind === "local"
      ? new OriginalLocal(this.#channel)
      : new OriginalRemote(this.#channel);
  }

  async ask(
    request: FetchRequest,
    { signal }: CallOptions,
  ): Promise<Claim> {
    const fetched = await this.call(
      "ask for the value",
      (backend, onContact) => backend.fetch(request, { signal, onContact }),
      { signal },
    );
    if (fetched.kind === "ready") return this.#found(fetched);
    if (fetched.kind !== "assigned") return fetched;
    const held = new Assignment(this, fetched.work, () => {
      this.#held.delete(held);
    });
    this.#held.add(held);
    const { path } = fetched.work;
    if (path !== undefined) {
      try {
        // Before anything is computed that could not be handed over.
        await checkAssigned(path);
      } catch (error) {
        await held.abandon("the path cannot be written to");
        throw error;
      }
    }
    if (signal?.aborted) {
      await held.abandon("nobody wants it any more");
      throw signal.reason;
    }
    return { kind: "assigned", held };
  }

  #found({ body, remove }: Extract<Fetched, { kind: "ready" }>): Claim {
    const found = { kind: "ready", body, origin: this.#kind } as const;
    if (!remove) return found;
    return { ...found, remove: () => this.call("remove the value", remove) };
  }

  /**
   * Calls the server until it answers, or its patience ends.
   *
   * @param action What is done, for errors: `publish the value`.
   * @param run The call; it must bear being repeated.
   * @param options When to end it.
   * @throws {CacheError} What the server said, or `unavailable`.
   */
  async call<T>(
    action: string,
    run: (backend: Backend, onContact: () => void) => Promise<T>,
    { signal, effort = "usual" }: CallEffort = {},
  ): Promise<T> {
    const isProbe = effort === "usual" && this.#beginProbe(action);
    const patience = new Patience(
      isProbe || effort === "once"
        ? 0
        : this.#hasAnswered
        ? this.#patienceMs
        : Math.min(this.#patienceMs, FIRST_CONTACT_MS),
    );
    const onContact = () => {
      patience.renew();
      this.#answered();
    };
    for (;;) {
      try {
        const result = await this.#once((backend) => run(backend, onContact));
        this.#answered();
        return result;
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = asCacheError(thrown, `${this.name}: cannot ${action}`);
        if (error.code !== "unavailable") throw error;
        if (await patience.pause(signal)) continue;
        if (effort !== "once") this.#nextProbeMs = performance.now() + PROBE_MS;
        throw error;
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#held].map((held) => held.abandon("the client closes")),
    );
    this.#channel.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #answered(): void {
    this.#hasAnswered = true;
    this.#nextProbeMs = 0;
  }

  /** Whether this call is to find out if the server is back; fails if another one is. */
  #beginProbe(action: string): boolean {
    if (this.#nextProbeMs === 0) return false;
    if (performance.now() < this.#nextProbeMs) {
      throw new CacheError(
        "unavailable",
        `${this.name}: cannot ${action}: the server is away`,
      );
    }
    this.#nextProbeMs = performance.now() + PROBE_MS;
    return true;
  }

  async #once<T>(run: (backend: Backend) => Promise<T>): Promise<T> {
    if (this.#isOriginal) return await run(this.#original);
    try {
      return await run(this.#v1);
    } catch (thrown) {
      const error = asCacheError(thrown, this.name);
      if (!hasCode(error, "unimplemented")) throw thrown;
      this.#isOriginal = true;
      return await run(this.#original);
    }
  }
}
