/** A mistake of ours in the middle of a command ends the process, and it alone. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LocalClient, RemoteClient, textOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";

const PROGRAM = fileURLToPath(new URL("./mistaken_server.ts", import.meta.url));
const LONG = ["--heartbeat-interval", "10s", "--heartbeat-timeout", "60s"];

Deno.test("a mistake in the queue ends the server at once, and nothing acknowledged is lost", () =>
  withRoot(async (root) => {
    let work: { id: string };
    {
      const options = { program: [PROGRAM], args: LONG };
      await using server = await ServerProcess.start(root, options);
      using remote = new RemoteClient(server.remote);
      using local = new LocalClient(server.local);
      const set = await remote.assigned("ns", "set");
      await remote.set(set.id, "set");
      const done = await local.assigned("ns", "done");
      await Deno.writeTextFile(done.path, "done");
      await local.done(done.id);
      work = await remote.assigned("ns", "work");
      await assert.rejects(remote.get("mistaken", "k", { assign: false }));
      assert.equal((await server.ended).code, 1);
      assert.match(server.stderr, /has a mistake.*a mistake of the store/);
    }
    await using server = await ServerProcess.start(root, { args: LONG });
    using remote = new RemoteClient(server.remote);
    assert.equal(textOf(await remote.value("ns", "set")), "set");
    assert.equal(textOf(await remote.value("ns", "done")), "done");
    await remote.set(work.id, "work");
    assert.equal(textOf(await remote.value("ns", "work")), "work");
  }));
