/** Values that rot on the disk: nobody is given a wrong byte. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { ServerHere } from "../support/server_here.ts";
import { until } from "../support/status.ts";
import { type Damage, damageFile, DAMAGES } from "./damage.ts";
import { blobPath } from "./ledger.ts";
import { filesOf } from "./stopped_root.ts";
import { hashOf, valueOf } from "./values.ts";

const NS = "tests.damage";
/** Nothing is answered from memory. */
const ARGS = ["--memory-cache-bytes=0", "--drain-timeout=50ms"];
/** The larger one is hashed where the client wrote it. */
const SIZES_BYTES = [1_000, 2 * 1024 * 1024];
const READERS = ["local", "remote"] as const;

interface Case {
  readonly key: string;
  readonly damage: Damage;
  readonly reader: typeof READERS[number];
  readonly value: Uint8Array;
}

const CASES: readonly Case[] = DAMAGES.flatMap((damage) =>
  READERS.flatMap((reader) =>
    SIZES_BYTES.map((bytes) => ({
      key: `${damage} ${reader} ${bytes}`,
      damage,
      reader,
      value: valueOf(bytes, bytes),
    }))
  )
);

interface Clients extends Disposable {
  readonly local: LocalClient;
  readonly remote: RemoteClient;
}

function connect(server: ServerHere): Clients {
  const local = new LocalClient(server.local);
  const remote = new RemoteClient(server.remote);
  return {
    local,
    remote,
    [Symbol.dispose]() {
      local.close();
      remote.close();
    },
  };
}

/** Publishes through LocalCache, and reads once through both. */
async function publish(
  { local, remote }: Clients,
  { key, value }: Case,
): Promise<string> {
  const { id, path } = await local.assigned(NS, key);
  await Deno.writeFile(path, value);
  await local.done(id);
  assert.equal(hashOf(await remote.value(NS, key)), hashOf(value));
  return (await local.handle(NS, key)).id;
}

/** The damaged value is never served, and its entry can be computed again. */
async function replace(
  { local, remote }: Clients,
  { key, reader, value }: Case,
): Promise<void> {
  const { assign } = await until(
    () => (reader === "local" ? local : remote).get(NS, key),
    ({ entryStatus }) => {
      assert.notEqual(entryStatus, "ready", `${key} was served`);
      return entryStatus === "assign";
    },
  );
  await remote.set(assign!.id, value);
  assert.equal(hashOf(await remote.value(NS, key)), hashOf(value), key);
  const handle = await local.handle(NS, key);
  assert.equal(hashOf(await Deno.readFile(handle.path)), hashOf(value), key);
  await local.drop(handle.id);
}

for (const when of ["while it serves", "while it is stopped"]) {
  Deno.test(`a value that is damaged ${when} is never served, and is computed again`, async () => {
    await using folder = await temporaryFolder();
    const root = folder.path;
    const handles: string[] = [];
    let server = await ServerHere.start(root, { args: ARGS });
    try {
      {
        using clients = connect(server);
        for (const each of CASES) handles.push(await publish(clients, each));
      }
      const isStopped = when === "while it is stopped";
      if (isStopped) await server.stop();
      for (const { key, damage } of CASES) {
        await damageFile(blobPath(root, { namespace: NS, key }), damage);
      }
      if (isStopped) server = await ServerHere.start(root, { args: ARGS });
      using clients = connect(server);
      for (const each of CASES) await replace(clients, each);
      const kept = CASES.filter(({ damage }) => damage !== "remove");
      assert.equal(filesOf(root, ".quarantine").length, kept.length);
      // Whoever held a file may let go of it, whatever has become of it.
      for (const id of handles) await clients.local.drop(id);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
}
