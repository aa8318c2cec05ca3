/** Calls and processes end when they should, on Deno and on Node. */

import assert from "node:assert/strict";
import { Cache } from "../../src/client/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { testAllOnEach, testOnEach } from "./runtimes.ts";
import {
  BUSY_MS,
  NS,
  PROGRAM,
  type Result,
  run,
  runAlone,
} from "./scenarios.ts";
import { Child, withServerHere } from "./support.ts";

/** How a call ended. */
interface Call extends Pick<Result, "ms" | "lateMs"> {
  readonly error: string;
}

testOnEach(
  "when a deadline passes, or a signal is aborted: calls end at once on a frozen connection",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      const { outages: _, ...calls } = await runAlone(
        command("deadlines", proxy.address),
        () => proxy.still(),
      );
      for (const [name, call] of Object.entries(calls)) {
        const { ms, lateMs, error } = call as Call;
        const expected = name === "throws" ? "failed" : "deadline";
        assert.equal(error, expected, name);
        assert(ms - lateMs < 400 + BUSY_MS, `${name}: ${ms} ms`);
      }
    }),
);

testOnEach(
  "when a deadline passes, or a signal is aborted: no file that is still written holds a call",
  PROGRAM,
  (command) =>
    withServerHere(async ({ local }) => {
      const { calls } = await run(command("stuckFile", local));
      for (const { ms, lateMs, error } of calls as Call[]) {
        assert.equal(error, "deadline");
        assert(ms - lateMs < 400 + BUSY_MS, `${ms} ms`);
      }
    }),
);

testAllOnEach(
  "when the work went to somebody else in the meantime: a stream that is still produced is not waited for",
  PROGRAM,
  ["late", "stuck"],
  (way, { command, allReady }) =>
    withServerHere(async ({ remote }) => {
      await using other = await Cache.connect({ remote });
      await allReady();
      const { isKept, ms, lateMs, value, isStopped, outages } = await run(
        command("lateStream", remote, way),
        async () => assert(await other.set(NS, "k", "theirs")),
      );
      assert.deepEqual({ isKept, value }, {
        isKept: false,
        value: "theirs",
      });
      assert.match(outages.join(), /is not held any more/);
      assert(ms - lateMs < 1_000 + BUSY_MS, `${ms} ms`);
      if (way === "late") assert(isStopped, "it is not asked for more");
    }, [
      ...["--heartbeat-interval", "100ms", "--heartbeat-timeout", "400ms"],
      ...["--max-compute-time", "300ms"],
    ]),
);

testOnEach(
  "when a deadline passes, or a signal is aborted: nothing stays in a signal that lives on",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      const { added, linked } = await runAlone(command("signals", remote));
      assert.deepEqual({ added, linked }, { added: 0, linked: 0 });
    }),
);

testAllOnEach(
  "when the program ends without closing the cache: no half-read stream keeps it alive",
  PROGRAM,
  ["close", "leave"],
  (way, { command, allReady }) =>
    withServerHere(async ({ remote }) => {
      await allReady();
      await using child = new Child(command("halfRead", remote, way));
      // The stream of a cache that was closed says so.
      const said = way === "close" ? "half closed" : "half ";
      await endsSoonAfter(said, child);
    }),
);

testOnEach(
  "when the program ends without closing the cache: no call that was called off keeps it alive",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      await using child = new Child(command("callOff", proxy.address));
      assert.equal(await child.line(), "bad");
      proxy.still();
      await endsSoonAfter("left", child);
    }),
);

testOnEach(
  "when work is given back while the server is away: that keeps no process alive",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      await using child = new Child(command("leave", proxy.address));
      assert.equal(await child.line(), "bad");
      proxy.down();
      await endsSoonAfter("left", child);
    }),
);

testOnEach(
  "when the computation blocks the event loop: who waits gets the work when the lease ends",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using other = await Cache.connect({ remote });
      const { source, outages } = await runAlone(
        command("blocks", remote, "5000"),
        async () => assert.equal(await other.generate(NS, "k", () => 2), 2),
      );
      assert.equal(source, "uncached");
      assert.match(outages[0]!, /is not held any more/);
      assert.equal(await other.get(NS, "k"), 2);
    }, ["--heartbeat-interval", "100ms", "--heartbeat-timeout", "400ms"]),
);

async function endsSoonAfter(line: string, child: Child): Promise<void> {
  assert.equal(await child.line(), line);
  const beganMs = performance.now();
  assert.equal((await child.end()).code, 0);
  const tookMs = performance.now() - beganMs;
  assert(tookMs < BUSY_MS, `${tookMs} ms`);
}
