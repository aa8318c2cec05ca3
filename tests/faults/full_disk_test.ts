/** A file system that is really full, under values and manifest alike. */

import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { whileRoomIsMade } from "../support/room.ts";
import { ServerHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { rejectsWith, until } from "../support/status.ts";
import { CacheClient } from "../v1/client.ts";
import { hashOf, valueOf } from "./values.ts";

const NS = "tests.full";
const MIB = 1024 * 1024;
const DISK_BYTES = 8 * MIB;
/** More than is left of it, and less than all of it. */
const LARGE = valueOf(1, 5 * MIB);
const SMALL = valueOf(2, 1_000);
/** What Stat says of work whose lease has ended. */
const EXPIRED = 4;

/** A small file system; `undefined`, with a reason on stdout: none can be mounted. */
async function smallDisk(
  path: string,
  bytes = DISK_BYTES,
  files?: number,
): Promise<AsyncDisposable | undefined> {
  const options = `size=${bytes},mode=0700` +
    (files === undefined ? "" : `,nr_inodes=${files}`);
  const failed = await run("mount", ["-t", "tmpfs", "-o", options, "l", path]);
  if (failed === undefined) {
    return {
      [Symbol.asyncDispose]: async () =>
        void await run("umount", ["--lazy", path]),
    };
  }
  console.log(`skipped: no small file system: ${failed}`);
}

/** Why a program failed, if so. */
async function run(
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const command = new Deno.Command(program, { args: [...args] });
    const { success, stderr } = await command.output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return `${error}`;
  }
}

/** Fills the disk to the last byte; removing the file makes room again. */
async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  for (let bytes = 1024 * 1024; bytes > 0; bytes >>= 1) {
    try {
      for (;;) await file.write(new Uint8Array(bytes));
    } catch {
      // So much does not fit any more; half of it may.
    }
  }
}

/** A server on a small disk of its own, and clients of it. */
interface Scene {
  readonly root: string;
  readonly server: ServerHere;
  readonly local: LocalClient;
  readonly remote: RemoteClient;
  readonly client: CacheClient;
}

/** Publishes a value, for which room may have to be made. */
async function put(
  remote: RemoteClient,
  key: string,
  value: Uint8Array,
): Promise<void> {
  const { id } = await remote.assigned(NS, key);
  await whileRoomIsMade(() => remote.set(id, value));
}

/** Runs with a server in this process, unless no small file system can be had. */
async function onSmallDisk(
  { args, bytes, files }: {
    readonly args: readonly string[];
    readonly bytes?: number;
    readonly files?: number;
  },
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const root = folder.path;
  await using disk = await smallDisk(root, bytes, files);
  if (!disk) return;
  await using server = await ServerHere.start(root, { args });
  using local = new LocalClient(server.local);
  using remote = new RemoteClient(server.remote);
  using client = new CacheClient(server.remote);
  await run({ root, server, local, remote, client });
}

Deno.test("a full disk takes no values, serves those that it has, and recovers when there is room", async () => {
  await using folder = await temporaryFolder();
  const root = folder.path;
  await using disk = await smallDisk(root);
  if (!disk) return;
  await using server = await ServerProcess.start(root, {
    args: [
      "--heartbeat-interval=10s",
      "--heartbeat-timeout=60s",
      // The disk is to be filled to the brim.
      "--min-free=0",
    ],
  });
  using local = new LocalClient(server.local);
  using remote = new RemoteClient(server.remote);
  const pid = await server.serverPid();
  await put(remote, "before", SMALL);
  const set = await remote.assigned(NS, "set");
  const done = await local.assigned(NS, "done");
  await Deno.writeFile(done.path, SMALL);
  const ballast = `${root}/ballast`;

  await fill(ballast);
  for (let tries = 0; tries < 2; tries++) {
    await rejectsWith("RESOURCE_EXHAUSTED", remote.set(set.id, SMALL), /full/);
    await rejectsWith("RESOURCE_EXHAUSTED", local.done(done.id), /full/);
    await assertReads();
  }
  // Keys that need new pages of the manifest, until there is no room for them.
  await until(
    () => remote.get(NS, crypto.randomUUID().repeat(50)),
    ({ entryStatus }) => entryStatus === "unassigned",
  );
  await assertReads();

  await Deno.remove(ballast);
  await until(
    () => remote.get(NS, "after"),
    ({ assign }) => assign !== undefined,
  );
  await remote.set(set.id, LARGE);
  await local.done(done.id);
  assert.equal(hashOf(await remote.value(NS, "set")), hashOf(LARGE));
  assert.equal(hashOf(await remote.value(NS, "done")), hashOf(SMALL));
  await assertReads();
  assert.equal(await server.serverPid(), pid, "it never died");

  async function assertReads(): Promise<void> {
    assert.equal(hashOf(await remote.value(NS, "before")), hashOf(SMALL));
    const { id, path } = await local.handle(NS, "before");
    assert.equal(hashOf(await Deno.readFile(path)), hashOf(SMALL));
    await local.drop(id);
  }
});

