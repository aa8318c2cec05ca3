/** What clients say for the log does not fill it. */

import assert from "node:assert/strict";
import { bytesOf, LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { rejectsWith } from "../support/status.ts";
import { CacheClient } from "./client.ts";

Deno.test("300 abandons are 100 lines of the log, and a count of the others", async () => {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root);
    {
      using client = new CacheClient(server.remote);
      for (let i = 0; i < 300; i++) {
        const { id } = await client.assigned("ns", `${i}`);
        await client.call("Abandon", { id, reason: `reason ${i}` });
      }
    }
    await server.stop();
    const lines = server.stderr.split("\n");
    const abandoned = lines.filter((line) => line.includes("was abandoned"));
    assert(abandoned.length <= 100, `${abandoned.length}`);
    const left = 300 - abandoned.length;
    assert.match(server.stderr, new RegExp(`${left} lines were left out here`));
  });
});

Deno.test("a line of the log says which entry, who had it, and for how long", async () => {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
      args: ["--log-format=json"],
    });
    {
      using client = new CacheClient(server.remote);
      const key = "--token=s3cr3t-s3cr3t";
      const { id } = await client.assigned("sim.ring", key);
      await client.call("Abandon", { id, reason: "no\nlicense" });
    }
    await server.stop();
    const [line, ...others] = server.stderr.trimEnd().split("\n");
    assert.deepEqual(others, []);
    const { time, client, call, seconds, ...said } = JSON.parse(line!);
    assert.deepEqual(said, {
      level: "warn",
      message: 'work was abandoned: "no\\nlicense"',
      namespace: "sim.ring",
      key: "--token=s3cr3t-s…",
    });
    assert.match(time, /^20\d\d-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(client, /^127\.0\.0\.1:\d+$/);
    assert.equal(typeof seconds, "number");
    assert.ok(call > 0);
  });
});

Deno.test("calls that failed have a line each, without keys and ids", async () => {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
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
    await server.stop();
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

Deno.test("a line of the engine and the line of its call name the same call", async () => {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
      args: [
        ...["--log-format=json", "--log-calls=all"],
        ...["--quotas", "a=1KiB,b=1KiB,c=1KiB"],
      ],
    });
    const value = new Uint8Array(4_096);
    {
      using client = new CacheClient(server.remote);
      using remote = new RemoteClient(server.remote);
      using local = new LocalClient(server.local);
      const work = await client.assigned("a", "published");
      await rejectsWith("RESOURCE_EXHAUSTED", client.publish(work.id, [value]));
      const reason = { id: work.id, reason: "too large" };
      await client.call("Abandon", reason);
      const { id } = await remote.assigned("b", "set");
      await rejectsWith(
        "RESOURCE_EXHAUSTED",
        remote.call("Set", { id, value }),
      );
      await remote.call("Heartbeat", { id });
      const file = await local.assigned("c", "done");
      await Deno.writeFile(file.path, value);
      const done = local.call("Done", { id: file.id });
      await rejectsWith("RESOURCE_EXHAUSTED", done);
    }
    await server.stop();
    const lines = server.stderr.trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    const calls = lines.filter(({ method }) => method !== undefined);
    const others = lines.filter(({ method, level }) =>
      method === undefined && level === "warn"
    );
    const joined = others.map(({ message, client, call }) => {
      const [found, more] = calls.filter((each) =>
        each.client === client && each.call === call
      );
      assert.ok(found && !more, message);
      return [message.split(":")[0], found.method];
    });
    assert.deepEqual(joined, [
      ["an upload was refused", "larder.v1.Cache/Publish"],
      ["work was abandoned", "larder.v1.Cache/Abandon"],
      ["a value was not kept", "remote.RemoteCache/Set"],
      ["a value was not kept", "local.LocalCache/Done"],
    ]);
  });
});
