/** A value that can never be kept is refused before it comes, and why is said. */

import assert from "node:assert/strict";
import { Cache, type CacheError } from "../../src/client/mod.ts";
import { withShell } from "../cli/support.ts";
import { LocalClient, RemoteClient, textOf } from "../support/clients.ts";
import { rejectsWith, until } from "../support/status.ts";

const MAX_BYTES = 1024 * 1024;
const LIMITS = [`--max-bytes=${MAX_BYTES}`, "--quotas=small=1000"];

Deno.test("a file above the limit is refused by its size, in words for people, and the log says which limit", () =>
  withShell(async (shell) => {
    const size = 2_000_000;
    await shell.write("value", new Uint8Array(size));
    const why = `--max-bytes allows ${MAX_BYTES} bytes in all, and the value ` +
      `has ${size}`;
    const { code, stderr } = await shell.run([
      ...["put", "--ns", "a.b", "k", "value"],
    ]);
    assert.deepEqual([code, stderr], [
      1,
      `larder: remote ${shell.server.remote}: cannot publish the value: ${why}; ` +
      "use the value without caching it\n",
    ]);
    const says = (text: string) => async () =>
      await Promise.resolve(shell.server.stderr.includes(text));
    await until(says(why), Boolean);
    // Of a pipe nobody knows how long it is.
    const piped = await shell.run(["put", "--ns", "small", "k"], {
      stdin: new Uint8Array(5_000),
    });
    assert.match(
      piped.stderr,
      /the quota of small allows 1000 bytes in all, and the value has more; use/,
    );
    await until(says("the quota of small allows 1000 bytes"), Boolean);
  }, LIMITS));

for (const [size, how] of [[8 * 1024 ** 4, "with holes"], [2 * MAX_BYTES]]) {
  Deno.test(`a file ${how ?? "above the limit"} is refused at Done, and another may follow`, () =>
    withShell(async ({ server }) => {
      using client = new LocalClient(server.local);
      const { id, path } = await client.assigned("a", "k");
      await Deno.writeTextFile(path, "");
      await Deno.truncate(path, size as number);
      const said =
        `allows ${MAX_BYTES} bytes in all, and the value has ${size}`;
      await rejectsWith(
        "RESOURCE_EXHAUSTED",
        client.done(id),
        new RegExp(said),
      );
      assert.deepEqual([...Deno.readDirSync(`${server.root}/.private`)], []);
      assert.equal((await Deno.stat(path)).size, size, "it is its client's");
      await Deno.writeTextFile(path, "fits");
      await client.done(id);
      using remote = new RemoteClient(server.remote);
      const { ready } = await remote.settled("a", "k");
      assert.equal(textOf(ready as Uint8Array), "fits");
    }, LIMITS));
}

Deno.test("a large file is refused at Done, and not accepted beyond the limit", () =>
  withShell(async ({ server }) => {
    using client = new LocalClient(server.local);
    // What is being read cannot go.
    const held = await client.assigned("a", "held");
    await Deno.writeFile(held.path, new Uint8Array(MAX_BYTES / 2));
    await client.done(held.id);
    await client.settled("a", "held");
    const { id, path } = await client.assigned("a", "k");
    await Deno.writeFile(path, new Uint8Array(0.7 * MAX_BYTES));
    await rejectsWith("RESOURCE_EXHAUSTED", client.done(id), /try again later/);
  }, LIMITS));

Deno.test("a stream of known size is refused before its first byte", () =>
  withShell(async ({ server }) => {
    await using cache = await Cache.connect({ remote: server.remote });
    const held = await cache.claim("a", "large");
    assert.equal(held.kind, "assigned");
    if (held.kind !== "assigned") return;
    const never = Promise.withResolvers<void>();
    let isAsked = false;
    async function* pieces() {
      isAsked = true;
      await never.promise;
      yield new Uint8Array(1);
    }
    await assert.rejects(
      held.held.publish(pieces(), { expectedSize: MAX_BYTES + 1 }),
      (error: CacheError) =>
        error.code === "full" &&
        error.message.includes(`the value has ${MAX_BYTES + 1}`),
    );
    assert(isAsked, "the pieces were waited for");
    never.resolve();
    // What fits by what was said of it is kept.
    const other = await cache.claim("a", "small");
    assert.equal(other.kind, "assigned");
    if (other.kind !== "assigned") return;
    const value = new Uint8Array(10);
    await other.held.publish([value] as unknown as ReadableStream, {
      expectedSize: value.length,
    });
    assert.deepEqual(await cache.getStream("a", "small").then(bytes), value);
  }, LIMITS));

async function bytes(
  stream: ReadableStream<Uint8Array> | undefined,
): Promise<Uint8Array> {
  return await new Response(stream).bytes();
}
