/**
 * What the first bytes of a reply say.
 *
 * @module
 */

import type { Outcome } from "./received.ts";

/** An `Empty` in a reply is gRPC's prefix and nothing else. */
const PREFIX_BYTES = 5;
/** `GetReply`'s fields, as tags of the wire. */
const TAG = { assign: 0x12, loading: 0x1a, ready: 0x22 };

/** Whether a Get was told that somebody has the work, or that it is not read yet. */
export function isLoading({ how, head }: Outcome): boolean {
  return how === "answered" && head[PREFIX_BYTES] === TAG.loading;
}

/** Throws unless the reply is an `Empty`. */
export function expectEmpty(what: string, { how, dataBytes }: Outcome): void {
  if (how === "answered" && dataBytes === PREFIX_BYTES) return;
  throw new Error(`${what}: ${how} with ${dataBytes} bytes`);
}

/** The id, and the path where there is one, of an AssignReply or ReadyReply. */
export function idAndPath(
  what: string,
  { how, head }: Outcome,
): { id: bigint; path: string } {
  const tag = head[PREFIX_BYTES];
  if (how !== "answered" || (tag !== TAG.assign && tag !== TAG.ready)) {
    throw new Error(`${what}: ${how} with tag ${tag}`);
  }
  let at = PREFIX_BYTES + 1;
  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const octet = head[at++]!;
      value |= BigInt(octet & 127) << shift;
      if (octet < 128) return value;
    }
  }
  const end = Number(varint()) + at;
  at++;
  const id = varint();
  if (at >= end || head[at++] !== TAG.assign) return { id, path: "" };
  const size = Number(varint());
  return { id, path: new TextDecoder().decode(head.subarray(at, at + size)) };
}
