/** A server whose state is not to be trusted ends at once, and loses nothing. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { RemoteClient, textOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { whileServed } from "../support/served.ts";
import { ServerProcess } from "../support/server_process.ts";

const PROGRAM = fileURLToPath(new URL("./broken_server.ts", import.meta.url));
const NS = "tests.whole";

Deno.test("an exception in the engine ends the process; what was acknowledged is there", async () => {
  await withRoot(async (root) => {
    let id = "";
    {
      await using server = await ServerProcess.start(root, {
        program: [PROGRAM],
      });
      using remote = new RemoteClient(server.remote);
      const published = await remote.assigned(NS, "published");
      await remote.set(published.id, "value");
      ({ id } = await remote.assigned(NS, "in progress"));
      await assert.rejects(
        remote.get("tests.broken", "key", { assign: false }),
      );
      const { code } = await server.ended;
      // None that the launcher would take for a refusal, or for a stop.
      assert(code > 2, `${code}`);
      assert.match(
        server.stderr,
        /state is not to be trusted: .*a bug of ours/,
      );
    }
    await whileServed(root, async ({ remote }) => {
      assert.equal(textOf(await remote.value(NS, "published")), "value");
      await remote.set(id, "goes on");
      assert.equal(textOf(await remote.value(NS, "in progress")), "goes on");
    });
  });
});
