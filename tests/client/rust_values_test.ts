/** What Rust programs and ours find of each other's, as docs/FLEXBUFFERS.md says. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  fromHex,
  oddVectors,
  toHex,
  typedVectors,
} from "../../src/client/codecs/testing/golden.ts";
import {
  Cache,
  flexbuffers,
  flexbuffersKey,
  uint,
} from "../../src/client/mod.ts";
import { RemoteClient } from "../support/clients.ts";
import { withServerHere } from "./support.ts";

const NS = "tests.rust";
type Result = { Ok: unknown } | { Err: string };
const results = flexbuffers<Result>();
/** The struct `Point { x: 1, y: -2 }`, as ours. */
const POINT = { x: 1, y: -2 };

function vector(name: string): Uint8Array {
  return fromHex(oddVectors().get(name)!.hex!);
}

/** The key that Rust makes of the point, from Rust's bytes. */
function rustKey(): Uint8Array {
  const { hex } = typedVectors().find(({ name }) => name === "struct")!;
  return new Uint8Array(createHash("sha256").update(hex, "hex").digest());
}

for (
  const [name, value] of [
    ["Ok", { Ok: 7 }],
    ["Err", { Err: "no" }],
    ["bare", 7],
  ] as const
) {
  Deno.test(`what Rust keeps as ${name} is found by its key`, () =>
    withServerHere(async ({ remote }) => {
      using rust = new RemoteClient(remote);
      const { id } = await rust.assigned(NS, rustKey());
      await rust.set(id, vector(name));
      await using cache = await Cache.connect({ remote });
      const found = await cache.generateDetailed<unknown>(
        NS,
        flexbuffersKey(POINT),
        () => assert.fail("it is there"),
        { codec: flexbuffers() },
      );
      const plain = typeof value === "object"
        ? Object.assign(Object.create(null), value)
        : value;
      assert.deepEqual([found.value, found.source], [plain, "remote"]);
    }));
}

for (
  const [name, value] of [
    ["Ok", { Ok: uint(7) }],
    ["Err", { Err: "no" }],
  ] as const
) {
  Deno.test(`a result that is returned is kept as Rust's ${name}`, () =>
    withServerHere(async ({ remote }) => {
      await using cache = await Cache.connect({ remote });
      const codec = results;
      await cache.generate(NS, flexbuffersKey(POINT), () => value, { codec });
      using rust = new RemoteClient(remote);
      assert.deepEqual(
        toHex(await rust.value(NS, rustKey())),
        toHex(vector(name)),
      );
    }));
}

Deno.test("an error that cacheErrors keeps is what no Rust reads", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    const fail = () => {
      throw new RangeError("no");
    };
    const options = { codec: results, cacheErrors: true };
    const key = flexbuffersKey(POINT);
    await assert.rejects(cache.generate(NS, key, fail, options), RangeError);
    using rust = new RemoteClient(remote);
    const { hex, readError } = oddVectors().get("a kept error")!;
    assert.equal(toHex(await rust.value(NS, rustKey())), hex);
    assert.match(readError!, /InvalidRootWidth/);
  }));
