/**
 * A server that is killed in mid-publish, or with people waiting.
 */

import assert from "node:assert/strict";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { rejectsWith, until } from "../support/status.ts";
import { CacheClient, drained, first, halfPublish } from "./client.ts";

const MIB = 1024 * 1024;

Deno.test("after a kill in mid-publish the file is gone, and the work its client's", async () => {
  await withRoot(async (root) => {
    const folder = `${root}/.private`;
    let id = "";
    {
      await using server = await ServerProcess.start(root);
      using client = new CacheClient(server.remote);
      ({ id } = await client.assigned("ns", "k"));
      const waiting = await first(client.fetch("ns", "k"));
      const killed = Promise.withResolvers<void>();
      const publishing = client.publishParts(
        halfPublish(id, killed.promise),
      );
      await until(
        () => Promise.resolve([...Deno.readDirSync(folder)].length),
        (files) => files === 1,
      );
      await server.kill();
      await rejectsWith("UNAVAILABLE", drained(waiting.rest));
      // Not before: to write to a connection fails otherwise while nobody knows
      // that it is gone.
      killed.resolve();
      await rejectsWith("UNAVAILABLE", publishing);
    }
    {
      await using server = await ServerHere.start(root);
      using client = new CacheClient(server.remote);
      assert.deepEqual([...Deno.readDirSync(folder)], []);
      const { reply, rest } = await first(client.fetch("ns", "k"));
      assert.equal(reply.waiting!.holder, "", "nobody knows that any more");
      await client.publish(id, [new Uint8Array(2 * MIB)]);
      assert.equal((await drained(rest)).bytes.length, 2 * MIB);
    }
    {
      await using server = await ServerHere.start(root);
      using client = new CacheClient(server.remote);
      const again = await client.publish(id, [new Uint8Array(1)]);
      assert.equal(again.size, `${2 * MIB}`, "it has published already");
      const { bytes } = await client.fetched("ns", "k");
      assert.equal(bytes.length, 2 * MIB);
    }
  });
});
