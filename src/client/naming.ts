/**
 * Errors of values on their way, which know nothing of who sends them.
 *
 * @module
 */

import type { Body } from "./backend.ts";
import { CacheError } from "./cache_error.ts";

/** The same value; what goes wrong with it names the server. */
export function naming(name: string, body: Body): Body {
  return { ...body, chunks: () => eachOf(body, name) };
}

async function* eachOf(
  body: Body,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body.chunks();
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    const message = `${name}: ${error.message}`;
    throw new CacheError(error.code, message, { cause: error.cause });
  }
}
