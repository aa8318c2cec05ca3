/**
 * Values of any size go in and out in pieces.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { rejectsWith, until } from "../support/status.ts";
import { halfPublish, sha256 } from "./client.ts";
import { withSiteHere } from "./support.ts";

const MIB = 1024 * 1024;

/** Bytes of which no piece looks like another. */
function pattern(size: number): Uint8Array {
  const numbers = new Uint32Array(Math.ceil(size / 4)).map((_, at) =>
    at * 2_654_435_761
  );
  return new Uint8Array(numbers.buffer, 0, size);
}

function* inPieces(bytes: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

Deno.test("values of every size come out as they went in", async () => {
  await withSiteHere(async ({ remote, local }) => {
    for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, MIB, 5 * MIB + 3]) {
      const bytes = pattern(size);
      const { id } = await remote.assigned("ns", `${size}`);
      const pieces = inPieces(bytes, 300_000);
      const reply = await remote.publish(id, pieces);
      assert.equal(Number(reply.size), size);
      assert.deepEqual(new Uint8Array(reply.sha256), sha256(bytes));
      for (const client of [remote, local]) {
        const { last, chunks, bytes: found } = await client.fetched(
          "ns",
          `${size}`,
        );
        assert.equal(Number(last.ready!.size), size);
        assert.equal(Buffer.compare(found, bytes), 0);
        for (const chunk of chunks) assert.ok(chunk.length <= 256 * 1024);
      }
    }
  });
});

Deno.test("a large value may come in many small pieces", async () => {
  await withSiteHere(async ({ remote }) => {
    // More than requests that have not ended may have sent together.
    const bytes = pattern(80 * MIB);
    const { id } = await remote.assigned("ns", "k");
    const { size } = await remote.publish(id, inPieces(bytes, 32 * 1024));
    assert.equal(Number(size), bytes.length);
  });
});

Deno.test("of a value only the range that was asked for is sent", async () => {
  await withSiteHere(async ({ remote }) => {
    for (const size of [1000, 2 * MIB]) {
      const bytes = pattern(size);
      await remote.put("ns", `${size}`, bytes);
      const most = "18446744073709551615";
      for (
        const [offset, length, from, to] of [
          [0, 1, 0, 1],
          [10, 20, 10, 30],
          [size - 5, 0, size - 5, size],
          [size - 5, 100, size - 5, size],
          [3, most, 3, size],
          [size, 10, size, size],
          [most, most, size, size],
          [0, size, 0, size],
        ] as const
      ) {
        const range = { offset, length };
        const found = await remote.fetched("ns", `${size}`, range);
        assert.equal(Number(found.last.ready!.size), size);
        const expected = bytes.subarray(from, to);
        assert.equal(Buffer.compare(found.bytes, expected), 0, `${offset}`);
      }
      const head = await remote.fetched("ns", `${size}`, { head: true });
      assert.deepEqual(new Uint8Array(head.last.ready!.sha256), sha256(bytes));
      assert.equal(head.chunks.length, 0);
    }
  });
});

Deno.test("bytes that are not those of End are refused, and the work stays", async () => {
  await withSiteHere(async ({ remote, server }) => {
    const { id } = await remote.assigned("ns", "k");
    const bytes = pattern(2 * MIB);
    for (const lie of [{ sha256: sha256(pattern(1)) }, { size: MIB }]) {
      const refused = remote.publish(id, inPieces(bytes, MIB), lie);
      await rejectsWith("DATA_LOSS", refused, /still yours/);
      assert.deepEqual([...Deno.readDirSync(`${server.root}/.private`)], []);
    }
    await remote.publish(id, [bytes]);
    const again = await remote.publish(id, [pattern(3)]);
    assert.deepEqual(new Uint8Array(again.sha256), sha256(bytes));
  });
});

