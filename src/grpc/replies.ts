/**
 * The header blocks of replies. Most are constant.
 *
 * @module
 */

import { encodeHeaders } from "../http2/hpack/mod.ts";
import { MAX_TRAILERS_BYTES } from "./limits.ts";
import type { Metadata } from "./metadata.ts";
import { type Field, fieldsBytes, metadataFields } from "./metadata_fields.ts";
import { Status, type StatusCode } from "./status.ts";
import { encodeStatusMessage } from "./status_message.ts";

const RESPONSE: readonly Field[] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];

/** Begins a reply with messages, and no metadata. */
export const OK_HEADERS: Uint8Array = encodeHeaders(RESPONSE);
/** Ends a reply that is OK, with no metadata. */
export const OK_TRAILERS: Uint8Array = encodeHeaders([["grpc-status", "0"]]);

/** What a client is told at the end. */
export interface Outcome {
  /** The status. */
  readonly code: StatusCode;
  /** For people. */
  readonly message: string;
}

/** The outcome of a call that worked. */
export const OK: Outcome = { code: Status.OK, message: "" };

/**
 * Begins a reply with messages.
 *
 * @param metadata What the handler adds, if anything.
 * @returns A header block.
 */
export function responseHeaders(metadata: Metadata | undefined): Uint8Array {
  if (metadata === undefined || metadata.size === 0) return OK_HEADERS;
  return encodeHeaders([...RESPONSE, ...bounded(metadataFields(metadata), 0)]);
}

/**
 * Ends a reply.
 *
 * @param outcome What the client is told.
 * @param metadata What goes with it; what would make it too large is left out.
 * @returns A header block.
 */
export function responseTrailers(
  outcome: Outcome,
  ...metadata: readonly (Metadata | undefined)[]
): Uint8Array {
  if (outcome.code === Status.OK && isEmpty(metadata)) return OK_TRAILERS;
  return encodeHeaders(trailerFields(outcome, metadata));
}

/**
 * A whole reply without messages, as one header block.
 *
 * @param outcome What the client is told.
 * @param metadata What goes with it; what would make it too large is left out.
 * @returns A header block that ends the stream.
 */
export function trailersOnly(
  outcome: Outcome,
  ...metadata: readonly (Metadata | undefined)[]
): Uint8Array {
  return encodeHeaders([...RESPONSE, ...trailerFields(outcome, metadata)]);
}

/**
 * The answer to a request in an encoding that we cannot read.
 *
 * @param encoding What `grpc-encoding` said.
 * @returns A header block that ends the stream.
 */
export function unknownEncoding(encoding: string): Uint8Array {
  const outcome = {
    code: Status.UNIMPLEMENTED,
    message: `grpc-encoding ${encoding} is not supported: use identity`,
  };
  return encodeHeaders([
    ...RESPONSE,
    ["grpc-accept-encoding", "identity"],
    ...trailerFields(outcome, []),
  ]);
}

/**
 * Begins the answer to a request that is not gRPC.
 *
 * @param status The status of HTTP.
 * @param fields What goes with it.
 * @returns A header block; a line of text follows.
 */
export function textHeaders(
  status: number,
  ...fields: readonly Field[]
): Uint8Array {
  return encodeHeaders([
    [":status", String(status)],
    ["content-type", "text/plain; charset=utf-8"],
    ...fields,
  ]);
}

function isEmpty(metadata: readonly (Metadata | undefined)[]): boolean {
  return metadata.every((some) => some === undefined || some.size === 0);
}

function trailerFields(
  { code, message }: Outcome,
  metadata: readonly (Metadata | undefined)[],
): Field[] {
  const status: Field[] = [["grpc-status", String(code)]];
  const encoded = encodeStatusMessage(message);
  if (encoded !== "") status.push(["grpc-message", encoded]);
  const more = metadata.flatMap((some) => some ? metadataFields(some) : []);
  const usedBytes = fieldsBytes(RESPONSE) + fieldsBytes(status);
  return [...status, ...bounded(more, usedBytes)];
}

/** The fields that fit; clients lose the status of a call with more. */
function bounded(fields: readonly Field[], usedBytes: number): Field[] {
  let bytes = usedBytes;
  return fields.filter((field) => {
    const fits = bytes + fieldsBytes([field]) < MAX_TRAILERS_BYTES;
    if (fits) bytes += fieldsBytes([field]);
    return fits;
  });
}
