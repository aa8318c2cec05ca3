/**
 * The memory of the server does not grow with the size of a value, nor with the
 * patience of a reader.
 */

import assert from "node:assert/strict";
import { MemoryWatch } from "../rude/memory.ts";
import { until } from "../support/status.ts";
import { CacheClient, first } from "./client.ts";
import { withSite } from "./support.ts";

const MIB = 1024 * 1024;
/** What the launcher takes is the same before and after. */
const GROWTH_LIMIT_BYTES = 150 * MIB;
const PIECE_BYTES = 256 * 1024;
/** More than the server may grow by. */
const VALUE_BYTES = 192 * MIB;

function* pieces(bytes: number): Iterable<Uint8Array> {
  const piece = crypto.getRandomValues(new Uint8Array(64 * 1024));
  const whole = new Uint8Array(PIECE_BYTES).map((_, at) => piece[at % 65_536]!);
  for (let sent = 0; sent < bytes; sent += whole.length) yield whole;
}

Deno.test("192 MiB go in and out in bounded memory", async () => {
  await withSite(async ({ server, remote }) => {
    const { id } = await remote.assigned("ns", "k");
    using memory = new MemoryWatch(server.pid);
    const { nowBytes: idle } = memory.lap();
    const { size } = await remote.publish(id, pieces(VALUE_BYTES));
    assert.equal(size, `${VALUE_BYTES}`);
    let received = 0;
    for await (const { chunk } of remote.fetch("ns", "k")) {
      received += chunk?.length ?? 0;
    }
    assert.equal(received, VALUE_BYTES);
    const grown = memory.lap().peakBytes - idle;
    console.log(
      `memory_test.ts: 192 MiB in and out took ${grown / MIB | 0} MiB`,
    );
    assert.ok(grown < GROWTH_LIMIT_BYTES);
  });
});

interface Usage {
  readonly handles: string;
}

Deno.test("readers who stop reading hold little, and lose their calls", async () => {
  const args = ["--stall-timeout", "1s"];
  await withSite(async ({ server, remote }) => {
    const { id } = await remote.assigned("ns", "k");
    await remote.publish(id, pieces(64 * MIB));
    using memory = new MemoryWatch(server.pid);
    const { nowBytes: idle } = memory.lap();
    const handles = () => remote.call<Usage>("Usage");
    {
      using stuck = new CacheClient(server.remote);
      const begun = Array.from(
        { length: 30 },
        () => first(stuck.fetch("ns", "k")),
      );
      for (const { reply } of await Promise.all(begun)) {
        assert.equal(reply.reply, "ready");
      }
      await until(handles, ({ handles }) => handles === "0");
    }
    const grown = memory.lap().peakBytes - idle;
    assert.ok(grown < GROWTH_LIMIT_BYTES, `${grown / MIB} MiB`);
    const { length } = (await remote.fetched("ns", "k")).bytes;
    assert.equal(length, 64 * MIB, "an honest reader gets it all");
  }, { args });
});
