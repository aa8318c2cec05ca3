/**
 * One server: finds out what it speaks, tries again while it is away, and stops
 * trying so hard when it stays away.
 *
 * @module
 */

import { Assignment } from "./assignment.ts";
import { unlessAborted } from "./backoff.ts";
import type { CallEffort } from "./call_effort.ts";
import {
  type Backend,
  type BeatOptions,
  type CallOptions,
  type Fetched,
  type FetchRequest,
  LET_GO_TIMEOUT_MS,
} from "./backend.ts";
import { asCacheError, CacheError, hasCode } from "./cache_error.ts";
import type { TierCatalog } from "./catalog.ts";
import { Channel } from "./channel.ts";
import { ConnectionCatalog } from "./connection_catalog.ts";
import { LateAnswer } from "./late_answer.ts";
import { LinkedSignal } from "./linked_signal.ts";
import { checkAssigned } from "./local_files.ts";
import { OriginalLocal, OriginalRemote } from "./original.ts";
import type { Claim, Tier } from "./tier.ts";
import { V1Backend } from "./v1.ts";
import { V1Catalog } from "./v1_catalog.ts";

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

/** A server, and which of its services it is spoken to through. */
export class Connection implements Tier {
  readonly name: string;
  readonly catalog: TierCatalog;
  readonly #kind: "local" | "remote";
  readonly #patienceMs: number;
  readonly #channel: Channel;
  readonly #v1: Backend;
  readonly #original: Backend;
  readonly #held = new Set<Assignment>();
  /** What has been called off, or is being given back. */
  readonly #givingBack = new Set<Promise<void>>();
  readonly #closed = new AbortController();
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
    this.catalog = new ConnectionCatalog(this, new V1Catalog(this.#channel));
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
    { signal, onWaiting }: CallOptions,
  ): Promise<Claim> {
    signal?.throwIfAborted();
    const late = new LateAnswer(signal);
    const asking = this.call(
      "ask for the value",
      (backend, { signal: ended, onContact }) => {
        late.assertWanted();
        return backend.fetch(request, {
          signal: ended,
          wanted: signal,
          onWaiting,
          onContact: () => {
            late.isWaiting();
            onContact?.();
          },
        });
      },
      { signal: late.signal },
    ).then((fetched) => this.#claimed(fetched));
    this.#keep(late.giveBack(asking));
    return signal ? await unlessAborted(asking, signal) : await asking;
  }

  async #claimed(fetched: Fetched): Promise<Claim> {
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
        void held.abandon("the path cannot be written to");
        throw error;
      }
    }
    return { kind: "assigned", held };
  }

  #found({ body, remove }: Extract<Fetched, { kind: "ready" }>): Claim {
    const found = { kind: "ready", body, origin: this.#kind } as const;
    if (!remove) return found;
    const run = () => remove();
    return { ...found, remove: () => this.call("remove the value", run) };
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
    run: (backend: Backend, options: CallOptions) => Promise<T>,
    { signal, effort = "usual", ...how }: CallEffort = {},
  ): Promise<T> {
    const isProbe = effort === "usual" && this.#beginProbe(action);
    using budget = this.#channel.budget({
      ms: () => isProbe ? 0 : this.#patience(),
      ...how,
    });
    using ended = new LinkedSignal(signal, budget.signal);
    const onContact = () => {
      budget.heard();
      this.#answered();
    };
    const options = { signal: ended.signal, onContact };
    let heard: CacheError | undefined;
    for (;;) {
      try {
        budget.ask();
        const result = await this.#once((backend) => run(backend, options));
        this.#answered();
        return result;
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = asCacheError(thrown, `${this.name}: cannot ${action}`);
        if (error.code !== "unavailable") throw error;
        // That time is up tells less than why it has gone by.
        if (!heard || !budget.signal.aborted) heard = error;
        if (await budget.pause(signal)) continue;
        this.#nextProbeMs = performance.now() + PROBE_MS;
        throw heard;
      }
    }
  }

  async beat(id: string, options: BeatOptions): Promise<void> {
    try {
      await this.#once((backend) => backend.heartbeat(id, options));
      this.#answered();
    } catch (error) {
      throw asCacheError(error, `${this.name}: cannot renew the lease`);
    }
  }

  /**
   * Who gives work back does not wait for a server that is away, but whoever
   * wants the work waits for this: it is tried for as long as anything is.
   */
  giveBack(id: string, reason: string): Promise<void> {
    return new Promise((resolve) => {
      const giving = this.call(
        "give the work back",
        async (backend, options) => {
          try {
            await backend.abandon(id, reason, options);
          } finally {
            resolve();
          }
        },
        { effort: "full", isAwaited: false, signal: this.#closed.signal },
      );
      this.#keep(giving.catch(() => {}).finally(resolve));
    });
  }

  async close(): Promise<void> {
    for (const held of [...this.#held]) void held.abandon("the client closes");
    const { promise: tooLate, stop } = timeout(LET_GO_TIMEOUT_MS);
    // Also what is given back by those who were called off just now.
    while (this.#givingBack.size > 0) {
      const all = Promise.all(this.#givingBack).then(() => true);
      if (!await Promise.race([all, tooLate])) break;
    }
    stop();
    this.#closed.abort(new CacheError("closed", "the cache is closed"));
    this.#channel.close();
  }

  #keep(giving: Promise<void>): void {
    this.#givingBack.add(giving);
    void giving.then(() => this.#givingBack.delete(giving));
  }

  #patience(): number {
    return this.#hasAnswered
      ? this.#patienceMs
      : Math.min(this.#patienceMs, FIRST_CONTACT_MS);
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

/** Resolves to `false` after some time. */
function timeout(
  ms: number,
): { readonly promise: Promise<false>; readonly stop: () => void } {
  let timer: ReturnType<typeof setTimeout>;
  const promise = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  return { promise, stop: () => clearTimeout(timer) };
}
