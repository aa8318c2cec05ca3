/**
 * What ends a call before the server does.
 *
 * @module
 */

import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";
import type { AskOptions } from "./backend.ts";
import { silence } from "./cache_error.ts";
import type { EndSignal } from "./ending.ts";
import type { EndCall, Line } from "./line.ts";
import type { Lines } from "./lines.ts";
import { afterSilence } from "./patience.ts";

/** Within this something moves on a connection that lives, if there is much to say. */
const MOVING_MS = 250;

/** A machine that is there accepts a connection, and says so, well within this. */
const CONNECT_MS = 2_000;

/**
 * Cancels a call when its signal is aborted, when it gets no connection, or when
 * that has fallen silent.
 */
export class CallEnd implements Disposable {
  readonly #lines: Lines;
  readonly #line: Line;
  readonly #signal: EndSignal | undefined;
  readonly #wanted: EndSignal | undefined;
  readonly #isForOthers: boolean;
  readonly #onUnwanted = (): void => this.#unwanted();
  #watching: ReturnType<typeof nodeTimeout> | undefined;
  readonly #cancel: () => void;
  readonly #stopWaiting: () => void;
  readonly #end: EndCall;
  #error: Error | undefined;
  readonly #isUpload: boolean;
  #isAnswered = false;
  #hasEnded = false;

  /**
   * @param lines Is told of the call.
   * @param line What it goes through.
   * @param options What else ends the call, and whether it is waited for.
   * @param cancel Ends it; called once or not at all.
   * @param isUpload Whether it may send much.
   */
  constructor(
    lines: Lines,
    line: Line,
    { signal, wanted, isForOthers = false, onLeft }: AskOptions,
    cancel: () => void,
    isUpload = false,
  ) {
    this.#lines = lines;
    this.#line = line;
    this.#signal = signal;
    this.#wanted = wanted;
    this.#isForOthers = isForOthers;
    this.#cancel = cancel;
    this.#end = (error, isLeft = false) => {
      if (isLeft && onLeft) {
        this.isAwaited = false;
        return onLeft(error);
      }
      this.#error = error;
      cancel();
    };
    this.#isUpload = isUpload;
    lines.enter(isUpload);
    if (!wanted?.aborted) {
      wanted?.addEventListener("abort", this.#onUnwanted, { once: true });
    } else if (isForOthers) {
      this.#whileMoving();
    }
    this.isAwaited = true;
    signal?.addEventListener("abort", cancel, { once: true });
    this.#stopWaiting = line.session ? () => {} : this.#waitForConnection();
  }

  /** grpc-js itself waits for as long as the system does: some minutes. */
  #waitForConnection(): () => void {
    const line = this.#line;
    return afterSilence(CONNECT_MS, () => {
      // A channel that is closed lets its calls end by themselves.
      if (line.isReady || line.isClosed) return;
      this.#end(silence("no connection", CONNECT_MS));
    });
  }

  /** The server has said something. */
  answered(): void {
    this.#isAnswered = true;
  }

  /** Whether the process is to live for the call. */
  set isAwaited(isAwaited: boolean) {
    if (this.#hasEnded) return;
    const isWanted = !this.#wanted?.aborted || this.#watching !== undefined;
    this.#line.hold(this.#end, isAwaited && isWanted);
  }

  /** Ends it with an error. */
  fail(error: Error): void {
    this.#end(error);
  }

  /** Nobody waits for it any more. */
  #unwanted(): void {
    if (this.#isForOthers) return this.#whileMoving();
    this.isAwaited = false;
    // What was not sent brings nothing.
    if (!this.#line.isReady) this.#cancel();
  }

  #whileMoving(): void {
    const { moved } = this.#line;
    this.#watching = nodeTimeout(() => {
      if (this.#line.moved !== moved) return this.#whileMoving();
      this.#watching = undefined;
      this.isAwaited = false;
    }, MOVING_MS).unref();
  }

  /** Why the call failed: what ended it, or else what it failed with. */
  reason(error: unknown): unknown {
    if (this.#signal?.aborted) return this.#signal.reason;
    return this.#error ?? error;
  }

  /** The call has ended. */
  [Symbol.dispose](): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopWaiting();
    clearNodeTimeout(this.#watching);
    this.#line.letGo(this.#end);
    this.#lines.leave(this.#isAnswered, this.#isUpload);
    this.#signal?.removeEventListener("abort", this.#cancel);
    this.#wanted?.removeEventListener("abort", this.#onUnwanted);
  }
}
