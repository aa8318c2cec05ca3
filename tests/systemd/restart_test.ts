/** Who connects while the server is started again waits for the next one. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { PREFACE, settings } from "../../src/http2/testing/frame_bytes.ts";
import { join as joined } from "../../src/http2/testing/octets.ts";
import { RemoteClient, textOf } from "../support/clients.ts";
import { hasPython } from "../support/python.ts";
import { withRoot } from "../support/root.ts";
import { Parent } from "./parent.ts";

const ignore = !await hasPython();
if (ignore) console.log("skipped: no python3 that could be the parent");

/** How a client of HTTP/2 begins; a server answers it. */
const OPENING = joined(PREFACE, settings());
/** Far more than a start takes, on a machine that is busy. */
const PATIENCE_MS = 60_000;

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  Deno.test({
    name: `no client is refused while a server that ${signal} has ended is ` +
      "started again",
    ignore,
    fn: () =>
      withRoot(async (folder) => {
        const args = ["-l", "off", "-r", "fd:remote", "--restart-grace", "0ms"];
        const root = join(folder, "root");
        const path = join(folder, "sock");
        for (const place of ["tcp:127.0.0.1", `unix:${path}`]) {
          await using parent = await Parent.of(`remote=${place}`);
          const [port] = parent.ports;
          const address = port ? `127.0.0.1:${port}` : `unix:${path}`;
          const key = `before ${place}`;
          let { pid } = await parent.serve(root, ...args);
          {
            using client = new RemoteClient(address);
            const { id } = await client.assigned("ns", key);
            await client.set(id, "kept");
          }
          Deno.kill(pid, signal);
          assert.equal(await parent.ended(), signal === "SIGKILL" ? -9 : 0);
          // Nobody is there: they have connected nevertheless, and wait.
          const clients = Array.from(
            { length: 20 },
            () => new RemoteClient(address),
          );
          const waiting = clients.map((client) =>
            client.get("ns", key, {
              assign: false,
              deadlineMs: PATIENCE_MS,
            })
          );
          const conn = await (port
            ? Deno.connect({ port })
            : Deno.connect({ transport: "unix", path }));
          await conn.write(OPENING);
          ({ pid } = await parent.serve(root, ...args));
          const replies = await Promise.all(waiting);
          for (const { ready } of replies) {
            assert.equal(textOf(ready as Uint8Array), "kept");
          }
          // What was said before it was there has reached it.
          assert.ok((await conn.read(new Uint8Array(9)) ?? 0) > 0);
          conn.close();
          for (const client of clients) client.close();
          Deno.kill(pid, "SIGTERM");
          assert.equal(await parent.ended(), 0);
        }
      }),
  });
}

Deno.test({
  name:
    "whoever connects while a server ends, and another one starts, is served",
  ignore,
  fn: () =>
    withRoot(async (folder) => {
      const args = ["-l", "off", "-r", "fd:remote"];
      const root = join(folder, "root");
      await using parent = await Parent.of("remote=tcp:127.0.0.1");
      const port = parent.ports[0]!;
      let { pid } = await parent.serve(root, ...args);
      const over = new AbortController();
      const storm = Array.from(
        { length: 4 },
        () => knocking(port, over.signal),
      );
      for (let restart = 0; restart < RESTARTS; restart++) {
        Deno.kill(pid, "SIGTERM");
        assert.equal(await parent.ended(), 0);
        ({ pid } = await parent.serve(root, ...args));
      }
      over.abort();
      const served = await Promise.all(storm);
      // How many it were depends on how long a start takes here.
      assert.ok(served.every((count) => count > 0), `${served}`);
      Deno.kill(pid, "SIGTERM");
      assert.equal(await parent.ended(), 0);
    }),
});

const RESTARTS = 3;

/** Connects again and again; how often somebody answered, which is each time. */
async function knocking(port: number, over: AbortSignal): Promise<number> {
  for (let count = 0;; count++) {
    if (over.aborted) return count;
    using conn = await Deno.connect({ port });
    await conn.write(OPENING);
    assert.ok((await conn.read(new Uint8Array(9)) ?? 0) > 0, "not answered");
  }
}
