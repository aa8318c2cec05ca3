import { equal, match } from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { Stall } from "./stall.ts";

const PIECE = new Uint8Array(10);
/** Too long. */
const MS = 50;

async function* twoPieces() {
  yield await Promise.resolve(PIECE);
  yield await Promise.resolve(PIECE);
}

async function* oneThenNone() {
  yield await Promise.resolve(PIECE);
  await new Promise(() => {});
}

/** Why it is over, when it is. */
async function overOf({ signal }: Stall): Promise<Error> {
  // A call would keep the process alive.
  const alive = setInterval(() => {}, MS);
  try {
    return await new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(signal.reason))
    );
  } finally {
    clearInterval(alive);
  }
}

Deno.test("a piece that never comes is not waited for", async () => {
  using stall = new Stall(MS);
  const over = overOf(stall);
  const pieces = stall.coming(oneThenNone());
  equal((await pieces.next()).value, PIECE);
  void pieces.next();
  match((await over).message, /the server lives, but has moved nothing for/);
});

Deno.test("whoever does not take a piece, or does not answer, is not waited for", async () => {
  for (const taken of [1, 3]) {
    using stall = new Stall(MS);
    const over = overOf(stall);
    const pieces = stall.going(twoPieces());
    for (let at = 0; at < taken; at++) await pieces.next();
    match((await over).message, /has moved nothing/);
  }
});

Deno.test("our own time does not count", async () => {
  using stall = new Stall(MS);
  for await (const _ of stall.coming(twoPieces())) await pause(3 * MS);
  const slow = async function* () {
    for await (const piece of twoPieces()) {
      await pause(3 * MS);
      yield piece;
    }
  };
  for await (const _ of stall.going(slow()));
  equal(stall.signal.aborted, false);
});
