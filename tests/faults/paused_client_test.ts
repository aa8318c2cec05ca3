/** Clients that come too late: stopped past their lease, or writing after Done. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { status } from "@grpc/grpc-js";
import { Program, temporaryFolder } from "../../src/launch/testing/program.ts";
import { LocalClient, RemoteClient, textOf } from "../support/clients.ts";
import { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/status.ts";
import { filesOf } from "./stopped_root.ts";
import { hashOf, valueOf } from "./values.ts";

const NS = "tests.paused";
const CLIENT = fileURLToPath(new URL("./paused_client.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** Nothing is answered from memory. */
const ARGS = ["--memory-cache-bytes=0", "--drain-timeout=50ms"];
const SHORT_LEASE = ["--heartbeat-interval=100ms", "--heartbeat-timeout=700ms"];

function assertText(
  { local, remote }: { local: LocalClient; remote: RemoteClient },
  key: string,
  text: string,
): Promise<void> {
  return Promise.all([
    remote.value(NS, key).then((value) => assert.equal(textOf(value), text)),
    local.handle(NS, key).then(async ({ id, path }) => {
      assert.equal(await Deno.readTextFile(path), text);
      await local.drop(id);
    }),
  ]).then(() => {});
}

Deno.test("a client that is stopped past its lease changes nothing when it goes on", async () => {
  await using folder = await temporaryFolder();
  const root = folder.path;
  const args = [...ARGS, ...SHORT_LEASE];
  {
    await using server = await ServerProcess.start(root, { args });
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    await using paused = new Program([
      ...["run", "--quiet", `--config=${CONFIG}`, "-A", CLIENT],
      ...[server.local, server.remote, NS],
    ]);
    await paused.stdout.next(/^working$/);
    for (const key of ["set", "done"]) {
      assert.equal((await remote.get(NS, key)).entryStatus, "loading");
    }
    paused.kill("SIGSTOP");
    const isAssigned = ({ entryStatus }: { entryStatus: string }) =>
      entryStatus === "assign";
    const set = await until(() => remote.get(NS, "set"), isAssigned);
    const done = await until(() => local.get(NS, "done"), isAssigned);
    await remote.set(set.assign!.id, "second");
    await Deno.writeTextFile(done.assign!.path, "second");
    await local.done(done.assign!.id);

    paused.kill("SIGCONT");
    const [said] = await paused.stdout.next(/^\{.*/);
    const { set: lateSet, done: lateDone, heartbeat, written } = JSON.parse(
      said,
    );
    assert.equal(written, 18);
    assert.deepEqual(
      [lateSet, lateDone, heartbeat].map((code) => status[code]),
      Array(3).fill("INVALID_ARGUMENT"),
    );
    for (const key of ["set", "done"]) {
      await assertText({ local, remote }, key, "second");
    }
  }
  await using server = await ServerProcess.start(root, { args });
  using local = new LocalClient(server.local);
  using remote = new RemoteClient(server.remote);
  for (const key of ["set", "done"]) {
    await assertText({ local, remote }, key, "second");
  }
  assert.deepEqual(filesOf(root, ".staging"), [], "what it left is swept");
});

/** Publishes a file, and writes to it through a descriptor that was open before. */
async function writeAfterDone(
  local: LocalClient,
  key: string,
  value: Uint8Array,
): Promise<void> {
  const { id, path } = await local.assigned(NS, key);
  using file = await Deno.open(path, { create: true, write: true });
  for (let at = 0; at < value.length;) {
    at += await file.write(value.subarray(at));
  }
  await local.done(id);
  await file.seek(0, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode("written after Done"));
}

Deno.test("a small file that is written to after Done is served as it was", async () => {
  await using folder = await temporaryFolder();
  await using server = await ServerProcess.start(folder.path, { args: ARGS });
  using local = new LocalClient(server.local);
  using remote = new RemoteClient(server.remote);
  const value = valueOf(1, 100_000);
  await writeAfterDone(local, "small", value);
  assert.equal(hashOf(await remote.value(NS, "small")), hashOf(value));
  const { path } = await local.handle(NS, "small");
  assert.equal(hashOf(await Deno.readFile(path)), hashOf(value));
});

for (const reader of ["local", "remote"] as const) {
  Deno.test(`a large file that is written to after Done is no value any more for a ${reader} client`, async () => {
    await using folder = await temporaryFolder();
    await using server = await ServerProcess.start(folder.path, { args: ARGS });
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    await writeAfterDone(local, "large", valueOf(1, 3 * 1024 * 1024));
    const { assign } = await until(
      () => (reader === "local" ? local : remote).get(NS, "large"),
      ({ entryStatus }) => {
        assert.notEqual(entryStatus, "ready", "what was written was served");
        return entryStatus === "assign";
      },
    );
    await remote.set(assign!.id, "computed again");
    await assertText({ local, remote }, "large", "computed again");
  });
}
