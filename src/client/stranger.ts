/**
 * Whoever is at an address where a Larder was expected.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import { isDirect } from "./proxy.ts";
import { ANSWERING, QUICK_MS, whoAnswers } from "./who_answers.ts";

/** What says nothing of who is there, and does not mean that nothing comes. */
const UNCLEAR = /: no connection$|\bECONNRESET\b/;

/** Finds out, once, and remembers. */
export class Stranger {
  readonly #address: string;
  #looking: Promise<void> | undefined;
  /** What there is, in words; `undefined`: that is not known. */
  known: string | undefined;

  /** Looks at nothing yet. */
  constructor(address: string) {
    this.#address = address;
  }

  /** What there is, where the error that a call ends with does not say it. */
  async words(error: Error): Promise<string | undefined> {
    if (UNCLEAR.test(messageOf(error)) && isDirect(this.#address)) {
      await (this.#looking ??= this.#look());
    }
    return this.known;
  }

  async #look(): Promise<void> {
    const options = { silenceMs: QUICK_MS };
    this.known = ANSWERING[await whoAnswers(this.#address, options)];
  }

  /** A Larder has answered. */
  forget(): void {
    this.#looking = this.known = undefined;
  }
}
