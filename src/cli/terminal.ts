/**
 * What may be shown on a terminal: a value of other bytes than text would leave
 * it in a strange state.
 *
 * @module
 */

import { StartError } from "../errors.ts";

/** What text has no use for, but for tab, newline, return, and colours. */
// deno-lint-ignore no-control-regex
const NO_TEXT = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\ufffd]/;
/** The last letter of a piece may be cut in its midst: of at most 3 bytes. */
const MAX_CUT_BYTES = 3;

/** Whether bytes are no text that a terminal can show; of a longer text, too. */
export function isBinary(bytes: Uint8Array): boolean {
  const whole = new TextDecoder().decode(bytes);
  return NO_TEXT.test(
    whole.replace(new RegExp(`\ufffd{1,${MAX_CUT_BYTES}}$`), ""),
  );
}

/**
 * The same pieces, unless they are no text.
 *
 * @throws {StartError} With the first piece that is none.
 */
export async function* textOnly(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    if (isBinary(piece)) {
      throw new StartError(
        1,
        "the value is no text, and stdout is a terminal: write it with " +
          "-o FILE, or pass it on with |; -o - prints it all the same",
      );
    }
    yield piece;
  }
}
