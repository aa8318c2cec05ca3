/**
 * What a command says, on its way to whoever listens.
 *
 * @module
 */

import type { Writable } from "node:stream";
import { isBrokenPipe, write } from "../output.ts";

/** What has been written, and not been read, when a process ends: some pipes. */
const IN_PIPES_BYTES = 1024 * 1024;
/**
 * What is taken of what nobody reads any more, to be kept. Beyond that the pipe
 * is closed, which ends a command that has no end of its own: `yes | head`.
 */
const UNHEARD_BYTES = 64 * 1024 * 1024;
/** What is in a pipe comes at once. */
const AT_ONCE_MS = 50;

/** How to pass it on. */
export interface PassOnOptions {
  /** Is given each piece as well; never fails. */
  readonly keep?: (piece: Uint8Array) => Promise<void>;
  /** Resolves when no more than what is in the pipes is waited for. */
  readonly leave?: Promise<void>;
}

/** What came of it. */
export interface PassedOn {
  /** Why they did not come to their end; `undefined`: they did. */
  readonly gap: string | undefined;
  /** Why not all of it was written; nobody who listens is no failure. */
  readonly failure: unknown;
}

/**
 * Writes pieces to our stdout or stderr. When nobody reads them any more, or
 * they cannot be written, the others are taken all the same: whoever says them
 * must not be stopped.
 *
 * @param pieces What is said.
 * @param to Our stdout or stderr.
 * @param options What else becomes of them.
 */
export async function passOn(
  pieces: AsyncIterable<Uint8Array>,
  to: Writable,
  { keep, leave }: PassOnOptions = {},
): Promise<PassedOn> {
  let isHeard = true;
  let failure: unknown;
  let unheard = 0;
  for await (const piece of leave ? until(pieces, leave) : pieces) {
    if (piece === LEFT) return { gap: LEFT_BEHIND, failure };
    await keep?.(piece);
    if (!isHeard) {
      unheard += piece.length;
      const isTooMuch = failure === undefined && unheard > UNHEARD_BYTES;
      if (isTooMuch) return { gap: UNHEARD, failure };
      continue;
    }
    try {
      await write(to, piece);
    } catch (error) {
      isHeard = false;
      if (!isBrokenPipe(error)) failure = error;
    }
  }
  return { gap: undefined, failure };
}

const LEFT_BEHIND =
  "a process that the command has left behind still has its output";
const UNHEARD = "nobody reads what the command says";

/** Stands for the pieces that were not waited for. */
const LEFT = new Uint8Array(0);

/** The pieces; {@linkcode LEFT} if the end has not come long after `leave`. */
async function* until(
  pieces: AsyncIterable<Uint8Array>,
  leave: Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = pieces[Symbol.asyncIterator]();
  let isLate = false;
  let late = 0;
  const left = leave.then(() => {
    isLate = true;
    return undefined;
  });
  for (;;) {
    const next = iterator.next();
    // Its end is waited for elsewhere, or by nobody.
    next.catch(() => {});
    const came = await Promise.race([next, isLate ? soon() : left]) ??
      await Promise.race([next, soon()]);
    if (came?.done) return;
    if (isLate) late += came?.value.length ?? 0;
    if (!came || late > IN_PIPES_BYTES) return yield LEFT;
    yield came.value;
  }
}

function soon(): Promise<undefined> {
  return new Promise((resolve) =>
    setTimeout(() => resolve(undefined), AT_ONCE_MS)
  );
}
