/**
 * One server as it is called: finds out what it speaks, tries again while it is
 * away, and stops trying so hard when it stays away.
 *
 * @module
 */

import {
  type AskOptions,
  type Backend,
  type BeatOptions,
  LET_GO_TIMEOUT_MS,
  NOBODY,
} from "./backend.ts";
import { asCacheError, CacheError, givenUp, hasCode } from "./cache_error.ts";
import type { CallEffort } from "./call_effort.ts";
import { Channel } from "./channel.ts";
import { Ending } from "./ending.ts";
import { Security, type SecurityOptions } from "./security.ts";
import { LinkedSignal } from "./linked_signal.ts";
import { Stranger } from "./stranger.ts";
import { OriginalLocal, OriginalRemote } from "./original.ts";
import { V1Backend } from "./v1.ts";
import { V1Catalog } from "./v1_catalog.ts";

/** A server that has never answered may well not be there at all. */
const FIRST_CONTACT_MS = 2_000;
/** A server that stays away is asked this often, by one call; the others go on. */
const PROBE_MS = 5_000;
/** What is given back to a server that is away has this long when all is closed. */
const AWAY_LET_GO_MS = 250;
/** By then it is told, or it is in the background that it will be. */
const TELLING_MS = 250;

/** How to reach a server. */
export interface ServerOptions {
  /** Which of its listeners it is: paths or bytes. */
  readonly kind: "local" | "remote";
  /** `host:port`. */
  readonly address: string;
  /** How long to try before a server counts as away. */
  readonly patienceMs: number;
  /** How it is spoken to; in plain text where absent. */
  readonly security?: SecurityOptions;
}

/** A server, and which of its services it is spoken to through. */
export class Server {
  /** Names it in messages: `remote 10.0.0.7:28056`. */
  readonly name: string;
  /** What it keeps, asked once. */
  readonly catalog: V1Catalog;
  readonly #patienceMs: number;
  readonly #channel: Channel;
  readonly #v1: Backend;
  readonly #original: Backend;
  /** What has been called off, or is being given back. */
  readonly #givingBack = new Set<Promise<void>>();
  readonly #closed = new Ending();
  /** Where the server is known to be an original. */
  #isOriginal = false;
  #hasAnswered = false;
  /** When to try again a server that is away; 0: it is not. */
  #nextProbeMs = 0;
  /** What there is where no Larder has ever answered. */
  readonly #stranger: Stranger;

  /** Nothing is sent before the first call. */
  constructor({ kind, address, patienceMs, security }: ServerOptions) {
    this.name = `${kind} ${address}`;
    this.#patienceMs = patienceMs;
    const how = new Security(address, { ...security, kind });
    this.#channel = new Channel(address, how);
    this.#stranger = new Stranger(address, how);
    this.catalog = new V1Catalog(this.#channel);
    this.#v1 = new V1Backend(this.#channel, {
      paths: kind === "local",
      patienceMs,
    });
    this.#original = kind === "local"
      ? new OriginalLocal(this.#channel)
      : new OriginalRemote(this.#channel);
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
    run: (backend: Backend, options: AskOptions) => Promise<T>,
    { signal, effort = "usual", patienceMs, ...how }: CallEffort = {},
  ): Promise<T> {
    const isProbe = effort === "usual" && this.#beginProbe(action);
    using budget = this.#channel.budget({
      ms: () => isProbe ? 0 : patienceMs ?? this.#patience(),
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
        const stranger = this.#hasAnswered
          ? undefined
          : await this.#stranger.words(heard);
        if (stranger !== undefined) throw this.#away(action, stranger);
        throw givenUp(heard, budget.waitedMs);
      }
    }
  }

  /** Renews a lease; fails when the server does not answer, or says so. */
  async beat(id: string, options: BeatOptions): Promise<void> {
    try {
      const how = { ...options, wanted: NOBODY };
      await this.#once((backend) => backend.heartbeat(id, how));
      this.#answered();
    } catch (error) {
      throw asCacheError(error, `${this.name}: cannot renew the lease`);
    }
  }

  /**
   * Who gives work back does not wait for a server that is away, but whoever
   * wants the work waits for this: it is tried for as long as anything is.
   * Resolves when it was told, or has been tried for a moment.
   */
  giveBack(id: string, reason: string): Promise<void> {
    return new Promise((resolve) => {
      const wanted = new Ending();
      const inBackground = () => {
        clearTimeout(timer);
        wanted.abort(undefined);
        resolve();
      };
      const timer = setTimeout(inBackground, TELLING_MS);
      if (this.#isAway) inBackground();
      const giving = this.call(
        "give the work back",
        async (backend, options) => {
          try {
            const how = { ...options, wanted: wanted.signal };
            await backend.abandon(id, reason, how);
          } finally {
            inBackground();
          }
        },
        {
          effort: "full",
          wanted: wanted.signal,
          signal: this.#closed.signal,
        },
      );
      this.closeAfter(giving.catch(() => {}).finally(inBackground));
    });
  }

  /** Closing waits for it: it gives something back, and does not fail. */
  closeAfter(giving: Promise<void>): void {
    this.#givingBack.add(giving);
    void giving.then(() => this.#givingBack.delete(giving));
  }

  /** Ends the connections, when what is given back has had some time. */
  async close(): Promise<void> {
    const { promise: tooLate, stop } = timeout(
      this.#isAway ? AWAY_LET_GO_MS : LET_GO_TIMEOUT_MS,
    );
    // Also what is given back by those who were called off just now.
    while (this.#givingBack.size > 0) {
      const all = Promise.all(this.#givingBack).then(() => true);
      if (!await Promise.race([all, tooLate])) break;
    }
    stop();
    this.#closed.abort(new CacheError("closed", "the cache is closed"));
    this.#channel.close();
  }

  /** Whether it has not answered for as long as anybody waited. */
  get #isAway(): boolean {
    return this.#nextProbeMs !== 0;
  }

  #patience(): number {
    return this.#hasAnswered
      ? this.#patienceMs
      : Math.min(this.#patienceMs, FIRST_CONTACT_MS);
  }

  #answered(): void {
    this.#hasAnswered = true;
    this.#nextProbeMs = 0;
    this.#stranger.forget();
  }

  /** Whether this call is to find out if the server is back; fails if another one is. */
  #beginProbe(action: string): boolean {
    if (!this.#isAway) return false;
    if (performance.now() < this.#nextProbeMs) {
      throw this.#away(action, this.#stranger.known ?? "the server is away");
    }
    this.#nextProbeMs = performance.now() + PROBE_MS;
    return true;
  }

  #away(action: string, why: string): CacheError {
    const message = `${this.name}: cannot ${action}: ${why}`;
    return new CacheError("unavailable", message);
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
