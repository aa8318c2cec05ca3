/**
 * A power cut: the server runs on a disk of its own, a file, of which a copy is
 * taken in the middle of the work. What the kernel had not written is not in
 * the copy. The next start is on the copy.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  type GetReply,
  LocalClient,
  RemoteClient,
} from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { assertSlowFile, writeSlowFile } from "../support/slow_file.ts";
import { until } from "../support/status.ts";

const NS = "tests.power";
const CALLERS = 8;
const ACKNOWLEDGED = 75;
/** From a few bytes to more than is copied at Done. */
const LINES = [1, 500, 60_000];
/** A file whose Done is answered before it is hashed. */
const SLOW_KEY = "slow";
/** Nothing is written on its own for as long as the test takes. */
const COMMIT = "commit=300";

/** Whoever had work was on the same machine. */
const GRACE = "--restart-grace=100ms";

/** More than the slow file has: a larger one than the disk is refused. */
const DISK_BYTES = 1.5 * 1024 ** 3;

/** A disk that can be copied as it is at one moment. */
class Disk {
  readonly folder: string;
  readonly #image: string;
  readonly #device: string;

  private constructor(folder: string, image: string, device: string) {
    this.folder = folder;
    this.#image = image;
    this.#device = device;
  }

  /** Makes a disk below a folder; `undefined`: that is not possible here. */
  static async make(base: string): Promise<Disk | undefined> {
    const image = `${base}/image`;
    using file = await Deno.open(image, { write: true, create: true });
    await file.truncate(DISK_BYTES);
    if (!await succeeds("mkfs.ext4", "-q", image)) return undefined;
    return await Disk.#mount(image);
  }

  static async #mount(image: string): Promise<Disk | undefined> {
    const folder = `${image}-mounted`;
    await Deno.mkdir(folder);
    if (!await succeeds("mount", "-o", `loop,${COMMIT}`, image, folder)) {
      return undefined;
    }
    const mounts = await Deno.readTextFile("/proc/mounts");
    const line = mounts.split("\n").find((line) => line.includes(folder));
    return new Disk(folder, image, line!.split(" ")[0]!.slice("/dev/".length));
  }

  /** What is on the disk while nobody writes to it, as a disk of its own. */
  async cut(base: string): Promise<Disk> {
    // A request that was on its way when the writer stopped ends first.
    await until(
      () => Deno.readTextFile(`/sys/block/${this.#device}/inflight`),
      (inflight) => /^\s*0\s+0\s*$/.test(inflight),
    );
    const image = `${base}/copy`;
    // Most of it are holes.
    assert(await succeeds("cp", "--sparse=always", this.#image, image));
    const disk = await Disk.#mount(image);
    assert(disk);
    return disk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await succeeds("umount", this.folder);
  }
}

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, stderr: "null" });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The one value that a key may have. */
function valueOf(key: string): Uint8Array {
  const number = Number(key.split(" ")[1]);
  const lines = LINES[number % LINES.length]!;
  return Buffer.from(`the value of ${key}\n`.repeat(lines));
}

/** Keys that were asked for, and those of them that were acknowledged. */
interface Published {
  readonly asked: Set<string>;
  readonly acknowledged: Set<string>;
}

/** Publishes one key after the other until that fails. */
async function publish(
  { local, remote }: { local: LocalClient; remote: RemoteClient },
  caller: number,
  { asked, acknowledged }: Published,
): Promise<void> {
  try {
    for (let i = caller;; i += CALLERS) {
      const key = `key ${i}`;
      asked.add(key);
      if (caller % 2) {
        const { id } = await remote.assigned(NS, key);
        await remote.set(id, valueOf(key));
      } else {
        const { id, path } = await local.assigned(NS, key);
        await Deno.writeFile(path, valueOf(key));
        await local.done(id);
      }
      acknowledged.add(key);
    }
  } catch {
    // The server has been killed; if by mistake, too little is acknowledged.
  }
}

/** What is ready; a captured file may be on its way, or nobody come back to it. */
async function settled(
  client: LocalClient | RemoteClient,
  key: string,
): Promise<GetReply["ready"]> {
  const { ready } = await until(
    () => client.get(NS, key, { assign: false }),
    ({ entryStatus }) => entryStatus !== "loading",
    60_000,
  );
  return ready;
}