Deno.test("a value that the disk has no room for leaves room for those that fit", () =>
  onSmallDisk({ args: ["--min-free=0"] }, async ({ remote, root }) => {
    const first = await remote.assigned(NS, "first");
    const second = await remote.assigned(NS, "second");
    await remote.set(first.id, SMALL);
    // Of what others write nothing is known until the disk is looked at.
    await Deno.writeFile(`${root}/others`, new Uint8Array(4 * MIB));
    await rejectsWith(
      "RESOURCE_EXHAUSTED",
      remote.set(second.id, LARGE),
      /full|the disk has \d+ bytes free/,
    );
    // What had been written of it is gone, and its work is still its client's.
    await remote.set(second.id, SMALL);
    for (const key of ["first", "second"]) {
      assert.equal(hashOf(await remote.value(NS, key)), hashOf(SMALL));
    }
    assert.deepEqual([...Deno.readDirSync(`${root}/.private`)], []);
  }));

Deno.test("a value that cannot be written beside one that is in use is refused", () =>
  onSmallDisk({ args: ["--min-free=0"] }, async ({ local, remote }) => {
    const first = await remote.assigned(NS, "first");
    const second = await remote.assigned(NS, "second");
    const third = await remote.assigned(NS, "third");
    await remote.set(first.id, LARGE);
    const { id } = await local.handle(NS, "first");
    await rejectsWith(
      "RESOURCE_EXHAUSTED",
      remote.set(second.id, LARGE),
      /the disk has \d+ bytes free/,
    );
    await remote.set(third.id, SMALL);
    assert.equal(hashOf(await remote.value(NS, "first")), hashOf(LARGE));
    // When nobody uses it any more it goes in the place of the other one.
    await local.drop(id);
    await whileRoomIsMade(() => remote.set(second.id, LARGE));
    assert.equal(hashOf(await remote.value(NS, "second")), hashOf(LARGE));
  }));

Deno.test("a value larger than its estimate has room made for it on the disk, and --min-free stays free", () =>
  onSmallDisk(
    { args: ["--min-free=8MiB"], bytes: 48 * MIB },
    async ({ local, remote, root }) => {
      let leastFree = Infinity;
      const set = async (key: string, bytes: number) => {
        const value = valueOf(bytes, bytes);
        await put(remote, key, value);
        const { bavail, bsize } = statfsSync(root);
        leastFree = Math.min(leastFree, bavail * bsize);
        assert.equal(hashOf(await remote.value(NS, key)), hashOf(value));
      };
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 45; i++) await set(`${round} ${i}`, MIB);
        // By what came before it, it is one of 1 MiB.
        await set(`${round} large`, 12 * MIB);
        const { id, path } = await local.assigned(NS, `${round} file`);
        await Deno.writeFile(path, valueOf(round, 6 * MIB));
        await whileRoomIsMade(() => local.done(id));
      }
      // Half of it is lent, and the manifest and its log grow beside it.
      assert(leastFree > 2 * MIB, `${leastFree} bytes were left`);
    },
  ));

