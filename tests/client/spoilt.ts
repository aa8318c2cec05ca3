/**
 * Values of which a byte changes on the way.
 *
 * @module
 */

/** All bytes of such a value. */
export const FILL = 0xab;
/** Neither HTTP/2 nor gRPC says that so often. */
const RUN = 64;

/**
 * Changes one byte of what looks like the value, once so much of it has come;
 * says whether it has.
 */
export function spoilAfter(count: number): (bytes: Uint8Array) => boolean {
  let seen = 0;
  return (bytes) => {
    const run = Array(RUN).fill(FILL).join();
    for (let at = 0; at + RUN <= bytes.length && seen <= count; at += RUN) {
      if (bytes.subarray(at, at + RUN).join() !== run) continue;
      seen += RUN;
      if (seen > count) bytes[at] = 0;
    }
    return seen > count;
  };
}
