/**
 * Says why nothing happens, once it has not happened for a while.
 *
 * @module
 */

import type { Holder } from "../../client/backend.ts";
import type { Reporter } from "./report.ts";

/** Longer than a server that is away is given to answer. */
const SILENT_MS = 3_000;

/** One line about a wait that takes its time. */
export class WaitingLine {
  readonly #reporter: Pick<Reporter, "waiting">;
  readonly #timer: ReturnType<typeof setTimeout>;
  #isLate = false;
  #isSaid = false;
  #holder: Holder | undefined;
  /** When the server said so. */
  #heardMs = 0;

  /** Is late from so many milliseconds on. */
  constructor(
    reporter: Pick<Reporter, "waiting">,
    { silentMs = SILENT_MS }: { readonly silentMs?: number } = {},
  ) {
    this.#reporter = reporter;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#say();
    }, silentMs);
  }

  /** The server says who has the work; until then nobody knows that somebody has. */
  is(holder: Holder): void {
    this.#holder = holder;
    this.#heardMs = performance.now();
    this.#say();
  }

  /** The wait is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#isSaid = true;
  }

  #say(): void {
    if (!this.#isLate || this.#isSaid || !this.#holder) return;
    this.#isSaid = true;
    const { holder, computingMs } = this.#holder;
    const sinceMs = performance.now() - this.#heardMs;
    this.#reporter.waiting({ holder, computingMs: computingMs + sinceMs });
  }
}
