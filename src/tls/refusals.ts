/**
 * Handshakes that come to nothing: why, in words for the log and for metrics.
 *
 * @module
 */

/** Why a client did not get in. */
export type RefusedHandshake =
  /** `--client-ca` wants a certificate, and none was shown. */
  | "no-certificate"
  /** One was shown that nobody vouches for, or that has expired. */
  | "certificate"
  /** No TLS was spoken: another port was meant, or `ca` is missing. */
  | "plain-text"
  /** TLS, and no HTTP/2 within it. */
  | "no-http2"
  /** The client ended it: most of them do not believe our certificate. */
  | "client"
  /** Garbage, a version that is too old, and the like. */
  | "other";

/** What the log says of each, after who it was. */
export const REFUSED_WORDS: Readonly<Record<RefusedHandshake, string>> = {
  "no-certificate": "showed no certificate: it needs one that --client-ca " +
    "vouches for",
  certificate: "showed a certificate that --client-ca does not vouch for, " +
    "that has expired, or that is of X.509 version 1",
  "plain-text":
    "spoke plain text, where TLS is spoken: it has to be told who " +
    "vouches for the server (ca)",
  "no-http2": "speaks no HTTP/2 within TLS: it is no client of gRPC",
  client: "ended the handshake: it may not believe the certificate of the " +
    "server, or call it by another name",
  other: "could not agree on TLS",
};

/** All of them, for what counts them. */
export const REFUSED_HANDSHAKES: readonly string[] = Object.keys(REFUSED_WORDS);

/** What `node:tls` tells of one. */
export interface FailedHandshake {
  readonly code: string;
  readonly message: string;
  /** What is wrong with the client's certificate, if it has shown one. */
  readonly authorization: unknown;
  /** What had come of it. */
  readonly bytes: number;
}

const CODES: Readonly<Record<string, RefusedHandshake>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "no-certificate",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "no-http2",
  // Of what comes instead of TLS the version is what is read first.
  ERR_SSL_WRONG_VERSION_NUMBER: "plain-text",
  ECONNRESET: "client",
};

/** How it is told that the client has said why it does not go on. */
const SAID_SO = /^received fatal alert/;

/** Why it failed; `undefined`: nobody has begun one, as a probe of a port. */
export function whyRefused(
  { code, message, authorization, bytes }: FailedHandshake,
): RefusedHandshake | undefined {
  if (authorization) return "certificate";
  const known = SAID_SO.test(message) ? "client" : CODES[code];
  if (bytes === 0 && (known === undefined || known === "client")) {
    return undefined;
  }
  return known ?? "other";
}
