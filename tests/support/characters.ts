/**
 * Characters for tests of properties.
 *
 * @module
 */

import fc from "fast-check";

const SURROGATES = 0xd800;
const AFTER_SURROGATES = 0xe000;
const COUNT = 0x110000 - (AFTER_SURROGATES - SURROGATES);

/**
 * Every character, one as often as another; fast-check's own unit `binary` takes a
 * second to be made.
 */
export const character: fc.Arbitrary<string> = fc.nat(COUNT - 1).map((n) =>
  String.fromCodePoint(n < SURROGATES ? n : n + AFTER_SURROGATES - SURROGATES)
);
