/** A publish that is given up midway keeps nothing, on Deno and on Node. */

import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault_proxy.ts";
import { until } from "../support/status.ts";
import { CacheClient } from "../v1/client.ts";
import { type Command, testAllOnEach } from "./runtimes.ts";
import { Child, withServerHere } from "./support.ts";

const PROGRAM = new URL("./programs/give_up.mjs", import.meta.url);
/** grpc-js ends a stream before it resets it: here one sees what that does. */
const LATE_RESETS = { toServer: { resetDelayMs: 40 } };

interface Usage {
  readonly namespaces: readonly { readonly namespace: string }[];
  readonly loading: string;
  readonly publishing: string;
}

/** Runs the program; what is kept when all has been given back. */
async function keptAfter(
  command: Command,
  way: string,
  { count, lateResets }: { count: number; lateResets: boolean },
): Promise<unknown> {
  let kept: unknown;
  await withServerHere(async ({ remote }) => {
    await using proxy = await FaultProxy.start(
      remote,
      lateResets ? LATE_RESETS : {},
    );
    const words = [proxy.address, way, `${count}`];
    await using child = new Child(command(...words));
    const { lines, code } = await child.end();
    assert.deepEqual({ lines, code }, { lines: [`${count}`], code: 0 });
    using admin = new CacheClient(remote);
    const { namespaces } = await until(
      () => admin.call<Usage>("Usage"),
      ({ loading, publishing }) => loading === "0" && publishing === "0",
    );
    kept = namespaces;
  });
  return kept;
}

const WAYS: Readonly<
  Record<string, { way: string; count: number; lateResets: boolean }>
> = {
  "100 producers that throw, without a fault": {
    ...{ way: "throw", count: 100, lateResets: false },
  },
  "throw, resets 40 ms late": { way: "throw", count: 40, lateResets: true },
  "abort, resets 40 ms late": { way: "abort", count: 40, lateResets: true },
  "close, resets 40 ms late": { way: "close", count: 40, lateResets: true },
};

testAllOnEach(
  "when a publish is given up midway: nothing is kept",
  PROGRAM,
  Object.keys(WAYS),
  async (name, { command }) => {
    const { way, ...how } = WAYS[name]!;
    assert.deepEqual(await keptAfter(command, way, how), []);
  },
);
