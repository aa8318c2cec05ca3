/** How long calls go on without hearing from a server, on Deno and on Node. */

import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault_proxy.ts";
import { testOnEach } from "./runtimes.ts";
import { BUSY_MS, PHASES, PROGRAM, run } from "./scenarios.ts";
import { withServer } from "./support.ts";

const PATIENCE_MS = 3_000;

testOnEach(
  "when nothing is heard of the server: it gets its patience where everything is refused, too",
  PROGRAM,
  async (command) => {
    const took = PHASES.map(async (phase) => {
      let ms = 0;
      await withServer(async ({ remote }) => {
        await using proxy = await FaultProxy.start(remote);
        const result = await run(
          command(phase, proxy.address, remote, `${PATIENCE_MS}`),
          () => proxy.down(),
        );
        assert(result.outages.length > 0, phase);
        ms = result.ms;
      });
      return [phase, ms] as const;
    });
    for (const [phase, ms] of await Promise.all(took)) {
      // The network gets bad a little before the call, or a little after.
      assert(ms > PATIENCE_MS - 400, `${phase}: ${ms} ms`);
      assert(ms < PATIENCE_MS + 500 + 2 * BUSY_MS, `${phase}: ${ms} ms`);
    }
  },
);

testOnEach(
  "when nothing is heard of the server: a local one that is silent holds up no remote one for longer",
  PROGRAM,
  async (command, context) => {
    // Of a server that never answered, 2 s.
    const ways = { "first": 2_000, "later": PATIENCE_MS };
    for (const [way, limitMs] of Object.entries(ways)) {
      await context.step(way, () =>
        withServer(async ({ local, remote }) => {
          await using proxy = await FaultProxy.start(local);
          if (way === "first") proxy.still();
          const words = [remote, proxy.address, way, `${PATIENCE_MS}`];
          const { ms, source } = await run(
            command("silentLocal", ...words),
            () => proxy.still(),
          );
          assert.equal(source, "computed");
          assert(ms < limitMs + 500 + BUSY_MS, `${ms} ms`);
        }));
    }
  },
);

testOnEach(
  "when a connection falls silent: one that only waits, or is not looked at, is none",
  PROGRAM,
  (command) =>
    withServer(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      const { source, outages } = await run(
        command("longWait", proxy.address, remote),
      );
      assert.equal(source, "remote");
      assert.deepEqual(outages, []);
      assert.equal(proxy.connections, 1);
    }),
);
