/**
 * `grpc-message`: text for people, in a header field.
 *
 * @module
 */

import { MAX_STATUS_MESSAGE_BYTES } from "./limits.ts";

/** Sent as it is: no percent sign, no space at either end. */
const PLAIN = /^(?:[!-$&-~](?:[ -$&-~]*[!-$&-~])?)?$/;

const encoder = new TextEncoder();

/**
 * Percent-encodes a status message, and cuts it at a character where it would
 * become longer than 1 KiB.
 *
 * @param message Any text; what is no Unicode becomes U+FFFD.
 * @returns Printable ASCII.
 */
export function encodeStatusMessage(message: string): string {
  if (message.length <= MAX_STATUS_MESSAGE_BYTES && PLAIN.test(message)) {
    return message;
  }
  let encoded = "";
  for (const character of message) {
    const next = encodeCharacter(character);
    if (encoded.length + next.length > MAX_STATUS_MESSAGE_BYTES) break;
    encoded += next;
  }
  return encodeEnds(encoded);
}

function encodeCharacter(character: string): string {
  if (character >= " " && character <= "~" && character !== "%") {
    return character;
  }
  let encoded = "";
  for (const byte of encoder.encode(character)) encoded += percent(byte);
  return encoded;
}

/** A field's value must not begin or end with a space. */
function encodeEnds(value: string): string {
  const inner = value.replace(/^ +| +$/g, "");
  if (inner.length === value.length) return value;
  const start = value.startsWith(" ") ? percent(0x20) + value.slice(1) : value;
  const both = start.endsWith(" ") ? start.slice(0, -1) + percent(0x20) : start;
  // The two may have made it a few bytes too long; then spaces are what goes.
  return both.length > MAX_STATUS_MESSAGE_BYTES ? inner : both;
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
