/** What is kept is what was computed, and everybody has the same, on Deno and on Node. */

import assert from "node:assert/strict";
import { bytes } from "../../src/client/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { until } from "../support/waiting.ts";
import { type Command, testAllOnEach } from "./runtimes.ts";
import { NS, run, runAlone } from "./scenarios.ts";
import { FILL, spoilAfter } from "./spoilt.ts";
import { acquainted, withServerHere } from "./support.ts";

const PROGRAM = new URL("./programs/values.mjs", import.meta.url);
const SHORT_WORK = [
  ...["--heartbeat-interval", "100ms", "--heartbeat-timeout", "400ms"],
  ...["--max-compute-time", "300ms"],
];
const MIB = 1024 * 1024;

/** A result without what it took to compute, which no test can know. */
function apart(result: unknown): Record<string, unknown> {
  const { savedMs: _, ...rest } = result as Record<string, unknown>;
  return rest;
}

/** What programs do, each with a server of its own. */
const SCENARIOS: Readonly<Record<string, (command: Command) => Promise<void>>> =
  {
    "when what is kept cannot be read by the codec: it is replaced": (
      command,
    ) =>
      withServerHere(async ({ remote }) => {
        const { outages, ...found } = await run(command("unreadable", remote));
        assert.match(String(found["read"]), /CodecError/);
        assert.deepEqual(found["made"], { value: 7, source: "computed" });
        assert.deepEqual(apart(found["found"]), { value: 7, source: "remote" });
        assert.match(outages.join(), /cannot be read: json: /);
      }),
    "when what comes is not what is kept: nobody has it whole": (command) =>
      withServerHere(async ({ remote }) => {
        await using writer = await acquainted({ remote });
        const value = new Uint8Array(4 * MIB).fill(FILL);
        assert(await writer.set(NS, "k", value, { codec: bytes }));
        let spoil = spoilAfter(MIB);
        await using proxy = await FaultProxy.start(remote, {
          toClient: {
            // Each time that the value comes.
            spoil: (bytes) => void (spoil(bytes) && (spoil = spoilAfter(MIB))),
          },
        });
        const { source, size, read, streamed, outages } = await run(
          command("spoilt", proxy.address),
        );
        assert.deepEqual({ source, size }, { source: "uncached", size: 1 });
        const told = /not the value that the server has told of/;
        assert.match(outages.join(), told);
        assert.match(String(streamed), told);
        assert(Number(read) < value.length, `${read} bytes were read`);
      }),
    "when a value is kept by some tiers, but the one that gave out the work could not be told: of lost work none is kept":
      (command) =>
        withServerHere(async ({ remote }) => {
          await using quick = await acquainted({ remote });
          const { made, next, last } = await run(
            command("lostWork", remote),
            () =>
              // On a busy machine it may not be kept at the first try.
              until(async () => {
                await quick.generate(NS, "k", () => "B");
                return await quick.get(NS, "k") === "B";
              }),
          );
          assert.deepEqual(made, { value: "A", source: "uncached" });
          assert.deepEqual(apart(next), { value: "B", source: "remote" });
          assert.deepEqual(apart(last), { value: "B", source: "memory" });
        }, SHORT_WORK),
    "when a value is kept by some tiers, but the one that gave out the work could not be told: it gives way at the next look":
      (command) =>
        withServerHere(async ({ remote }) => {
          await using proxy = await FaultProxy.start(remote);
          const { made, meanwhile, last } = await run(
            command("unshared", proxy.address, remote),
            (line) => line === "bad" ? proxy.down() : proxy.up(),
          );
          assert.deepEqual(made, { value: "A", source: "computed" });
          assert.deepEqual(apart(meanwhile), { value: "A", source: "memory" });
          assert.deepEqual(apart(last), { value: "B", source: "memory" });
        }, SHORT_WORK.slice(0, 4)),
    "when onOutage throws or rejects: no call fails for it": async (
      command,
    ) => {
      const { values } = await run(command("throwingListener"));
      assert.deepEqual(values, [1, 2, 1, 2]);
    },
    "a producer that lets nothing else run hears what to do": (command) =>
      withServerHere(async ({ remote }) => {
        const { isKept, outages } = await runAlone(
          command("blockedProducer", remote),
        );
        assert.equal(isKept, false);
        assert.match(
          outages.join(),
          /cannot publish the value: the server has ended the call: it waited too long .*; try again/,
        );
      }, ["--idle-body-timeout", "1s"]),
  };

testAllOnEach(
  "values are what was computed, and everybody has one",
  PROGRAM,
  Object.keys(SCENARIOS),
  (name, { command }) => SCENARIOS[name]!(command),
);
