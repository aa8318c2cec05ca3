/**
 * Whoever is at an address where a Larder was expected.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import { isDirect } from "./proxy.ts";
import { ANSWERING, QUICK_MS, whoAnswers } from "./who_answers.ts";

/** What says enough: nobody is there, or nothing comes. */
const CLEAR =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|within \d+ ms/;

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

  /** Looks who is there, where the error of a call does not say it. */
  look(error: Error): void {
    const isClear = CLEAR.test(messageOf(error)) || !isDirect(this.#address);
    if (isClear || this.#looking) return;
    const options = { silenceMs: QUICK_MS };
    this.#looking = whoAnswers(this.#address, options).then((answering) => {
      this.known = ANSWERING[answering];
    });
  }

  /** The words, as soon as they are known, if anybody looks. */
  async words(): Promise<string | undefined> {
    await this.#looking;
    return this.known;
  }

  /** A Larder has answered. */
  forget(): void {
    this.#looking = this.known = undefined;
  }
}
