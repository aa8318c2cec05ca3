/** Whatever Set takes and a client can read is served, and nothing larger. */

import assert from "node:assert/strict";
import { CacheClient, drained } from "../v1/client.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { rejectsWith } from "../support/status.ts";

const NS = "tests.replies";
const LONG = ["--heartbeat-interval", "10s", "--heartbeat-timeout", "60s"];
/** The largest value whose length takes two bytes; the tag takes a third. */
const LARGEST = 16 * 1024 - 1;
/** The next length takes three bytes: that value needs two bytes more. */
const LIMIT = LARGEST + 4;

/** A server, and a client that takes replies of the limit and no larger ones. */
async function withLimits(
  limits: { readonly message: number; readonly reply: number },
  run: (
    clients: { local: LocalClient; remote: RemoteClient; v1: CacheClient },
  ) => Promise<void>,
): Promise<string> {
  let log = "";
  await withRoot(async (root) => {
    const args = [...LONG, "--max-message-bytes", `${limits.message}`];
    args.push("--max-reply-bytes", `${limits.reply}`);
    await using server = await ServerHere.start(root, { args });
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote, {
      "grpc.max_receive_message_length": limits.reply,
    });
    using v1 = new CacheClient(server.remote);
    await run({ local, remote, v1 });
    log = server.stderr;
  });
  return log;
}

Deno.test("what Set takes is served where both limits are one, at each byte around it", async () => {
  await withLimits({ message: LIMIT, reply: LIMIT }, async ({ remote }) => {
    let taken = 0, refused = 0;
    for (let size = LIMIT - 70; size <= LIMIT + 1; size++) {
      const key = `set ${size}`;
      const { id } = await remote.assigned(NS, key);
      const setting = remote.set(id, new Uint8Array(size));
      if (await setting.then(() => true, () => false)) {
        taken++;
        assert.equal((await remote.value(NS, key)).length, size);
      } else {
        refused++;
        await rejectsWith("RESOURCE_EXHAUSTED", setting);
        await remote.set(id, new Uint8Array(1));
      }
    }
    assert(taken > 50 && refused > 1, `${taken} taken, ${refused} refused`);
  });
});

Deno.test("a reply has at most --max-reply-bytes, and above it work is refused, never an error", async () => {
  const limits = { message: 4 * LIMIT, reply: LIMIT };
  const log = await withLimits(limits, async ({ local, remote, v1 }) => {
    for (const by of ["Set", "Done"] as const) {
      for (let size = LIMIT - 8; size <= LIMIT + 2; size++) {
        const key = `${by} ${size}`;
        const value = new Uint8Array(size).fill(7);
        if (by === "Set") {
          const { id } = await remote.assigned(NS, key);
          await remote.set(id, value);
        } else {
          const { id, path } = await local.assigned(NS, key);
          await Deno.writeFile(path, value);
          await local.done(id);
        }
        const { entryStatus } = await remote.settled(NS, key);
        const fits = size <= LARGEST;
        assert.equal(entryStatus, fits ? "ready" : "unassigned", key);
        const { bytes } = await drained(v1.fetch(NS, key));
        assert.equal(bytes.length, size, "larder.v1 serves all of them");
        const { id, path } = await local.handle(NS, key);
        assert.equal((await Deno.stat(path)).size, size);
        await local.drop(id);
      }
    }
  });
  assert.match(
    log,
    /^\S+ warn {2}a value is larger than --max-reply-bytes.*\n$/,
  );
});
