/**
 * What a failed call looks like.
 *
 * @module
 */

import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { pauses } from "./waiting.ts";

/** Expects a call to fail with a status and, if given, a message. */
export async function rejectsWith(
  code: keyof typeof status,
  call: Promise<unknown>,
  message?: RegExp,
): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    const { code: actual, details } = error as {
      code: number;
      details: string;
    };
    assert.equal(status[actual], code, details);
    if (message) assert.match(details, message);
    return true;
  });
}

/** Asks again and again until the answer is the expected one. */
export async function until<T>(
  ask: () => Promise<T>,
  accept: (answer: T) => boolean,
  limitMs = 20_000,
): Promise<T> {
  const endMs = Date.now() + limitMs;
  const pause = pauses();
  for (;;) {
    const answer = await ask();
    if (accept(answer)) return answer;
    if (Date.now() > endMs) {
      throw new Error(`gave up waiting; last answer ${JSON.stringify(answer)}`);
    }
    await pause();
  }
}
