/**
 * Whoever is at an address where a Larder was expected.
 *
 * @module
 */

import { messageOf } from "../errors.ts";
import { isDirect } from "./proxy.ts";
import { NO_GRPC } from "./cache_error.ts";
import type { Security } from "./security.ts";
import { whatAnswers } from "./what_answers.ts";

/** What says enough: nobody is there, or nothing comes. */
const CLEAR =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|within \d+ ms/;
/** What grpc-js says where HTTP/2 was spoken at first, and no gRPC after it. */
const CUT_OFF = /: (Call cancelled|Stream refused by server)$/;
/** Whoever has just ended a connection answers at once, on a machine that is busy, too. */
const ANSWERED_MS = 2_000;

/** Finds out, once, and remembers. */
export class Stranger {
  readonly #address: string;
  readonly #security: Security;
  #looking: Promise<void> | undefined;
  /** What there is, in words; `undefined`: that is not known. */
  known: string | undefined;

  /** Looks at nothing yet. */
  constructor(address: string, security: Security) {
    this.#address = address;
    this.#security = security;
  }

  /** What there is, where the error that a call ends with does not say it. */
  async words(error: Error): Promise<string | undefined> {
    if (!CLEAR.test(messageOf(error)) && isDirect(this.#address)) {
      await (this.#looking ??= this.#look(CUT_OFF.test(messageOf(error))));
    }
    return this.known;
  }

  async #look(isCutOff: boolean): Promise<void> {
    const options = { silenceMs: ANSWERED_MS };
    const { answering, words } = await whatAnswers(
      this.#address,
      this.#security,
      options,
    );
    // Somebody has answered before.
    if (answering === "silence") return;
    const isHttp2 = answering === "http2" && isCutOff;
    this.known = words ?? (isHttp2 ? NO_GRPC : undefined);
  }

  /** A Larder has answered. */
  forget(): void {
    this.#looking = this.known = undefined;
  }
}
