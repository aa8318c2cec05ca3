/** What lies on the disk is found damaged, whatever the server remembers. */

import assert from "node:assert/strict";
import { sha256Hex } from "../../workers/digest.ts";
import { flipBit } from "../faults/damage.ts";
import { withSiteHere } from "./support.ts";

const SIZES = { hot: 1_000, large: 300_000 };

Deno.test("a value that is damaged on the disk is a miss when it is read from there", () =>
  withSiteHere(async ({ local, remote, server }) => {
    for (const [key, size] of Object.entries(SIZES)) {
      const value = new Uint8Array(size).fill(7);
      await remote.put("ns", key, value);
      const path = `${server.root}/ns/${sha256Hex(key)}`;
      // As a disk forgets: the file looks as it did when it was verified.
      const { mtime } = await Deno.stat(path);
      const fromDisk = { fromDisk: true, assign: false };
      for (const client of [remote, local]) {
        const { bytes } = await client.fetched("ns", key, fromDisk);
        assert.deepEqual(bytes, value);
      }
      await Deno.utime(path, mtime!, new Date(0));
      const seen = await remote.fetched("ns", key, { assign: false });
      assert.deepEqual(seen.bytes, value);
      await flipBit(path, 500);
      await Deno.utime(path, mtime!, new Date(0));

      const usual = await remote.fetched("ns", key, { assign: false });
      assert.equal(usual.last.reply, "ready", "nobody has looked");
      const { last } = await remote.fetched("ns", key, fromDisk);
      assert.equal(last.reply, "unassigned");
      const after = await remote.fetched("ns", key, { assign: false });
      assert.equal(after.last.reply, "unassigned");
      const usage = await remote.call<{ damaged: string }>("Usage");
      assert.equal(usage.damaged, key === "hot" ? "1" : "2");
    }
  }));

Deno.test("of what is verified on the disk, only the head or a range is sent", () =>
  withSiteHere(async ({ remote }) => {
    await remote.put("ns", "k", new Uint8Array([1, 2, 3, 4]));
    const range = { fromDisk: true, offset: 1, length: 2 };
    const part = await remote.fetched("ns", "k", range);
    assert.deepEqual([...part.bytes], [2, 3]);
    const head = await remote.fetched("ns", "k", {
      fromDisk: true,
      head: true,
    });
    assert.deepEqual([head.last.ready?.size, head.chunks.length], ["4", 0]);
    const usage = await remote.call<{ handles: string }>("Usage");
    assert.equal(usage.handles, "0");
  }));
