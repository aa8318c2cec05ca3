/**
 * Metadata as header fields, in both directions.
 *
 * @module
 */

import { BINARY_SUFFIX, Metadata, NAME, PRINTABLE } from "./metadata.ts";
import { Status, StatusError } from "./status.ts";

const RESERVED_PREFIX = "grpc-";
/** The one reserved name that handlers may send: their status, in detail. */
const DETAILS = "grpc-status-details-bin";

/** Fields of a request that are HTTP's or gRPC's own. */
const NOT_METADATA: ReadonlySet<string> = new Set(["te", "content-type"]);

/** Fields that belong to the reply itself. */
const NOT_SENT: ReadonlySet<string> = new Set([
  ...["content-type", "content-length", "te", "connection", "keep-alive"],
  ...["proxy-connection", "transfer-encoding", "upgrade"],
]);

/** What HPACK counts for a field beside its name and value. */
const FIELD_OVERHEAD_BYTES = 32;

/** A header field: its name and its value. */
export type Field = readonly [name: string, value: string];

/**
 * Reads the metadata of a request.
 *
 * @param fields name, value, name, value …
 * @returns All that is not HTTP's or gRPC's own.
 */
export function parseMetadata(fields: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at]!;
    const value = fields[at + 1]!;
    // Not by gRPC's rules, and nothing that a handler could send back.
    if (NOT_METADATA.has(name) || name.startsWith(RESERVED_PREFIX)) continue;
    if (!NAME.test(name) || !PRINTABLE.test(value)) continue;
    if (!name.endsWith(BINARY_SUFFIX)) {
      metadata.add(name, value);
      continue;
    }
    for (const part of value.split(",")) metadata.add(name, decode(name, part));
  }
  return metadata;
}

function decode(name: string, base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw new StatusError(
      Status.INTERNAL,
      `malformed binary metadata in ${name}: it has to be base64`,
    );
  }
}

/**
 * The fields of metadata that is sent. Reserved names are left out.
 *
 * @param metadata What a handler wants to send.
 * @returns Names with values.
 */
export function metadataFields(metadata: Metadata): Field[] {
  const fields: Field[] = [];
  for (const [name, value] of metadata) {
    const isReserved = name.startsWith(RESERVED_PREFIX) && name !== DETAILS;
    if (isReserved || NOT_SENT.has(name)) continue;
    // A field's value must not begin or end with a space.
    const text = typeof value === "string"
      ? value.trim()
      : value.toBase64({ omitPadding: true });
    fields.push([name, text]);
  }
  return fields;
}

/**
 * How large a list of fields is for HTTP/2.
 *
 * @param fields Names with values.
 * @returns Bytes.
 */
export function fieldsBytes(fields: readonly Field[]): number {
  let bytes = 0;
  for (const [name, value] of fields) {
    bytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
  }
  return bytes;
}
