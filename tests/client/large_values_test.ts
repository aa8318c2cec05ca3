/** A client's memory does not grow with the values that go through it. */

import assert from "node:assert/strict";
import { Child, denoCommand, withServerHere } from "./support.ts";

const PROGRAM = new URL("./programs/large_value.ts", import.meta.url);
/** 4096 were tried by hand: at most 97 MB above the idle client. */
const PIECES = 256;
const MOST_BYTES = 200_000_000;

Deno.test("a value much larger than the client's memory goes in and out", () =>
  withServerHere(async ({ remote }) => {
    await using child = new Child(denoCommand(PROGRAM, remote, `${PIECES}`));
    const { lines, code } = await child.end();
    assert.equal(code, 0);
    assert(Number(lines[0]) < MOST_BYTES, `${lines[0]} bytes`);
  }));
