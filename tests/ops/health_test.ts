/** Orchestrators learn whether a server takes calls, from clients of others. */

import assert from "node:assert/strict";
import type { ServiceError } from "@grpc/grpc-js";
import { bytesOf } from "../support/clients.ts";
import { rejectsWith } from "../support/status.ts";
import { withSite } from "../v1/support.ts";
import { HEALTH, ServiceClient } from "./client.ts";

interface Health {
  readonly status: string;
}

const SERVING = { status: "SERVING" };
const OF_ALL = ["larder.v1.Cache", "grpc.health.v1.Health", ""];

Deno.test("each listener tells of the health of what it serves", async () => {
  await withSite(async ({ server }) => {
    for (
      const [address, own, others] of [
        [server.local, "local.LocalCache", "remote.RemoteCache"],
        [server.remote, "remote.RemoteCache", "local.LocalCache"],
      ] as const
    ) {
      using client = new ServiceClient(address, HEALTH);
      for (const service of [own, ...OF_ALL]) {
        assert.deepEqual(await client.call("Check", { service }), SERVING);
      }
      const unknown = client.call("Check", { service: others });
      await rejectsWith("NOT_FOUND", unknown);
      const all = await client.call<{ statuses: Record<string, Health> }>(
        "List",
        {},
      );
      assert.deepEqual(all.statuses[own], SERVING);
      assert.deepEqual(all.statuses[""], SERVING);
      assert.equal(all.statuses[others], undefined);
      for await (
        const { status } of client.watch<Health>("Watch", { service: others })
      ) {
        assert.equal(status, "SERVICE_UNKNOWN");
        break;
      }
    }
  });
});

Deno.test("whoever watches is told of a stop, and sent away at its end", async () => {
  await withSite(async ({ server, remote }) => {
    using client = new ServiceClient(server.remote, HEALTH);
    // The stop waits for it.
    const { id } = await remote.assigned("ns", "work");
    const watch = client.watch<Health>("Watch", { service: "" });
    assert.deepEqual((await watch.next()).value, SERVING);
    const stopped = server.stop();
    assert.deepEqual((await watch.next()).value, { status: "NOT_SERVING" });
    assert.deepEqual(await client.call("Check", {}), {
      status: "NOT_SERVING",
    });
    await remote.publish(id, [bytesOf("value")]);
    await assert.rejects(
      watch.next(),
      (error: ServiceError) => error.details.includes("ask the next one"),
    );
    assert.equal(await stopped, 0, server.stderr);
  }, { args: ["--drain-timeout", "60s"] });
});
