/**
 * The work on an entry, while it is ours.
 *
 * @module
 */

import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";
import { Backoff, unlessAborted } from "./backoff.ts";
import type { Backend, Work } from "./backend.ts";
import { CacheError, hasCode } from "./cache_error.ts";
import type { CallEffort } from "./connection.ts";
import { writeFileAt } from "./local_files.ts";
import type { Held, PublishOptions } from "./tier.ts";
import { counted, eachPiece, type Source } from "./transfer.ts";

const FIRST_RETRY_MS = 100;

/** The server that gave the work out. */
interface Server {
  readonly name: string;
  call<T>(
    action: string,
    run: (backend: Backend) => Promise<T>,
    options?: CallEffort,
  ): Promise<T>;
}

/**
 * Holds an assignment: sends its heartbeats until the value is published, or the
 * work is given back or lost. With `await using` it is given back at the end of
 * the block, unless it was published.
 */
export class Assignment implements Held {
  readonly #server: Server;
  readonly #work: Work;
  readonly #onEnd: () => void;
  readonly #lost = new AbortController();
  /** Ends publishing when the work is given back in the middle of it. */
  readonly #given = new AbortController();
  #timer: ReturnType<typeof nodeTimeout> | undefined;
  #ended = false;

  /** Begins the heartbeats; `onEnd` is called once, when they have ended. */
  constructor(server: Server, work: Work, onEnd: () => void) {
    this.#server = server;
    this.#work = work;
    this.#onEnd = onEnd;
    this.#beatIn(work.heartbeatIntervalMs);
    work.lost?.addEventListener("abort", this.#lose, { once: true });
    if (work.lost?.aborted) queueMicrotask(this.#lose);
  }

  /** The assignment's id. */
  get id(): string {
    return this.#work.id;
  }

  /** Aborted when the work has gone to somebody else. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Publishes the value. Resolves when it is kept; a server that restarts
   * meanwhile is waited for. When it fails, the work is given back.
   *
   * @param value Bytes, or a stream of them, which is read once.
   * @param options Who is told of progress, and what ends it.
   * @throws {CacheError} `lost`: somebody else has the work; `full`: there is
   * no room for it; `unavailable`: the server is away.
   * @throws What reading the value has thrown.
   */
  async publish(
    value: Source,
    { onProgress, signal: unwanted }: PublishOptions = {},
  ): Promise<void> {
    if (this.#ended) throw this.#lost.signal.reason ?? this.#lostError();
    const signal = unwanted
      ? AbortSignal.any([unwanted, this.#given.signal])
      : this.#given.signal;
    let failure: { readonly error: unknown } | undefined;
    const isStream = !(value instanceof Uint8Array);
    const total = isStream ? undefined : value.length;
    const pieces = async function* () {
      const about = { direction: "out", total, signal } as const;
      try {
        yield* counted(eachPiece(value), about, onProgress);
      } catch (error) {
        failure = { error };
        throw error;
      }
    };
    try {
      await unlessAborted(this.#send(pieces, { isStream, signal }), signal);
      this.#end();
    } catch (error) {
      if (!failure && hasCode(error, "invalid")) {
        this.#end();
        throw this.#lostError(error);
      }
      // Whoever waits need not sit out the lease.
      await this.abandon("it could not be published");
      // Not as an error of the server, for which it has been taken on the way.
      throw failure ? failure.error : error;
    }
  }

  async #send(
    pieces: () => AsyncIterable<Uint8Array>,
    { isStream, signal }: {
      readonly isStream: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { path } = this.#work;
    if (path !== undefined) await writeFileAt(path, pieces());
    let isRead = false;
    await this.#server.call("publish the value", (backend) => {
      if (path !== undefined) {
        return backend.publish(this.id, undefined, { signal });
      }
      if (isRead) throw this.#brokenStream();
      isRead = isStream;
      return backend.publish(this.id, pieces(), { signal });
    }, { effort: "full", signal });
  }

  async abandon(reason = ""): Promise<void> {
    if (this.#ended) return;
    this.#end();
    this.#given.abort(
      new CacheError("lost", `${this.#server.name}: the work was given back`),
    );
    // A server that does not hear of it lets the lease run out.
    await this.#server.call(
      "give the work back",
      (backend) => backend.abandon(this.id, reason),
      { effort: "once" },
    ).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abandon("it was not published");
  }

  #beatIn(ms: number, backoff?: Backoff): void {
    // A program must be able to end while it holds work.
    this.#timer = nodeTimeout(() => void this.#beat(backoff), ms).unref();
  }

  async #beat(backoff?: Backoff): Promise<void> {
    const intervalMs = this.#work.heartbeatIntervalMs;
    let retry: Backoff | undefined;
    try {
      await this.#server.call(
        "renew the lease",
        (backend) => backend.heartbeat(this.id, { signal: this.#work.lost }),
        { effort: "once" },
      );
    } catch (error) {
      if (hasCode(error, "invalid")) {
        if (this.#ended) return;
        this.#lost.abort(this.#lostError(error));
        return this.#end();
      }
      retry = backoff ?? new Backoff(FIRST_RETRY_MS, intervalMs);
    }
    if (this.#ended) return;
    this.#beatIn(retry?.nextMs() ?? intervalMs, retry);
  }

  /** Nothing more is sent, not even where it is being published. */
  readonly #lose = (): void => {
    const error = this.#lostError(this.#work.lost!.reason);
    this.#lost.abort(error);
    this.#given.abort(error);
    this.#end();
  };

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#work.lost?.removeEventListener("abort", this.#lose);
    clearNodeTimeout(this.#timer);
    this.#onEnd();
  }

  /** What a stream has given is gone: it cannot be sent again. */
  #brokenStream(): CacheError {
    return new CacheError(
      "failed",
      `${this.#server.name}: the connection broke while a stream was ` +
        "published: ask for the work again",
    );
  }

  #lostError(cause?: unknown): CacheError {
    const why = hasCode(cause, "lost")
      ? cause.message
      : "somebody else has the work, or the value has been published";
    return new CacheError(
      "lost",
      `${this.#server.name}: assignment ${this.id} is not held any more: ${why}`,
      { cause },
    );
  }
}
