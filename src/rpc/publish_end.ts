/**
 * The end of a `Publish`: only what its client says is whole is published.
 *
 * HTTP/2's own end of a stream says nothing. Some libraries end a stream before
 * they reset it when a call is given up; what has come until then looks like a
 * value, and is a part of one.
 *
 * @module
 */

import { invalidRequest, LarderError } from "../errors.ts";
import type { Digest, Id } from "../table/types.ts";
import type { PublishEnd } from "./cache_wire.ts";

/** A SHA-256 in bytes. */
const DIGEST_BYTES = 32;

/** What its client says of a value in pieces, when it has sent them all. */
export function wholeOf({ size, sha256 }: PublishEnd): Digest {
  return { size: Number(size), sha256: digestOf(sha256, "End") };
}

/** The digest in a message, in hex. */
export function digestOf(sha256: Uint8Array, message: string): string {
  if (sha256.length === DIGEST_BYTES) return new Uint8Array(sha256).toHex();
  throw invalidRequest(`${message} has a SHA-256 of ${DIGEST_BYTES} bytes`);
}

/** Refuses what a client may say of pieces, but not of a path. */
export function assertEndOfPath({ size, sha256 }: PublishEnd): void {
  if (size === "0" && sha256.length === 0) return;
  throw invalidRequest("size and digest of a path are not checked");
}

/** Refuses pieces that are not what their client has sent. */
export function assertWhole(id: Id, came: Digest, sent: Digest): void {
  if (came.size === sent.size && came.sha256 === sent.sha256) return;
  const message = `Cannot publish assignment ${id}: the ${came.size} bytes ` +
    `that came are not the ${sent.size} of the size and digest that were sent ` +
    "with them; it is still yours, publish it again";
  throw new LarderError("wrong-digest", message);
}

/** The client has ended, or has gone, before it said that this was all. */
export function withoutEnd(id: Id): LarderError {
  return invalidRequest(
    `the value has no End; assignment ${id} is still yours, publish it again`,
  );
}
