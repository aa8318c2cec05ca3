/**
 * What a command says, on its way to whoever listens.
 *
 * @module
 */

import type { Writable } from "node:stream";
import { isBrokenPipe, write } from "../output.ts";

/**
 * Writes pieces to our stdout or stderr. When nobody reads them any more, the
 * others are taken all the same.
 *
 * @param pieces What is said.
 * @param to Our stdout or stderr.
 * @param keep Is given each piece as well.
 */
export async function passOn(
  pieces: AsyncIterable<Uint8Array>,
  to: Writable,
  keep: (piece: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  let isHeard = true;
  for await (const piece of pieces) {
    await keep(piece);
    if (!isHeard) continue;
    try {
      await write(to, piece);
    } catch (error) {
      if (!isBrokenPipe(error)) throw error;
      isHeard = false;
    }
  }
}