Deno.test("a file that is copied has room made for its copy, holes and all, and --min-free stays free", () =>
  onSmallDisk(
    { args: ["--min-free=16MiB"], bytes: 64 * MIB },
    async ({ local, remote, root }) => {
      for (let i = 0; i < 30; i++) {
        await put(remote, `kept ${i}`, valueOf(i, MIB));
      }
      let leastFree = Infinity;
      const timer = setInterval(() => {
        const { bavail, bsize } = statfsSync(root);
        leastFree = Math.min(leastFree, bavail * bsize);
      }, 1);
      const done = async (key: string) => {
        const { id, path } = await local.assigned(NS, key);
        await Deno.writeFile(path, new Uint8Array());
        await Deno.truncate(path, 30 * MIB);
        await Deno.chown(path, 12_345, 12_345);
        await whileRoomIsMade(() => local.done(id));
      };
      await done("one");
      const { ready } = await local.settled(NS, "one");
      const { path } = ready as { readonly path: string };
      // It is in use, and beside it there is no room.
      await rejectsWith("RESOURCE_EXHAUSTED", done("two"), /--min-free leaves/);
      clearInterval(timer);
      assert.equal((await Deno.stat(path)).size, 30 * MIB);
      assert(leastFree > 8 * MIB, `${leastFree} bytes were left`);
    },
  ));

Deno.test("with --min-free a value larger than the disk takes nothing from anybody", () =>
  onSmallDisk({ args: ["--min-free=1MiB"] }, async ({ client, remote }) => {
    // Work that is given out has so much room kept for it, until its size is known.
    const kept = valueOf(3, 1_500_000);
    await put(remote, "kept", kept);
    const piece = new Uint8Array(256 * 1024);
    for (const expectedSize of [9_000_000, undefined]) {
      const { id } = await client.assigned(NS, `large ${expectedSize}`);
      await rejectsWith(
        "RESOURCE_EXHAUSTED",
        client.publishParts([
          { begin: { id, expectedSize } },
          ...Array(36).fill({ chunk: piece }),
          { end: { size: 36 * piece.length } },
        ]),
        expectedSize === undefined
          ? /--min-free leaves/
          : /bytes of the whole disk to be written, and the value has 9000000;/,
      );
      // There is room at once, for work as well.
      const next = await client.assigned(NS, `next ${expectedSize}`);
      assert.equal(hashOf(await remote.value(NS, "kept")), hashOf(kept));
      await remote.set(next.id, SMALL);
    }
  }));

Deno.test("on a full disk a value takes from others only what it is known to need", () =>
  onSmallDisk({
    args: ["--min-free=8MiB", "--quotas=tests.small=6MiB"],
    bytes: 48 * MIB,
  }, async ({ client, remote, root }) => {
    for (let i = 0; i < 60; i++) {
      await put(remote, `${i}`, valueOf(i, MIB));
    }
    const kept = async (): Promise<number> => {
      await client.call("Sweep");
      return [...Deno.readDirSync(`${root}/${NS}`)].length;
    };
    const pieces = (count: number) =>
      Array(count).fill(new Uint8Array(MIB / 4));
    const small = await client.assigned("tests.small", "too large");
    const endless = await client.assigned(NS, "endless");
    const fits = await client.assigned(NS, "fits");
    const before = await kept();
    assert(before > 20 && before < 40, `${before} values fill the disk`);

    await rejectsWith(
      "RESOURCE_EXHAUSTED",
      client.publish(small.id, pieces(40)),
    );
    assert.equal(await kept(), before, "above its own quota");
    await rejectsWith(
      "RESOURCE_EXHAUSTED",
      client.publish(endless.id, pieces(1000)),
      /--min-free leaves no byte .* says its size beforehand/,
    );
    assert.equal(await kept(), before, "larger than the disk");

    // One that says its size waits for the room that is made for it.
    const value = valueOf(5, 12 * MIB);
    await client.publishParts([
      { begin: { id: fits.id, expectedSize: value.length } },
      ...Array.from({ length: 48 }, (_, i) => ({
        chunk: value.subarray(i * MIB / 4, (i + 1) * MIB / 4),
      })),
      {
        end: { size: value.length, sha256: Uint8Array.fromHex(hashOf(value)) },
      },
    ]);
    const { bytes } = await client.fetched(NS, "fits");
    assert.equal(hashOf(bytes), hashOf(value));
    const after = await kept();
    assert(after < before && after >= before - 16, `${after} of ${before}`);
  }));

