/** A full file system that writes to a new place what is written again. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { RemoteClient } from "../support/clients.ts";
import { ServerProcess } from "../support/server_process.ts";
import { valueOf } from "./values.ts";

const NS = "tests.full";
/** The least that mkfs.btrfs takes is 109 MiB. */
const DISK_BYTES = 120 * 1024 * 1024;
const WRITES = 300;
const WRITERS = 8;

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

/** Makes and mounts one; `undefined`: that is not possible here. */
async function mountBtrfs(base: string): Promise<
  (AsyncDisposable & { readonly path: string }) | undefined
> {
  const [image, path] = [`${base}/image`, `${base}/mounted`];
  await Deno.mkdir(path);
  await Deno.writeFile(image, new Uint8Array());
  await Deno.truncate(image, DISK_BYTES);
  const isMade = await succeeds("mkfs.btrfs", "-q", image) &&
    await succeeds("mount", "-o", "loop", image, path);
  if (!isMade) return undefined;
  const unmount = async () => void await succeeds("umount", "--lazy", path);
  return { path, [Symbol.asyncDispose]: unmount };
}

/** Takes all room that there is; as small as it gets. */
async function fill(path: string): Promise<void> {
  await using file = await Deno.open(path, { create: true, write: true });
  for (let bytes = 1024 * 1024; bytes >= 512; bytes >>= 1) {
    try {
      for (;;) {
        await file.write(new Uint8Array(bytes).fill(1));
        await file.syncData();
      }
    } catch {
      // So much does not fit any more; half of it may.
    }
  }
}

Deno.test("a full btrfs takes no values, and is no end of the server", async () => {
  await using folder = await temporaryFolder();
  await using disk = await mountBtrfs(folder.path);
  if (!disk) return console.log("skipped: no mkfs.btrfs, or no loop mount");
  const root = `${disk.path}/root`;
  await Deno.mkdir(root);
  const args = ["--min-free=0", "--heartbeat-interval=10s"];
  await using server = await ServerProcess.start(root, { args });
  const pid = await server.serverPid();
  using remote = new RemoteClient(server.remote);
  const value = valueOf(1, 1_000);
  await remote.set((await remote.assigned(NS, "kept")).id, value);
  await fill(`${disk.path}/other`);
  let refused = 0;
  const write = async (key: string) => {
    try {
      const reply = await remote.get(NS, key);
      if (reply.assign) await remote.set(reply.assign.id, value);
      else refused++;
    } catch {
      refused++;
    }
  };
  for (let at = 0; at < WRITES; at += WRITERS) {
    const some = Array.from({ length: WRITERS }, (_, i) => `k${at + i}`);
    await Promise.all(some.map(write));
  }
  assert.ok(refused > 0, "it was full");
  assert.equal(await server.serverPid(), pid, "it is the same process");
  const kept = new Uint8Array(await remote.value(NS, "kept"));
  assert.deepEqual(kept, value, "it is served");
  await Deno.remove(`${disk.path}/other`);
});
