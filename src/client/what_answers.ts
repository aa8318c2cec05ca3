/**
 * What there is where a call got nowhere, in words: who answers, and where that
 * is a server that was spoken to in another way than it speaks, what to change.
 *
 * @module
 */

import type { Security } from "./security.ts";
import { speaksTls, tlsFault } from "./tls_fault.ts";
import { ANSWERING, type Answering, whoAnswers } from "./who_answers.ts";

/** Who answers, and what that says. */
export interface Answer {
  readonly answering: Answering;
  /** `undefined`: nothing that explains it. */
  readonly words: string | undefined;
  /** A server is there, and it is how it was spoken to that has to change. */
  readonly isOurFault: boolean;
}

/** Finds out, by connections of its own. */
export async function whatAnswers(
  address: string,
  security: Security,
  options: { readonly silenceMs?: number } = {},
): Promise<Answer> {
  // A greeting in plain text would be one more fault that the server hears of.
  const answering = security.isTls && await speaksTls(address, security)
    ? "tls"
    : await whoAnswers(address, options);
  const words = await ourFault(answering, address, security);
  return {
    answering,
    words: words ?? ANSWERING[answering],
    isOurFault: words !== undefined,
  };
}

async function ourFault(
  answering: Answering,
  address: string,
  security: Security,
): Promise<string | undefined> {
  const { names, isTls } = security;
  if (answering === "http2" && isTls) {
    return "the server speaks plain text, and was spoken to over TLS: leave " +
      `${names.ca} out, or give the server a certificate`;
  }
  if (answering !== "tls") return undefined;
  if (isTls) return await tlsFault(address, security);
  return security.isPlainByChoice
    ? "the server speaks TLS there, and was spoken to in plain text, as " +
      `${names.tlsOn} says: leave that out`
    : "the server speaks TLS, and was spoken to in plain text: say who " +
      `vouches for it, with ${names.ca}`;
}
