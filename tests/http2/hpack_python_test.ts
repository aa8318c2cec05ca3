/** Python's `hpack`, which shares no code with ours, reads and is read. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import {
  encodeHeaders,
  encodeTableSizeUpdate,
  HpackDecoder,
} from "../../src/http2/hpack/mod.ts";
import {
  decodeFields,
  type Field,
} from "../../src/http2/hpack/testing/collected.ts";
import { hasPython, pythonEnvironment } from "../support/python.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const ALL_OCTETS = String.fromCharCode(...Array(256).keys());
const FIXED: readonly (readonly Field[])[] = [
  [],
  [[":status", "200"], ["content-type", "application/grpc"]],
  [["grpc-status", "0"], ["grpc-message", "na%C3%AFve"]],
  [[":status", "201"], [":authority", ""], ["x", ALL_OCTETS]],
  [["x", "long".repeat(2000)], ["n".repeat(500), ""]],
];

/** Lists like those of replies, and lists of any octets. */
function randomLists(seed: number): Field[][] {
  const octets = fc.uint8Array({ maxLength: 60 })
    .map((chars) => String.fromCharCode(...chars));
  const name = fc.oneof(
    fc.constantFrom(":status", "content-type", "grpc-status", "server"),
    // Python's encoder takes an empty name for an index.
    octets.filter((name) => name !== ""),
  );
  const value = fc.oneof(fc.constantFrom("200", "0", ""), octets);
  const list = fc.array(fc.tuple(name, value), { maxLength: 8 });
  return fc.sample(list, { numRuns: 300, seed });
}

async function askPython(python: string, question: unknown): Promise<{
  decoded: Field[][];
  encoded: string[];
}> {
  const child = new Deno.Command(python, {
    args: [`${here}python_hpack.py`],
    env: { PYTHONDONTWRITEBYTECODE: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(question)));
  await writer.close();
  const { success, stdout } = await child.output();
  assert.ok(success, "Python failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("Python's hpack reads our header blocks, and we read Python's", async () => {
  if (!await hasPython()) {
    return console.log("skipped: no python3, 3.11 or later, with venv");
  }
  let python: string;
  try {
    python = await pythonEnvironment({
      requirements: `${here}requirements.txt`,
      module: "hpack",
    });
  } catch (error) {
    return console.log(`skipped: Python's hpack cannot be had: ${error}`);
  }
  const seed = Math.floor(Math.random() * 2 ** 31);
  const lists = [...FIXED, ...randomLists(seed)];
  const answer = await askPython(python, {
    decode: lists.map((fields, at) =>
      // A peer that lowered its table is told so, in any block.
      (at % 3 === 0 ? encodeTableSizeUpdate(0).toHex() : "") +
      encodeHeaders(fields).toHex()
    ),
    encode: lists,
  });
  assert.deepEqual(answer.decoded, lists, `seed ${seed}`);
  const decoder = new HpackDecoder({
    maxListBytes: 100_000,
    maxDecodedBytes: 100_000,
  });
  assert.deepEqual(
    answer.encoded.map((hex) => decodeFields(decoder, Uint8Array.fromHex(hex))),
    lists,
    `seed ${seed}`,
  );
});
