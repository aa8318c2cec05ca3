/** What clients say for the log does not fill it. */

import assert from "node:assert/strict";
import { bytesOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { rejectsWith } from "../support/status.ts";
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

Deno.test("a line of the log says which entry, who had it, and for how long", async () => {
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root, {
      args: ["--log-format=json"],
    });
    {
      using client = new CacheClient(server.remote);
      const key = "--token=s3cr3t-s3cr3t";
      const { id } = await client.assigned("sim.ring", key);
      await client.call("Abandon", { id, reason: "no\nlicense" });
    }
    assert.equal(await server.stop(), 0);
    const [line, ...others] = server.stderr.trimEnd().split("\n");
    assert.deepEqual(others, []);
    const { time, client, seconds, ...said } = JSON.parse(line!);
    assert.deepEqual(said, {
      level: "warn",
      message: 'work was abandoned: "no\\nlicense"',
      namespace: "sim.ring",
      key: "--token=s3cr3t-s…",
    });
    assert.match(time, /^20\d\d-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(client, /^127\.0\.0\.1:\d+$/);
    assert.equal(typeof seconds, "number");
  });
});

Deno.test("calls that failed have a line each, without keys and ids", async () => {
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root, {
      args: ["--log-format=json", "--log-calls=failed"],
    });
    const key = "--token=s3cr3t";
    let id = "";
    {
      using client = new CacheClient(server.remote);
      ({ id } = await client.assigned("sim.ring", key));
      await client.publish(id, [bytesOf("value")]);
      const absent = client.call("Stat", {
        namespace: "sim.ring",
        key: bytesOf("--token=other"),
      });
      await rejectsWith("NOT_FOUND", absent);
    }
    assert.equal(await server.stop(), 0);
    const [line, ...others] = server.stderr.trimEnd().split("\n");
    assert.deepEqual(others, []);
    const { time: _, client, ms, call, ...said } = JSON.parse(line!);
    assert.deepEqual(said, {
      level: "info",
      message: "call",
      method: "larder.v1.Cache/Stat",
      code: "NOT_FOUND",
    });
    assert.match(client, /^127\.0\.0\.1:\d+$/);
    assert.ok(ms > 0 && call > 0);
    assert.ok(!server.stderr.includes(id) && !server.stderr.includes("token"));
  });
});
