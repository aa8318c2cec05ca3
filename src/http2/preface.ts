/**
 * The first bytes of a connection: what HTTP/2 begins with, and what people send
 * who think that it is something else.
 *
 * @module
 */

const encoder = new TextEncoder();

const PREFACE = encoder.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const HTTP_1_METHODS = [
  "GET ",
  "HEAD ",
  "POST ",
  "PUT ",
  "DELETE ",
  "OPTIONS ",
  "PATCH ",
  "CONNECT ",
  "TRACE ",
].map((method) => encoder.encode(method));

/** A TLS record of the handshake. */
const TLS_HANDSHAKE = 22;

const TEXT = "This is a gRPC server: it speaks HTTP/2 only.\n";

/** What a client of HTTP/1 is told. */
export const HTTP_1_ANSWER: Uint8Array = encoder.encode(
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n" +
    `Content-Length: ${TEXT.length}\r\nConnection: close\r\n\r\n${TEXT}`,
);

/** What the first bytes are. */
export type Opening = "http2" | "http1" | "tls" | "other" | "unknown";

/** Reads the preface, however it is cut. */
export class Preface {
  readonly #seen = new Uint8Array(PREFACE.length);
  #length = 0;

  /** Takes bytes; gives where to go on, once it says `http2`. */
  take(bytes: Uint8Array): { readonly opening: Opening; readonly at: number } {
    const count = Math.min(PREFACE.length - this.#length, bytes.length);
    this.#seen.set(bytes.subarray(0, count), this.#length);
    this.#length += count;
    const seen = this.#seen.subarray(0, this.#length);
    if (isPrefix(seen, PREFACE)) {
      const isWhole = seen.length === PREFACE.length;
      return { opening: isWhole ? "http2" : "unknown", at: count };
    }
    return { opening: otherOpening(seen), at: count };
  }
}

function otherOpening(seen: Uint8Array): Opening {
  if (seen[0] === TLS_HANDSHAKE) return "tls";
  for (const method of HTTP_1_METHODS) {
    if (isPrefix(method, seen)) return "http1";
    if (isPrefix(seen, method)) return "unknown";
  }
  return "other";
}

function isPrefix(bytes: Uint8Array, of: Uint8Array): boolean {
  return bytes.every((byte, at) => byte === of[at]);
}