/** Works on a disk, cuts the power; what was acknowledged before that. */
async function workUntilCut(
  base: string,
  disk: Disk,
  durability: string,
): Promise<{ copy: Disk; published: Published }> {
  await using server = await ServerProcess.start(`${disk.folder}/root`, {
    args: ["--durability", durability],
  });
  const pid = await server.serverPid();
  using local = new LocalClient(server.local);
  using remote = new RemoteClient(server.remote);
  const published = {
    asked: new Set<string>(),
    acknowledged: new Set<string>(),
  };
  const callers = Array.from(
    { length: CALLERS },
    (_, i) => publish({ local, remote }, i, published),
  );
  await until(
    () => Promise.resolve(published.acknowledged.size),
    (count) => count >= ACKNOWLEDGED,
    60_000,
  );
  // The cut comes while this is being hashed.
  const { id, path } = await local.assigned(NS, SLOW_KEY);
  await writeSlowFile(path);
  await local.done(id);
  const before = {
    asked: new Set(published.asked),
    acknowledged: new Set(published.acknowledged),
  };
  Deno.kill(pid, "SIGSTOP");
  // What else the kernel has written is up to it: here all names and all rows,
  // and of the values only what was synced.
  using rows = await Deno.open(`${disk.folder}/root/cache.sqlite-wal`);
  await rows.sync();
  const copy = await disk.cut(base);
  await server.kill();
  await Promise.all(callers);
  return { copy, published: before };
}

for (const durability of ["strict", "relaxed"]) {
  const promise = durability === "strict"
    ? "loses nothing that was acknowledged"
    : "may lose values, and serves no wrong one";
  Deno.test(`a power cut in ${durability} mode ${promise}`, async () => {
    await withRoot(async (base) => {
      await using disk = await Disk.make(base);
      if (!disk) return console.log("skipped: no mkfs.ext4, or no loop mount");
      const { copy, published } = await workUntilCut(base, disk, durability);
      await using _copy = copy;
      const { asked, acknowledged } = published;

      await using server = await ServerProcess.start(`${copy.folder}/root`, {
        args: [GRACE],
      });
      using local = new LocalClient(server.local);
      using remote = new RemoteClient(server.remote);
      // Acknowledged, too, while its bytes were being hashed.
      const slow = await settled(local, SLOW_KEY);
      if (slow) await assertSlowFile((slow as { path: string }).path);
      else assert.equal(durability, "relaxed", `${SLOW_KEY} is lost`);
      let lost = 0;
      for (const key of asked) {
        const value = await settled(remote, key);
        if (value) {
          const expected = Buffer.from(valueOf(key));
          assert(expected.equals(value as Uint8Array), `${key} is wrong`);
          const handle = await settled(local, key);
          const { path } = handle as { path: string };
          assert(expected.equals(await Deno.readFile(path)), `${key} is wrong`);
        } else if (acknowledged.has(key)) {
          lost++;
          assert.equal(durability, "relaxed", `${key} is lost`);
        }
      }
      console.log(`${lost} of ${acknowledged.size} lost in ${durability} mode`);
    });
  });
}

Deno.test("a power cut soon after the first start leaves a root that is served again", () =>
  withRoot(async (base) => {
    await using disk = await Disk.make(base);
    if (!disk) return console.log("skipped: no mkfs.ext4, or no loop mount");
    const root = `${disk.folder}/root`;
    await using server = await ServerProcess.start(root);
    using remote = new RemoteClient(server.remote);
    for (let i = 0; i < 10; i++) {
      const { id } = await remote.assigned(NS, `key ${i}`);
      await remote.set(id, valueOf(`key ${i}`));
    }
    Deno.kill(await server.serverPid(), "SIGSTOP");
    // The kernel has written the names of values, and no row.
    using folder = await Deno.open(`${root}/${NS}`);
    await folder.sync();
    await using copy = await disk.cut(base);
    await server.kill();

    const tag = await Deno.readTextFile(`${copy.folder}/root/CACHEDIR.TAG`);
    assert.match(tag, /^Signature: /, "it is never made again");
    await using again = await ServerProcess.start(`${copy.folder}/root`, {
      args: [GRACE],
    });
    using client = new RemoteClient(again.remote);
    for (let i = 0; i < 10; i++) {
      // While a file that has no row is being removed, its key is Unassigned.
      const { assign } = await until(
        () => client.get(NS, `key ${i}`),
        ({ assign }) => assign !== undefined,
      );
      await client.set(assign!.id, "again");
    }
  }));
