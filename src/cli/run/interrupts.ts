/**
 * Ctrl-C and its like, while something is on its way.
 *
 * @module
 */

import { constants } from "node:os";
import process from "node:process";
import { isInForeground } from "./foreground.ts";
import { isIgnored } from "./ignored.ts";

/** What ends a program. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/** What is for the command alone, while there is one. */
const MESSAGES = ["SIGUSR1", "SIGUSR2"] as const;
/** What a terminal sends to all of its programs at once. */
const OF_TERMINALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

type Receiver = (signal: NodeJS.Signals) => void;

/** Listens to signals until it is disposed of. */
export class Interrupts implements Disposable {
  readonly #controller = new AbortController();
  #received: NodeJS.Signals | undefined;
  #receiver: Receiver | undefined;
  readonly #listener = (signal: NodeJS.Signals) => {
    if (isIgnored(signal)) return;
    this.#received ??= signal;
    // The command has had it, too.
    const isShared = OF_TERMINALS.includes(signal) && isInForeground();
    if (!isShared) this.#receiver?.(signal);
    this.#controller.abort(new Error(`${signal} came`));
  };

  /** From here on, signals do not end the process. */
  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  /** The first signal that came. */
  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejected by the first signal. */
  rejected(): Promise<never> {
    const { signal } = this;
    return new Promise((_, reject) => {
      const give = () => reject(signal.reason);
      if (signal.aborted) give();
      signal.addEventListener("abort", give, { once: true });
    });
  }

  /** Passes signals on until the result is disposed of. */
  passTo(receiver: Receiver): Disposable {
    this.#receiver = receiver;
    for (const signal of MESSAGES) process.on(signal, receiver);
    // One that came before there was anybody to have it.
    if (this.#received !== undefined) receiver(this.#received);
    const stop = () => {
      this.#receiver = undefined;
      for (const signal of MESSAGES) process.off(signal, receiver);
    };
    return { [Symbol.dispose]: stop };
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}

/** What shells give for a program that a signal has ended, beside its number. */
const SIGNALED = 128;

/** The exit code that stands for a signal. */
export function codeOf(signal: NodeJS.Signals | null): number {
  return SIGNALED + (signal === null ? 0 : constants.signals[signal]);
}

/**
 * Does something that a signal ends in good order: what is half done is
 * removed, and work is given back.
 *
 * @param action What is done; it ends when the signal of its argument says so.
 * @returns Its exit code, or that of the signal.
 */
export async function interruptible(
  action: (interrupts: Interrupts) => Promise<number>,
): Promise<number> {
  using interrupts = new Interrupts();
  try {
    return await action(interrupts);
  } catch (error) {
    if (interrupts.received === undefined) throw error;
    return codeOf(interrupts.received);
  }
}
