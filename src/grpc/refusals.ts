/**
 * Answers to what is not gRPC: a line of text helps whoever points curl at the
 * port.
 *
 * @module
 */

import type { ServerStream } from "../http2/stream_api.ts";
import { textHeaders } from "./replies.ts";

const encoder = new TextEncoder();

interface Refusal {
  readonly headers: Uint8Array;
  readonly text: Uint8Array;
}

const NOT_POST: Refusal = {
  headers: textHeaders(405, ["allow", "POST"]),
  text: encoder.encode("This port speaks gRPC: only POST is allowed here.\n"),
};

const NOT_GRPC: Refusal = {
  headers: textHeaders(415),
  text: encoder.encode(
    "This port speaks gRPC: the content-type has to be application/grpc.\n",
  ),
};

/** Answers a request whose method is not POST. */
export function refuseMethod(stream: ServerStream): void {
  refuse(stream, NOT_POST);
}

/** Answers a request whose content is not gRPC. */
export function refuseContent(stream: ServerStream): void {
  refuse(stream, NOT_GRPC);
}

function refuse(stream: ServerStream, { headers, text }: Refusal): void {
  stream.headers(headers);
  stream.data([text]);
  stream.endData();
}

const USUAL: ReadonlySet<string | undefined> = new Set([
  "application/grpc",
  "application/grpc+proto",
]);

/**
 * Whether a content type is gRPC with Protocol Buffers.
 *
 * @param contentType The value of the field, if any.
 * @returns Whether its messages can be read.
 */
export function isGrpc(contentType: string | undefined): boolean {
  if (USUAL.has(contentType)) return true;
  if (contentType === undefined) return false;
  return USUAL.has(contentType.split(";", 1)[0]!.trim().toLowerCase());
}
