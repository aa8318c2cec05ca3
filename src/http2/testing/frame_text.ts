/**
 * Frames as the RFC speaks of them, so that a test says what must come back in
 * a line each.
 *
 * @module
 */

import { ErrorCode } from "../error_codes.ts";
import { Flag, FrameType, readUint31, readUint32 } from "../frames.ts";
import { HpackDecoder } from "../hpack/mod.ts";
import { Setting } from "../settings.ts";

const CODES = namesOf(ErrorCode);
const SETTINGS = namesOf(Setting);
const TYPES = namesOf(FrameType);

/** Reads the frames of one server. */
export class FrameText {
  readonly #decoder = new HpackDecoder({
    maxListBytes: 65_536,
    maxDecodedBytes: 65_536,
  });
  /** What came of each stream's DATA. */
  readonly bodies = new Map<number, Uint8Array[]>();

  /** Whole frames, a line each. */
  read(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = readUint32(bytes, at) >>> 8;
      const type = bytes[at + 3]!;
      const flags = bytes[at + 4]!;
      const streamId = readUint31(bytes, at + 5);
      const payload = bytes.slice(at + 9, at + 9 + length);
      if (payload.length < length) throw new Error("half a frame");
      lines.push(this.#line(type, flags, streamId, payload));
      at += 9 + length;
    }
    return lines;
  }

  #line(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
  ): string {
    const words: (string | number | undefined)[] = [TYPES.get(type)];
    const isLast = flags & Flag.END_STREAM;
    switch (type) {
      case FrameType.HEADERS:
        words.push(streamId, ...this.#fields(payload));
        if (isLast) words.push("END_STREAM");
        break;
      case FrameType.DATA: {
        words.push(streamId, payload.length);
        if (isLast) words.push("END_STREAM");
        const body = this.bodies.get(streamId) ?? [];
        this.bodies.set(streamId, [...body, payload]);
        break;
      }
      case FrameType.SETTINGS:
        if (flags & Flag.ACK) words.push("ACK");
        for (let at = 0; at < payload.length; at += 6) {
          const value = readUint32(payload, at + 2);
          words.push(`${SETTINGS.get(payload[at + 1]!)}=${value}`);
        }
        break;
      case FrameType.PING:
        if (flags & Flag.ACK) words.push("ACK");
        break;
      case FrameType.WINDOW_UPDATE:
        words.push(streamId, readUint32(payload, 0));
        break;
      case FrameType.RST_STREAM:
        words.push(streamId, CODES.get(readUint32(payload, 0)));
        break;
      case FrameType.GOAWAY:
        words.push(readUint32(payload, 0), CODES.get(readUint32(payload, 4)));
        break;
    }
    return words.join(" ");
  }

  #fields(block: Uint8Array): string[] {
    const fields: string[] = [];
    // An update of the table's size, which a client waits for.
    if (block[0]! >> 5 === 1) fields.push(`[table ${block[0]! & 0x1f}]`);
    this.#decoder.decode(block, {
      header: (name, value) => fields.push(`${name}=${value}`),
    });
    return fields;
  }
}

function namesOf(codes: Readonly<Record<string, number>>): Map<number, string> {
  return new Map(Object.entries(codes).map(([name, code]) => [code, name]));
}