Deno.test("a disk that others fill costs no value, is told, and is used again when there is room", () =>
  onSmallDisk(
    { args: ["--min-free=8MiB"], bytes: 32 * MIB },
    async ({ client, remote, root, server }) => {
      const kept = valueOf(4, MIB / 2);
      for (const key of ["one", "two", "three"]) {
        await put(remote, key, kept);
      }
      const ballast = `${root}/ballast`;
      await Deno.writeFile(ballast, new Uint8Array(26 * MIB));
      // It looks every 10 s, and when it is told to.
      await client.call("Sweep");
      const trouble = async () =>
        (await client.call<{ readonly trouble: string }>("Status")).trouble;
      assert.match(
        await trouble(),
        /^only \d+ bytes of the disk are free, and --min-free asks for 8388608 bytes; /,
      );
      assert.equal((await remote.get(NS, "more")).entryStatus, "unassigned");
      for (const key of ["one", "two", "three"]) {
        assert.equal(hashOf(await remote.value(NS, key)), hashOf(kept), key);
      }
      assert.match(server.stderr, /no value can be kept: only .* not Larder's/);
      assert.doesNotMatch(server.stderr, /had to go/);

      await Deno.remove(ballast);
      await until(
        () => remote.get(NS, "after"),
        ({ assign }) => assign !== undefined,
        30_000,
      );
      assert.equal(await trouble(), "");
    },
  ));

Deno.test("a disk that others fill to its last byte says that nothing can go, and goes on by itself", () =>
  onSmallDisk(
    { args: ["--min-free=1MiB"], bytes: 32 * MIB },
    async ({ client, remote, root, server }) => {
      const kept = valueOf(6, MIB);
      const keys = Array.from({ length: 20 }, (_, i) => `${i}`);
      for (const key of keys) {
        await put(remote, key, kept);
      }
      const status = () =>
        client.call<{ readonly entries: string; readonly trouble: string }>(
          "Status",
        );
      const ballast = `${root}/ballast`;
      await fill(ballast);
      await client.call("Sweep");
      // Each look tries again, and none of them counts out what stays.
      for (let looks = 0; looks < 3; looks++) {
        const { entries, trouble } = await status();
        assert.equal(entries, "20");
        assert.match(
          trouble,
          /bytes are kept, and none of them can go: the disk/,
        );
        await client.call("Sweep");
      }
      assert.equal((await remote.get(NS, "more")).entryStatus, "unassigned");
      for (const key of keys) {
        // Each second some are tried again, and are nobody's meanwhile.
        const { ready } = await until(
          () => remote.get(NS, key, { assign: false }),
          ({ entryStatus }) => entryStatus === "ready",
        );
        assert.equal(hashOf(ready as Uint8Array), hashOf(kept), key);
      }
      assert.match(
        server.stderr,
        /no value can be kept: .* none of them can go/,
      );
      assert.doesNotMatch(server.stderr, /had to go|values can be kept again/);

      await Deno.remove(ballast);
      await until(
        () => remote.get(NS, "after"),
        ({ assign }) => assign !== undefined,
        30_000,
      );
      const { entries } = await until(
        status,
        ({ trouble }) => trouble === "",
        30_000,
      );
      assert.equal(entries, "20");
    },
  ));

Deno.test("without --min-free a disk that others fill is told at the first row that cannot be written", () =>
  onSmallDisk(
    { args: ["--min-free=0"], bytes: 32 * MIB },
    async ({ client, remote, root, server }) => {
      await put(remote, "kept", SMALL);
      const status = () =>
        client.call<{ readonly trouble: string }>(
          "Status",
        );
      const ballast = `${root}/ballast`;
      await fill(ballast);
      assert.equal((await remote.get(NS, "more")).entryStatus, "unassigned");
      assert.equal(
        (await status()).trouble,
        `the disk of ${root} is full: make room on it`,
      );
      assert.equal(hashOf(await remote.value(NS, "kept")), hashOf(SMALL));
      assert.match(
        server.stderr,
        /the manifest takes no writes \(.*full\): make room on its disk/,
      );

      await Deno.remove(ballast);
      await until(status, ({ trouble }) => trouble === "");
      await put(remote, "after", SMALL);
    },
  ));

/** The next value is kept, and nothing is left of what a client wrote. */
async function takesTheNext(remote: RemoteClient, root: string): Promise<void> {
  const next = await until(
    () => remote.get(NS, "next"),
    ({ assign }) => assign !== undefined,
    60_000,
  );
  await remote.set(next.assign!.id, SMALL);
  assert.deepEqual([...Deno.readDirSync(`${root}/.staging`)], []);
}

for (const how of ["gives its work back", "goes without a word"] as const) {
  Deno.test(`a client whose file fills the disk and that ${how} takes it from nobody for long`, () =>
    onSmallDisk(
      {
        args: ["--heartbeat-interval=300ms", "--heartbeat-timeout=1s"],
        bytes: 128 * MIB,
      },
      async ({ client, local, remote, root }) => {
        const kept = valueOf(7, MIB);
        await put(remote, "kept", kept);
        const { id, path } = await local.assigned(NS, "too large");
        await fill(path);
        if (how === "gives its work back") {
          await client.call("Abandon", { id }).catch(() => {});
        }
        await takesTheNext(remote, root);
        assert.equal(hashOf(await remote.value(NS, "kept")), hashOf(kept));
        await local.assigned(NS, "too large");
      },
    ));
}

Deno.test("a client that fills the disk with a file for work that it has lost takes it from nobody for long", () =>
  onSmallDisk(
    {
      args: ["--heartbeat-interval=300ms", "--heartbeat-timeout=1s"],
      bytes: 128 * MIB,
    },
    async ({ local, remote, root }) => {
      const { path } = await local.assigned(NS, "lost");
      const { assign } = await until(
        () => remote.get(NS, "lost"),
        ({ assign }) => assign !== undefined,
      );
      await remote.set(assign!.id, SMALL);
      await fill(path);
      await takesTheNext(remote, root);
      assert.equal(hashOf(await remote.value(NS, "lost")), hashOf(SMALL));
    },
  ));

Deno.test("where the disk is short, what clients have left goes before any value", () =>
  onSmallDisk(
    {
      args: [
        ...["--heartbeat-interval=300ms", "--heartbeat-timeout=1s"],
        "--min-free=32MiB",
      ],
      bytes: 128 * MIB,
    },
    async ({ client, local, remote, root }) => {
      const values = Array.from({ length: 50 }, (_, i) => valueOf(i, MIB));
      const set = (i: number) => put(remote, `${i}`, values[i]!);
      for (let i = 0; i < 30; i++) await set(i);
      const { path } = await local.assigned(NS, "left behind");
      await Deno.writeFile(path, new Uint8Array(50 * MIB));
      const key = new TextEncoder().encode("left behind");
      await until(
        () => client.call<{ status: number }>("Stat", { namespace: NS, key }),
        ({ status }) => status === EXPIRED,
      );
      for (let i = 30; i < values.length; i++) await set(i);
      await client.call("Sweep");
      assert.deepEqual([...Deno.readDirSync(`${root}/.staging`)], []);
      for (const [i, value] of values.entries()) {
        assert.equal(hashOf(await remote.value(NS, `${i}`)), hashOf(value));
      }
    },
  ));

Deno.test("a start on a full disk is refused with what to do, and changes nothing", async () => {
  await using folder = await temporaryFolder();
  await using disk = await smallDisk(folder.path);
  if (!disk) return;
  const root = `${folder.path}/root`;
  await Deno.mkdir(root);
  const ballast = `${folder.path}/ballast`;
  const options = { args: ["--min-free=0"] };
  const isRefused = () =>
    assert.rejects(ServerProcess.start(root, options), (error: Error) => {
      const [said = "", ...rest] = error.message.trim().split("\n").slice(1);
      assert.match(said, /^larder: .*disk is full.* make room/);
      assert.deepEqual(rest, []);
      return true;
    });
  const names = () => [...Deno.readDirSync(root)].map(({ name }) => name);
  await fill(ballast);
  await isRefused();
  assert.deepEqual(names(), [], "a first start leaves nothing");
  await Deno.remove(ballast);
  {
    await using server = await ServerProcess.start(root, options);
    using remote = new RemoteClient(server.remote);
    await put(remote, "kept", SMALL);
    await server.stop();
  }
  await fill(ballast);
  await isRefused();
  await Deno.remove(ballast);
  await using server = await ServerProcess.start(root, options);
  using remote = new RemoteClient(server.remote);
  assert.equal(hashOf(await remote.value(NS, "kept")), hashOf(SMALL));
});

Deno.test("a disk whose inodes are used up takes new values in the place of old ones", () =>
  onSmallDisk(
    { args: ["--min-free=0"], bytes: 64 * MIB, files: 60 },
    async ({ client, local, remote, root, server }) => {
      for (let i = 0; i < 100; i++) {
        await put(remote, `set ${i}`, SMALL);
        const { id, path } = await local.assigned(NS, `done ${i}`);
        await Deno.writeFile(path, SMALL);
        await local.done(id);
      }
      for (const key of ["set 99", "done 99"]) {
        assert.equal(hashOf(await remote.value(NS, key)), hashOf(SMALL));
      }
      const { entries, trouble } = await client.call<
        { readonly entries: string; readonly trouble: string }
      >("Status");
      assert(Number(entries) > 20, `${entries} of 60 are values`);
      assert.equal(trouble, "");
      assert.doesNotMatch(server.stderr, /no space|no value can be kept/i);

      // Then others use up all that are left.
      for (let i = 0; Number(statfsSync(root).ffree) > 0; i++) {
        await Deno.writeFile(`${root}/other-${i}`, new Uint8Array());
      }
      await client.call("Sweep");
      // Larder's own values make up for it, as long as they can.
      await put(remote, "after", SMALL);
    },
  ));

Deno.test("an endless Publish leaves on the disk what --min-free says", () =>
  onSmallDisk(
    { args: ["--min-free=24MiB"], bytes: 64 * MIB },
    async ({ client, remote, root }) => {
      const { id } = await client.assigned(NS, "endless");
      let leastFree = Infinity;
      let sent = 0;
      function* endless() {
        for (; sent < 1024 * MIB; sent += 256 * 1024) {
          const { bavail, bsize } = statfsSync(root);
          leastFree = Math.min(leastFree, bavail * bsize);
          yield new Uint8Array(256 * 1024);
        }
      }
      await rejectsWith(
        "RESOURCE_EXHAUSTED",
        client.publish(id, endless()),
        // What comes while the disk is looked at may not count.
        /--min-free leaves (no byte of the|\d+ bytes of the whole) disk to be written/,
      );
      const { bavail, bsize } = statfsSync(root);
      leastFree = Math.min(leastFree, bavail * bsize);
      // The manifest and its log grow beside it.
      assert(leastFree > 20 * MIB, `${leastFree} bytes were left`);
      await until(
        () => Promise.resolve([...Deno.readDirSync(`${root}/.private`)]),
        (files) => files.length === 0,
      );
      // There is room again, and the work is still its client's.
      await until(
        () => remote.set(id, SMALL).then(() => true, () => false),
        (isSet) => isSet,
        40_000,
      );
    },
  ));
