/**
 * Tells a caller what the server saw of its call, and sends the metadata and
 * errors that the caller asked for.
 *
 * @module
 */

import {
  type Call,
  Metadata,
  type StatusCode,
  StatusError,
} from "../../src/grpc/mod.ts";
import {
  type Any,
  type ErrorDefinition,
  type Header,
  messages,
  type RequestInfo,
  type ResponseFrame,
} from "./definitions.ts";

const BINARY_SUFFIX = "-bin";
const TYPE_URL = "type.googleapis.com/connectrpc.conformance.v1.";
const INFO_TYPE = "ConformancePayload.RequestInfo";
const { requestSerialize: serializeInfo, responseSerialize: serializeStatus } =
  messages.Details!;

/**
 * A message of the suite in an envelope.
 *
 * @param type Its name within the suite's package.
 * @param value Its bytes.
 * @returns The envelope.
 */
export function envelope(type: string, value: Uint8Array): Any {
  return { type_url: TYPE_URL + type, value };
}

/**
 * What the server sees of a call.
 *
 * @param call Whose headers and timeout.
 * @param requests That have come.
 * @param nowMs On the clock of the call's deadline.
 * @returns For a payload or the details of an error.
 */
export function requestInfo(
  call: Call,
  requests: readonly Any[],
  nowMs: number,
): RequestInfo {
  const values = new Map<string, string[]>();
  for (const [name, value] of call.metadata) {
    const text = typeof value === "string"
      ? value
      : value.toBase64({ omitPadding: true });
    values.set(name, [...values.get(name) ?? [], text]);
  }
  return {
    request_headers: [...values].map(([name, value]) => ({ name, value })),
    ...call.deadlineMs !== undefined && {
      timeout_ms: Math.max(0, Math.round(call.deadlineMs - nowMs)),
    },
    requests,
  };
}

/**
 * Takes over the metadata that a caller wants to see.
 *
 * @param call To answer.
 * @param definition Where it says so.
 */
export function addMetadata(
  { initialMetadata, trailingMetadata }: Call,
  { response_headers, response_trailers }: ResponseFrame,
): void {
  addHeaders(initialMetadata, response_headers);
  addHeaders(trailingMetadata, response_trailers);
}

function addHeaders(metadata: Metadata, headers: readonly Header[]): void {
  for (const { name, value } of headers) {
    const isBinary = name.toLowerCase().endsWith(BINARY_SUFFIX);
    for (const text of value) {
      metadata.add(name, isBinary ? Uint8Array.fromBase64(text) : text);
    }
  }
}

/**
 * The error that a caller wants to see.
 *
 * @param definition Of the error.
 * @param info Put into its details, unless it was sent before.
 * @returns What a handler throws.
 */
export function errorOf(
  { code, message = "", details }: ErrorDefinition,
  info?: RequestInfo,
): StatusError {
  const all = info === undefined
    ? details
    : [...details, envelope(INFO_TYPE, serializeInfo(info))];
  const trailers = new Metadata();
  if (all.length > 0) {
    const status = serializeStatus({ code, message, details: all });
    trailers.add("grpc-status-details-bin", status);
  }
  return new StatusError(code as StatusCode, message, trailers);
}
