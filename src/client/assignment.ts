/**
 * The work on an entry, while it is ours.
 *
 * @module
 */

import { unlessAborted } from "./backoff.ts";
import type { AskOptions, Backend, Work } from "./backend.ts";
import { CacheError, hasCode } from "./cache_error.ts";
import { checkOptions } from "./checked_options.ts";
import { Ending, type EndSignal } from "./ending.ts";
import { Heartbeats } from "./heartbeats.ts";
import { LinkedSignal } from "./linked_signal.ts";
import { writeFileAt } from "./local_files.ts";
import { PUBLISH_OPTIONS } from "./publish_options.ts";
import type { Server } from "./server.ts";
import type { Held, PublishOptions } from "./tier.ts";
import { counted, eachPiece, isReadAnew, type Source } from "./transfer.ts";

/** How to ask whether there is a server again; one that lives says so at once. */
const BEFORE_MAKING = { timeoutMs: 2_000, isAgain: false } as const;

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
  readonly #given = new Ending();
  readonly #heartbeats: Heartbeats;
  #givenBack: Promise<void> | undefined;
  #ended = false;

  /** Begins the heartbeats; `onEnd` is called once, when they have ended. */
  constructor(server: Server, work: Work, onEnd: () => void) {
    this.#server = server;
    this.#work = work;
    this.#onEnd = onEnd;
    this.#heartbeats = new Heartbeats(work.heartbeatIntervalMs, {
      beat: (options) =>
        server.beat(work.id, { ...options, signal: work.lost }),
      onLost: (error) => this.#lose(error),
    });
    work.lost?.addEventListener("abort", this.#onBroken, { once: true });
    if (work.lost?.aborted) queueMicrotask(this.#onBroken);
  }

  /** The assignment's id. */
  get id(): string {
    return this.#work.id;
  }

  /** Aborted when the work has gone to somebody else, or the cache is closed. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Publishes the value. Resolves when it is kept; a server that restarts
   * meanwhile is waited for. When it fails, the work is given back.
   *
   * @param value Bytes, or a stream of them, which is read once.
   * @param options Who is told of progress, and what ends it.
   * @throws {CacheError} `lost`: somebody else has the work; `closed`; `full`: there is
   * no room for it; `unavailable`: the server is away.
   * @throws What reading the value has thrown.
   */
  async publish(
    value: Source,
    options: PublishOptions = {},
  ): Promise<void> {
    checkOptions(options, PUBLISH_OPTIONS);
    const { onProgress, signal: unwanted, expectedSize, ...how } = options;
    if (this.#ended) throw this.#lost.signal.reason ?? this.#lostError();
    using ended = new LinkedSignal(unwanted, this.#given.signal);
    const { signal } = ended;
    let failure: { readonly error: unknown } | undefined;
    const total = value instanceof Uint8Array ? value.length : expectedSize;
    const isWhole = onProgress === undefined;
    const fails = (error: unknown): never => {
      failure = { error };
      throw error;
    };
    const take = (): unknown => {
      try {
        return typeof value === "function" ? value() : value;
      } catch (error) {
        return fails(error);
      }
    };
    const pieces = async function* (source: unknown) {
      const about = { direction: "out", total, signal } as const;
      try {
        yield* counted(eachPiece(source as Source), about, onProgress);
      } catch (error) {
        fails(error);
      }
    };
    try {
      await unlessAborted(
        this.#send({ take, pieces, isWhole }, { ...how, signal, total }),
        signal,
      );
      this.#end();
    } catch (error) {
      if (!failure && hasCode(error, "invalid")) {
        this.#end();
        throw this.#lostError(error);
      }
      // Whoever waits need not sit out the lease.
      void this.abandon("it could not be published");
      // Not as an error of the server, for which it has been taken on the way.
      throw failure ? failure.error : error;
    }
  }

  async #send(
    { take, pieces, isWhole }: {
      /** Whether it may go without pieces, which somebody is told of. */
      readonly isWhole: boolean;
      readonly take: () => unknown;
      readonly pieces: (source: unknown) => AsyncIterable<Uint8Array>;
    },
    { signal, total, patienceMs, wanted }: {
      readonly signal: EndSignal;
      readonly total: number | undefined;
    } & Pick<PublishOptions, "patienceMs" | "wanted">,
  ): Promise<void> {
    const { path } = this.#work;
    if (path !== undefined) await writeFileAt(path, pieces(take()));
    let last: unknown;
    let mostBytes = 0;
    const send = async (backend: Backend, ending: AskOptions) => {
      const options = { ...ending, wanted, isForOthers: true };
      if (path !== undefined) {
        return await backend.publish(this.id, undefined, options);
      }
      // Before a value is made anew, somebody must be there to take it.
      if (last !== undefined) {
        await backend.heartbeat(this.id, { ...options, ...BEFORE_MAKING });
      }
      const source = take();
      // What is left of a stream is not the value, whoever gives it again.
      if (source === last && !isReadAnew(source)) throw this.#brokenStream();
      last = source;
      const sending = { ...options, expectedSize: total };
      // One that is small needs no pieces, where nobody is told of them.
      if (isWhole && source instanceof Uint8Array) {
        return await backend.publish(this.id, source, sending);
      }
      let bytes = 0;
      const onContact = (sentBytes: number) => {
        bytes += sentBytes;
        // What goes again and again gets nowhere.
        if (bytes > mostBytes) options.onContact?.();
        mostBytes = Math.max(bytes, mostBytes);
      };
      const parts = sent(pieces(source), onContact);
      await backend.publish(this.id, parts, sending);
    };
    const effort = "full";
    const isTrusting = true;
    const how = { effort, isTrusting, signal, patienceMs, wanted } as const;
    await this.#server.call("publish the value", send, how);
  }

  async abandon(reason = ""): Promise<void> {
    if (this.#ended) return await this.#givenBack;
    this.#end();
    this.#given.abort(
      new CacheError("lost", `${this.#server.name}: the work was given back`),
    );
    this.#givenBack = this.#server.giveBack(this.id, reason);
    await this.#givenBack;
  }

  /** The cache is closed: whoever holds the work is told, and it is given back. */
  close(): void {
    if (this.#ended) return;
    const error = new CacheError("closed", "the cache is closed");
    this.#lost.abort(error);
    this.#given.abort(error);
    void this.abandon("the client closes");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abandon("it was not published");
  }

  readonly #onBroken = (): void => this.#lose(this.#work.lost!.reason);

  /** Nothing more is sent, not even where it is being published. */
  #lose(cause: unknown): void {
    const error = this.#lostError(cause);
    this.#lost.abort(error);
    this.#given.abort(error);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#work.lost?.removeEventListener("abort", this.#onBroken);
    this.#heartbeats.stop();
    this.#onEnd();
  }

  /** What a stream has given is gone: it cannot be sent again. */
  #brokenStream(): CacheError {
    return new BrokenStream(
      "failed",
      `${this.#server.name}: the connection broke while a stream was ` +
        "published, and it can be read only once: publish it anew, or give a " +
        "function that gives it again",
    );
  }

  #lostError(cause?: unknown): CacheError {
    const why = hasCode(cause, "lost")
      ? cause.message
      : "somebody else has the work, or the value has been published";
    return new CacheError(
      "lost",
      `${this.#server.name}: the work is not held any more: ${why}`,
      { cause },
    );
  }
}

/** A stream cannot be published as the connection broke in the middle of it. */
export class BrokenStream extends CacheError {}

/** The same pieces; `onSent` hears of each when the next is asked for. */
async function* sent(
  pieces: AsyncIterable<Uint8Array>,
  onSent: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    const { length } = piece;
    yield piece;
    onSent(length);
  }
}
