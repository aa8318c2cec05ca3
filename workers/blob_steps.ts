/**
 * Long work in slices. An operation is a generator that yields between two
 * slices, so that a 4 GiB hash never holds up a 1 KiB read; a small operation
 * never yields and is done on the spot.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Work that yields between slices, or yields a promise to wait for. */
export type Steps<T> = Generator<Promise<void> | undefined, T, void>;

/**
 * Waits for a promise within {@linkcode Steps}.
 *
 * @param promise What to wait for; its rejection is thrown in place.
 * @returns What it resolved to.
 */
export function* wait<T>(promise: Promise<T>): Steps<T> {
  const box: { value?: T } = {};
  yield promise.then((value) => {
    box.value = value;
  });
  return box.value as T;
}

/** Is told what work resulted in, or what it threw. */
export type Settle = (
  value: unknown,
  error?: { readonly cause: unknown },
) => void;

interface Task {
  readonly steps: Steps<unknown>;
  readonly settle: Settle;
}

/** Runs many {@linkcode Steps}, one slice of one of them a turn, in rotation. */
export class Scheduler {
  readonly #ready: Task[] = [];
  readonly #turn = new MessageChannel();
  #scheduled = false;

  /**
   * A turn is a message to oneself and then an immediate: 0.1 ms in which the
   * worker's own messages get in. Measured: either of the two alone keeps
   * them out for 15 to 80 ms, and a timer takes 1 to 2 ms.
   */
  constructor() {
    this.#turn.port1.onmessage = () => {
      setImmediate(() => {
        this.#scheduled = false;
        const task = this.#ready.shift();
        this.#schedule();
        if (task) this.#step(task);
      });
    };
  }

  /**
   * Begins at once; `settle` is called during this call when the work never
   * yields, with `error` when it throws.
   */
  run(steps: Steps<unknown>, settle: Settle): void {
    this.#step({ steps, settle });
  }

  #step(task: Task, failed?: { readonly cause: unknown }): void {
    let next: IteratorResult<Promise<void> | undefined, unknown>;
    try {
      next = failed ? task.steps.throw(failed.cause) : task.steps.next();
    } catch (cause) {
      task.settle(undefined, { cause });
      return;
    }
    if (next.done) {
      task.settle(next.value);
    } else if (next.value === undefined) {
      this.#ready.push(task);
      this.#schedule();
    } else {
      next.value.then(
        () => this.#step(task),
        (cause: unknown) => this.#step(task, { cause }),
      );
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#ready.length === 0) return;
    this.#scheduled = true;
    this.#turn.port2.postMessage(0);
  }
}
