/**
 * Metadata: what goes with a call beside its messages.
 *
 * @module
 */

import { Status, StatusError } from "./status.ts";

const NAME = /^[0-9a-z_.-]+$/;
const PRINTABLE = /^[ -~]*$/;
const BINARY_SUFFIX = "-bin";
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
 * Names with values in order; a name can occur several times. The values of
 * names that end in `-bin` are bytes, all others printable ASCII.
 */
export class Metadata {
  readonly #entries: [string, string | Uint8Array][] = [];

  /** How many entries there are. */
  get size(): number {
    return this.#entries.length;
  }

  /**
   * Adds an entry, beside those of the same name.
   *
   * @param name Upper case is lowered.
   * @param value Bytes for `-bin`, else printable ASCII.
   * @returns This.
   */
  add(name: string, value: string | Uint8Array): this {
    const lower = name.toLowerCase();
    if (!NAME.test(lower)) {
      throw new TypeError(
        `${JSON.stringify(name)} is no name for metadata: use a-z 0-9 _ . -`,
      );
    }
    if (lower.endsWith(BINARY_SUFFIX) !== (value instanceof Uint8Array)) {
      throw new TypeError(
        `the values of ${lower} are ${
          typeof value === "string" ? "bytes" : "text"
        }: names of bytes end in -bin`,
      );
    }
    if (typeof value === "string" && !PRINTABLE.test(value)) {
      throw new TypeError(
        `the value of ${lower} is not printable ASCII: use a name with -bin`,
      );
    }
    this.#entries.push([lower, value]);
    return this;
  }

  /** The first value of a name. */
  get(name: string): string | Uint8Array | undefined {
    const lower = name.toLowerCase();
    return this.#entries.find(([known]) => known === lower)?.[1];
  }

  /** All values of a name, in order. */
  getAll(name: string): (string | Uint8Array)[] {
    const lower = name.toLowerCase();
    return this.#entries.filter(([known]) => known === lower)
      .map(([, value]) => value);
  }

  /** The entries in order. */
  [Symbol.iterator](): Iterator<[string, string | Uint8Array]> {
    return this.#entries[Symbol.iterator]();
  }
}

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