Deno.test("local clients get paths, and both listeners and all services one state", async () => {
  await withSiteHere(async ({ remote, local, server }) => {
    const work = await local.assigned("ns", "k", { path: true });
    Deno.mkdirSync(work.path.slice(0, work.path.lastIndexOf("/")), {
      recursive: true,
    });
    Deno.writeTextFileSync(work.path, "by path");
    const { size } = await local.publishPath(work.id);
    assert.equal(size, "7");
    const { last } = await local.fetched("ns", "k", { path: true });
    assert.equal(Deno.readTextFileSync(last.ready!.path), "by path");
    const entry = { namespace: "ns", key: new TextEncoder().encode("k") };
    await rejectsWith(
      "FAILED_PRECONDITION",
      remote.call("Delete", entry),
      /being read/,
    );
    await remote.call("Heartbeat", { id: last.ready!.handle });
    await remote.call("Release", { handle: last.ready!.handle });
    await rejectsWith(
      "INVALID_ARGUMENT",
      remote.call("Release", { handle: last.ready!.handle }),
    );
    using old = new RemoteClient(server.remote);
    assert.equal(
      new TextDecoder().decode(await old.value("ns", "k")),
      "by path",
    );
    using oldLocal = new LocalClient(server.local);
    await remote.put("ns", "other", "in pieces");
    const { path } = await oldLocal.handle("ns", "other");
    assert.equal(Deno.readTextFileSync(path), "in pieces");
  });
});

Deno.test("paths are not for other machines", async () => {
  await withSiteHere(async ({ remote, local }) => {
    const refused = remote.fetched("ns", "k", { path: true });
    await rejectsWith(
      "FAILED_PRECONDITION",
      refused,
      /give its address as remote, or that of the local/,
    );
    const { id } = await remote.assigned("ns", "k");
    const path = remote.publishPath(id);
    await rejectsWith(
      "FAILED_PRECONDITION",
      path,
      /give its address as remote, or that of the local/,
    );
    const none = local.publishPath(id);
    await rejectsWith("FAILED_PRECONDITION", none, /no path/);
    await local.publish(id, [new Uint8Array(3)]);
  });
});

Deno.test("a client that goes in mid-publish leaves no file, and keeps its work", async () => {
  await withSiteHere(async ({ remote, server }) => {
    const { id } = await remote.assigned("ns", "k");
    const sent = Promise.withResolvers<void>();
    const gone = new AbortController();
    const folder = `${server.root}/.private`;
    const publishing = remote.publishParts(
      halfPublish(id, sent.promise),
      { signal: gone.signal },
    );
    await until(
      () => Promise.resolve([...Deno.readDirSync(folder)].length),
      (files) => files === 1,
    );
    gone.abort();
    sent.resolve();
    await rejectsWith("CANCELLED", publishing);
    await until(
      () => Promise.resolve([...Deno.readDirSync(folder)].length),
      (files) => files === 0,
    );
    await remote.publish(id, [pattern(9)]);
  });
});

Deno.test("a value that changes on the disk ends its Fetch, and is not served again", async () => {
  await withSiteHere(async ({ remote, server }) => {
    const bytes = pattern(32 * MIB);
    const { id } = await remote.assigned("ns", "k");
    await remote.publish(id, inPieces(bytes, MIB));
    const fetching = remote.fetch("ns", "k");
    const [file] = [...Deno.readDirSync(`${server.root}/ns`)];
    const path = `${server.root}/ns/${file!.name}`;
    let spoilt = false;
    const reading = (async () => {
      for await (const reply of fetching) {
        if (spoilt || !reply.chunk) continue;
        spoilt = true;
        Deno.chmodSync(path, 0o644);
        Deno.writeFileSync(path, pattern(10), { append: true });
      }
    })();
    await rejectsWith("UNAVAILABLE", reading, /changed while it was read/);
    // While it is being taken away clients compute for themselves.
    const { last } = await until(
      () => remote.fetched("ns", "k"),
      ({ last }) => last.reply !== "unassigned",
    );
    assert.equal(last.reply, "assigned");
  });
});
