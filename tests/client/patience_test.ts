/** How long calls go on without hearing from a server, on Deno and on Node. */

import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault_proxy.ts";
import { lateness } from "./lateness.ts";
import { testAllOnEach, testOnEach } from "./runtimes.ts";
import { BUSY_MS, PHASES, PROGRAM, run, runAlone } from "./scenarios.ts";
import { withServerHere } from "./support.ts";

const PATIENCE_MS = 3_000;
/** A PING comes after half a second, and is waited for until 2 s have passed. */
const STOOD_STILL_MS = 1_500;

testAllOnEach(
  "when nothing is heard of the server: it gets its patience where everything is refused, too",
  PROGRAM,
  PHASES,
  (phase, { command, allReady }) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      await allReady();
      const { ms, sinceAskedMs, lateMs, outages } = await run(
        command(phase, proxy.address, remote, `${PATIENCE_MS}`),
        () => proxy.down(),
      );
      assert(outages.length > 0);
      // It counts from the last sign of life, up to half a second before the
      // network gets bad, and more where both are late.
      assert(sinceAskedMs > PATIENCE_MS - 1_200, `${sinceAskedMs} ms`);
      assert(ms - lateMs < PATIENCE_MS + 500 + 2 * BUSY_MS, `${ms} ms`);
    }),
);

testOnEach(
  "when nothing is heard of the server: a round trip that is longer than the patience is no outage",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      const faults = { delayMs: 300 };
      await using proxy = await FaultProxy.start(remote, {
        toClient: faults,
        toServer: faults,
      });
      const words = ["ask", proxy.address, "200"];
      const { source, outages } = await run(command(...words));
      assert.equal(source, "computed");
      assert.deepEqual(outages, []);
    }),
);

testAllOnEach(
  "when nothing is heard of the server: a local one that is silent holds up no remote one for longer",
  PROGRAM,
  ["first", "later"],
  (way, { command, allReady }) => {
    // Of a server that never answered, 2 s.
    const limitsMs = { "first": 2_000, "later": PATIENCE_MS };
    return withServerHere(async ({ local, remote }) => {
      await using proxy = await FaultProxy.start(local);
      if (way === "first") proxy.still();
      const words = [remote, proxy.address, way, `${PATIENCE_MS}`];
      await allReady();
      const { ms, lateMs, source } = await run(
        command("silentLocal", ...words),
        () => proxy.still(),
      );
      assert.equal(source, "computed");
      assert(ms - lateMs < limitsMs[way] + 500 + BUSY_MS, `${ms} ms`);
    });
  },
);

testOnEach(
  "when a connection falls silent: one that only waits, or is not looked at, is none",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      using late = lateness();
      const { source, outages } = await runAlone(
        command("longWait", proxy.address, remote),
      );
      assert.equal(source, "remote");
      assert.deepEqual(outages, []);
      // Where server and network have stood still, one was silent.
      if (late.ms < STOOD_STILL_MS) assert.equal(proxy.connections, 1);
    }),
);
