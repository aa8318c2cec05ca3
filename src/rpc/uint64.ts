/**
 * Numbers of 64 bits: decimal strings in here, seven bits a byte on the wire.
 *
 * JavaScript computes exactly with 53 bits. These are converted in one typed
 * array that is seen as one of 64 and as two of 32 bits, which takes a third of
 * the time of a division by tens, and makes no object but the string.
 *
 * @module
 */

const whole = new BigUint64Array(1);
const halves = new Uint32Array(whole.buffer);
/** Where the lower half lies depends on the machine. */
const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/** From groups of 28, 28 and 8 bits, the lowest first. */
export function decimal(low: number, middle: number, high: number): string {
  if (high === 0 && middle === 0) return String(low);
  halves[LOW] = low | (middle << 28);
  halves[HIGH] = (middle >>> 4) | (high << 24);
  return whole[0]!.toString();
}

/**
 * Writes one as a varint.
 *
 * @param value In decimal.
 * @returns Where the next byte goes: at most ten further on.
 */
export function writeUint64(
  into: Uint8Array,
  at: number,
  value: string,
): number {
  whole[0] = BigInt(value);
  let low = halves[LOW]!;
  let high = halves[HIGH]!;
  while (high > 0) {
    into[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  return writeVarint(into, at, low);
}

/** The same for a number of at most 32 bits. */
export function writeVarint(
  into: Uint8Array,
  at: number,
  value: number,
): number {
  while (value > 0x7f) {
    into[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  into[at++] = value;
  return at;
}

/** How many bytes {@linkcode writeVarint} takes. */
export function varintBytes(value: number): number {
  const bits = 32 - Math.clz32(value);
  return Math.max(1, Math.ceil(bits / 7));
}
