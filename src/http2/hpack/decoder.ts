/**
 * Decodes header blocks (RFC 7541). What a client can make it cost is bounded:
 * the table, every integer, every string and the whole list.
 *
 * @module
 */

import { ENTRY_OVERHEAD_BYTES, HeaderTable } from "./header_table.ts";
import { HpackError } from "./hpack_error.ts";
import { type Cursor, readInteger } from "./integers.ts";
import { STATIC_LENGTH, STATIC_NAMES, STATIC_VALUES } from "./static_table.ts";
import { readString } from "./strings.ts";

/**
 * The table that a client may use: what HTTP/2 begins with, so that it needs no
 * announcement. It is never raised, whatever a client wants.
 */
const MAX_TABLE_BYTES = 4096;
/** Size updates of one block: the smallest size in between, and the last. */
const MAX_SIZE_UPDATES = 2;

/** First octets of a field: from these values on, and the bits of the integer. */
const INDEXED = 0x80;
const INDEXED_BITS = 0x7f;
const LITERAL_TO_INDEX = 0x40;
const LITERAL_TO_INDEX_BITS = 0x3f;
const SIZE_UPDATE = 0x20;
const SIZE_UPDATE_BITS = 0x1f;
/** A literal that is not indexed, and one that never must be. */
const LITERAL_BITS = 0x0f;

/**
 * Header fields in order; names and values are strings of one char per octet
 * (U+0000 to U+00FF).
 */
export interface HeaderSink {
  /**
   * Takes a field. It counts as name.length + value.length + 32 bytes. What is
   * thrown here goes through the decoder, and leaves it unusable.
   */
  header(name: string, value: string): void;
}

/** What a decoder is bounded by, in bytes as RFC 9113, section 6.5.2, counts. */
export interface HpackDecoderOptions {
  /** Fields beyond this total are decoded, but not delivered. */
  readonly maxListBytes: number;
  /** A list beyond this total is an error. */
  readonly maxDecodedBytes: number;
  /** The dynamic table, as announced to the client; by default 4,096. */
  readonly maxTableBytes?: number;
}

/** Decodes the header blocks of one connection, in the order they came in. */
export class HpackDecoder {
  readonly #maxListBytes: number;
  readonly #maxDecodedBytes: number;
  readonly #maxTableBytes: number;
  readonly #table: HeaderTable;
  readonly #cursor: Cursor = { at: 0 };

  /** Makes a decoder with an empty table. */
  constructor(options: HpackDecoderOptions) {
    this.#maxListBytes = options.maxListBytes;
    this.#maxDecodedBytes = options.maxDecodedBytes;
    this.#maxTableBytes = options.maxTableBytes ?? MAX_TABLE_BYTES;
    this.#table = new HeaderTable(this.#maxTableBytes);
  }

  /**
   * Decodes one whole header block. The block is not kept.
   *
   * @param block The fragments of HEADERS and its CONTINUATIONs, put together.
   * @param sink Takes the fields.
   * @returns Whether the list is larger than `maxListBytes`; then the sink got
   * only a part of it, and the table is in step all the same.
   * @throws {HpackError} The block is malformed, or larger than
   * `maxDecodedBytes`. The decoder must not be used again.
   */
  decode(block: Uint8Array, sink: HeaderSink): boolean {
    const cursor = this.#cursor;
    const table = this.#table;
    cursor.at = 0;
    this.#updateSize(block);
    let totalBytes = 0;
    while (cursor.at < block.length) {
      const first = block[cursor.at]!;
      let name: string;
      let value: string;
      if (first >= INDEXED) {
        const index = readInteger(block, cursor, INDEXED_BITS);
        name = this.#nameOf(index);
        value = index <= STATIC_LENGTH
          ? STATIC_VALUES[index]!
          : table.valueAt(index - STATIC_LENGTH - 1);
      } else {
        const leftBytes = this.#maxDecodedBytes - totalBytes -
          ENTRY_OVERHEAD_BYTES;
        if (first >= LITERAL_TO_INDEX) {
          name = this.#name(block, LITERAL_TO_INDEX_BITS, leftBytes);
          value = readString(block, cursor, leftBytes - name.length);
          table.add(name, value);
        } else if (first >= SIZE_UPDATE) {
          throw new HpackError(
            "a table size update stands after a field, or is the third",
          );
        } else {
          name = this.#name(block, LITERAL_BITS, leftBytes);
          value = readString(block, cursor, leftBytes - name.length);
        }
      }
      totalBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
      if (totalBytes > this.#maxDecodedBytes) {
        throw new HpackError(
          `the header list takes more than ${this.#maxDecodedBytes} bytes`,
        );
      }
      if (totalBytes <= this.#maxListBytes) sink.header(name, value);
    }
    return totalBytes > this.#maxListBytes;
  }

  /** Takes the size updates that a block may begin with. */
  #updateSize(block: Uint8Array): void {
    for (let updates = 0; updates < MAX_SIZE_UPDATES; updates++) {
      const first = block[this.#cursor.at];
      if (first === undefined || first >> 5 !== SIZE_UPDATE >> 5) return;
      const bytes = readInteger(block, this.#cursor, SIZE_UPDATE_BITS);
      if (bytes > this.#maxTableBytes) {
        throw new HpackError(
          `a table size update to ${bytes}: at most ${this.#maxTableBytes} was announced`,
        );
      }
      this.#table.resize(bytes);
    }
  }

  /** Reads the name of a literal: an index, or 0 and a string. */
  #name(block: Uint8Array, bits: number, limitBytes: number): string {
    const index = readInteger(block, this.#cursor, bits);
    return index === 0
      ? readString(block, this.#cursor, limitBytes)
      : this.#nameOf(index);
  }

  /** The name at an index of both tables; refuses an index of none. */
  #nameOf(index: number): string {
    if (index <= STATIC_LENGTH && index > 0) return STATIC_NAMES[index]!;
    const place = index - STATIC_LENGTH - 1;
    if (place < 0 || place >= this.#table.length) {
      throw new HpackError(
        `index ${index}: the tables have 1 to ${
          STATIC_LENGTH + this.#table.length
        }`,
      );
    }
    return this.#table.nameAt(place);
  }
}
