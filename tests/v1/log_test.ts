/** What clients say for the log does not fill it. */

import assert from "node:assert/strict";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { CacheClient } from "./client.ts";

Deno.test("300 abandons are 100 lines of the log, and a count of the others", async () => {
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root);
    {
      using client = new CacheClient(server.remote);
      for (let i = 0; i < 300; i++) {
        const { id } = await client.assigned("ns", `${i}`);
        await client.call("Abandon", { id, reason: `reason ${i}` });
      }
    }
    assert.equal(await server.stop(), 0);
    const lines = server.stderr.split("\n");
    const abandoned = lines.filter((line) => line.includes("was abandoned"));
    assert(abandoned.length <= 100, `${abandoned.length}`);
    const left = 300 - abandoned.length;
    assert.match(server.stderr, new RegExp(`${left} lines were left out here`));
  });
});
