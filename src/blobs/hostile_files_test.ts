/** What clients, and whoever else can write to the root, may leave lying there. */

import assert from "node:assert/strict";
import { linkSync } from "node:fs";
import { denoFiles } from "../../workers/deno_files.ts";
import type { FileSystem } from "../../workers/file_system.ts";
import { Folders } from "../../workers/blob_folders.ts";
import { capture, hash, probe } from "../../workers/blob_staging.ts";
import { Written } from "../../workers/written.ts";
import {
  bytesOf,
  digestOf,
  nameOf,
  rejectsWith,
  sameFile,
} from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";
import { WorkerBlobStore, workerPermissions } from "./worker_blob_store.ts";

const LARGE = 3 * 1024 * 1024;

/** A file outside of the root, whose bytes must neither change nor be served. */
async function outside(): Promise<
  AsyncDisposable & { path: string; file: string }
> {
  const path = await Deno.makeTempDir({ prefix: "larder-outside-" });
  const file = `${path}/secret`;
  Deno.writeFileSync(file, bytesOf(100, 9));
  return {
    path,
    file,
    async [Symbol.asyncDispose]() {
      assert.deepEqual(Deno.readFileSync(file), bytesOf(100, 9));
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** A root as a worker sees it that runs here. */
function foldersOf(root: string, files: FileSystem = denoFiles): Folders {
  return new Folders(files, {
    root,
    ino: String(Deno.lstatSync(root).ino),
    strict: false,
    tag: "test",
    memory: "test",
    keepCaptures: false,
  });
}

function mkfifo(path: string): void {
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  assert.ok(success, "mkfifo failed");
}

Deno.test("a staging path that holds a symlink, FIFO or folder is not captured", async () => {
  await using secret = await outside();
  await using harness = await openTestRoot();
  const { local } = harness.store;
  const path = local.stagingPath("one");
  const make = [
    () => Deno.symlinkSync(secret.file, path),
    () => Deno.symlinkSync(secret.path, path),
    () => Deno.symlinkSync("/nowhere", path),
    () => mkfifo(path),
    () => {
      Deno.mkdirSync(path);
      Deno.symlinkSync(secret.path, `${path}/link`);
      Deno.mkdirSync(`${path}/sub`);
    },
  ];
  for (const lay of make) {
    lay();
    await rejectsWith(local.capture("one"), "not-a-file");
    assert.deepEqual(await local.leftovers(), { staging: [], captured: [] });
    lay();
    await local.discard("one");
    assert.deepEqual(await local.leftovers(), { staging: [], captured: [] });
  }
});

Deno.test("a staging file from before the clock was set back is no sign of life", async () => {
  await using harness = await openTestRoot();
  const folders = foldersOf(harness.root);
  Deno.writeTextFileSync(folders.staged("one"), "half");
  const op = { kind: "probe", staging: "one" } as const;
  assert.ok(probe(folders, op) !== undefined, "it changed just now");
  const { now } = Date;
  try {
    Date.now = () => now() - 24 * 3_600_000;
    assert.equal(probe(folders, op), undefined);
  } finally {
    Date.now = now;
  }
});

Deno.test("a capture that turns out to be no file after a crash is removed", async () => {
  await using secret = await outside();
  await using harness = await openTestRoot();
  const { local } = harness.store;
  Deno.symlinkSync(secret.file, `${harness.root}/.private/captured-one`);
  await rejectsWith(local.hash("one"), "not-a-file");
  mkfifo(`${harness.root}/.private/captured-two`);
  await rejectsWith(local.capture("two"), "not-a-file");
  assert.deepEqual((await local.leftovers()).captured, []);
});

for (const size of [10, LARGE]) {
  Deno.test(`no capture of ${size} bytes counts any more when no file has come in its place`, async () => {
    await using harness = await openTestRoot();
    const { local } = harness.store;
    Deno.writeFileSync(local.stagingPath("one"), bytesOf(size));
    await local.capture("one");
    mkfifo(local.stagingPath("one"));
    await rejectsWith(local.capture("one"), "not-a-file");
    await rejectsWith(local.capture("one"), "missing");
  });
}

for (const durability of ["relaxed", "strict"] as const) {
  Deno.test(`what a killed worker took last is what is captured (${durability})`, async () => {
    await using harness = await openTestRoot({ durability, bootId: "boot" });
    const { local } = harness.store;
    const path = local.stagingPath("one");
    Deno.writeFileSync(path, bytesOf(10, 1));
    await local.capture("one");
    // It took the second file, and came no further.
    Deno.writeFileSync(path, bytesOf(20, 2));
    const { dev } = Deno.lstatSync(harness.root);
    const taken = `${harness.root}/.private/taken-boot.${dev}-one`;
    Deno.renameSync(path, taken);
    const { digest } = await local.capture("one");
    assert.deepEqual(digest, digestOf(bytesOf(20, 2)));
    await local.install("one", nameOf(1));
    assert.deepEqual((await local.leftovers()).captured, []);
  });
}

Deno.test("a copy that fails leaves no older one in its place", async () => {
  await using harness = await openTestRoot();
  const folders = foldersOf(harness.root);
  const op = { kind: "capture", staging: "one", mostBytes: 100 } as const;
  const capturedBy = (files: FileSystem) => {
    const steps = capture(foldersOf(harness.root, files), op);
    let step = steps.next();
    while (!step.done) step = steps.next();
    return step.value;
  };
  Deno.writeFileSync(folders.staged("one"), bytesOf(10, 1));
  capturedBy(denoFiles);
  Deno.writeFileSync(folders.staged("one"), bytesOf(20, 2));
  const create = () => {
    throw new Error("no space left");
  };
  assert.throws(() => capturedBy({ ...denoFiles, create }), /no space left/);
  const { hashed } = capturedBy(denoFiles);
  assert.deepEqual(hashed?.digest, digestOf(bytesOf(20, 2)));
});

for (const size of [100, LARGE]) {
  Deno.test(`a hard link of ${size} bytes is copied: the other name changes nothing`, async () => {
    await using harness = await openTestRoot();
    const { local } = harness.store;
    const other = `${harness.root}/other`;
    Deno.writeFileSync(other, bytesOf(size));
    linkSync(other, local.stagingPath("one"));
    const digest = (await local.capture("one")).digest ??
      await local.hash("one");
    const stamp = await local.install("one", nameOf(1));
    Deno.writeFileSync(other, bytesOf(size, 2));
    await harness.store.verify(nameOf(1), digest, stamp);
    const found = await harness.store.verify(nameOf(1), digest);
    sameFile(found, { digest, stamp });
    assert.equal(Deno.lstatSync(local.path(nameOf(1))).nlink, 1);
  });

  Deno.test(`a file of another owner of ${size} bytes becomes ours, read-only`, async () => {
    if (Deno.uid() !== 0) return console.log("skipped: chown needs root");
    await using harness = await openTestRoot();
    const { local } = harness.store;
    Deno.writeFileSync(local.stagingPath("one"), bytesOf(size));
    Deno.chownSync(local.stagingPath("one"), 12345, 12345);
    const digest = (await local.capture("one")).digest ??
      await local.hash("one");
    assert.deepEqual(digest, digestOf(bytesOf(size)));
    await local.install("one", nameOf(1));
    const info = Deno.lstatSync(local.path(nameOf(1)));
    assert.equal(info.uid, 0);
    assert.equal((info.mode ?? 0) & 0o777, 0o444);
  });

  Deno.test(`a client that writes ${size} bytes and goes on writing changes nothing silently`, async () => {
    await using harness = await openTestRoot();
    const { store } = harness;
    const { local } = store;
    using client = await Deno.open(local.stagingPath("one"), {
      write: true,
      create: true,
    });
    client.writeSync(bytesOf(size));
    const scribble = () => {
      client.seekSync(0, Deno.SeekMode.Start);
      client.writeSync(new Uint8Array([66, 66, 66]));
    };
    const digest = (await local.capture("one")).digest ??
      await local.hash("one");
    if (size < LARGE) {
      // Copied: nothing it does reaches the value.
      scribble();
      const stamp = await local.install("one", nameOf(1));
      scribble();
      sameFile(await store.verify(nameOf(1), digest), { digest, stamp });
      return;
    }
    // In place: the write is noticed at the rename, whatever the clock's ticks.
    scribble();
    await rejectsWith(local.install("one", nameOf(1)), "damaged");
    // And once published, at the next hand-out and at every read.
    const again = await local.hash("one");
    const stamp = await local.install("one", nameOf(1));
    await store.verify(nameOf(1), again, stamp);
    scribble();
    client.writeSync(new Uint8Array([67]));
    await rejectsWith(store.verify(nameOf(1), again, stamp), "damaged");
    await rejectsWith(store.read(nameOf(1), again), "damaged");
  });
}

Deno.test("what is added to a captured file is left out", async () => {
  await using harness = await openTestRoot();
  const { local } = harness.store;
  using client = await Deno.open(local.stagingPath("one"), {
    write: true,
    create: true,
  });
  client.writeSync(bytesOf(LARGE));
  const { size } = await local.capture("one", { mostBytes: LARGE });
  client.truncateSync(1024 ** 4);
  assert.deepEqual(await local.hash("one", size), digestOf(bytesOf(LARGE)));
});

Deno.test("a file that is written to all the while it is hashed is copied in the end", async () => {
  await using harness = await openTestRoot();
  const { root, store: { local } } = harness;
  using client = await Deno.open(local.stagingPath("one"), {
    write: true,
    create: true,
  });
  client.writeSync(bytesOf(LARGE));
  assert.equal((await local.capture("one")).digest, undefined);
  // The worker's own steps, here, so that a write falls between any two.
  const steps = hash(foldersOf(root), new Written(), {
    kind: "hash",
    staging: "one",
    mostBytes: LARGE,
  });
  let next = steps.next();
  for (; !next.done; next = steps.next()) {
    await next.value;
    client.seekSync(0, Deno.SeekMode.Start);
    client.writeSync(crypto.getRandomValues(new Uint8Array(16)));
  }
  const { digest, stamp } = next.value;
  assert.notEqual(stamp.ino, String(client.statSync().ino));
  client.writeSync(new Uint8Array(100));
  await local.install("one", nameOf(1));
  const verified = await harness.store.verify(nameOf(1), digest);
  sameFile(verified, { digest, stamp });
});

Deno.test("after a restart an installed capture is verified before it is handed out", async () => {
  await using first = await openTestRoot();
  first.stage("one", bytesOf(LARGE));
  await first.store.local.capture("one");
  const digest = await first.store.local.hash("one");
  await first.store.close();
  await using second = await openTestRoot({ root: first.root });
  const { store } = second;
  const stamp = await store.local.install("one", nameOf(1));
  const verified = await store.verify(nameOf(1), digest, stamp);
  assert.notDeepEqual(verified.stamp, stamp);
  const path = store.local.path(nameOf(1));
  Deno.chmodSync(path, 0o644);
  Deno.writeFileSync(path, bytesOf(LARGE, 2));
  await rejectsWith(store.verify(nameOf(1), digest, stamp), "damaged");
});

Deno.test("a namespace folder that is a symlink is not followed", async () => {
  await using secret = await outside();
  await using harness = await openTestRoot();
  const { store, root } = harness;
  const name = nameOf(1, "space");
  // In use as a real folder first: the check is not only done once.
  const { digest } = await store.put(name, bytesOf(100, 9));
  await Deno.rename(`${root}/space`, `${root}/space.real`);
  Deno.copyFileSync(secret.file, `${secret.path}/${name.slice(6)}`);
  await Deno.symlink(secret.path, `${root}/space`);
  const before = [...Deno.readDirSync(secret.path)].length;

  await rejectsWith(store.put(nameOf(2, "space"), bytesOf(1)), "foreign");
  await rejectsWith(store.read(name, digest), "foreign");
  await rejectsWith(store.verify(name), "foreign");
  await rejectsWith(store.list("space"), "foreign");
  harness.stage("one", bytesOf(1));
  await store.local.capture("one");
  await rejectsWith(store.local.install("one", name), "foreign");
  // Nothing of ours is there: no error, or its entry could never be evicted.
  await store.remove(name);
  await store.quarantine(name);
  assert.equal(await store.sweep(name, 0), false);
  assert.deepEqual(await store.namespaces(), ["space.real"]);
  assert.equal([...Deno.readDirSync(secret.path)].length, before);
});

Deno.test("a sweep removes files only: Larder makes no folder and no link there", async () => {
  await using harness = await openTestRoot();
  const { store, root } = harness;
  const [folder, link, file] = [1, 2, 3].map((n) => nameOf(n, "space"));
  await Deno.mkdir(`${root}/${folder}/deep`, { recursive: true });
  await Deno.symlink("/nowhere", `${root}/${link}`);
  await Deno.writeTextFile(`${root}/${file}`, "of no entry");
  // However young they are.
  for (const name of [folder!, link!]) {
    assert.equal(await store.sweep(name, -3_600_000), false);
  }
  assert.equal(await store.sweep(file!, -3_600_000), true);
  assert((await Deno.lstat(`${root}/${folder}/deep`)).isDirectory);
  assert((await Deno.lstat(`${root}/${link}`)).isSymlink);
});

Deno.test("a folder deeper than a path may be is removed, with what is in it", async () => {
  await using harness = await openTestRoot();
  const { store, root } = harness;
  // The deepest is made first: no path gets long.
  const [deep, around] = [`${root}/deep`, `${root}/around`];
  const name = "d".repeat(250);
  Deno.mkdirSync(deep);
  for (let depth = 0; depth < 40; depth++) {
    Deno.mkdirSync(around);
    Deno.writeTextFileSync(`${around}/file`, "x");
    Deno.mkdirSync(`${around}/empty`);
    Deno.renameSync(deep, `${around}/${name}`);
    Deno.renameSync(around, deep);
  }
  Deno.renameSync(deep, store.local.stagingPath("deep"));
  await rejectsWith(store.local.capture("deep"), "not-a-file");
  assert.deepEqual([...Deno.readDirSync(`${root}/.private`)], []);
  assert.deepEqual([...Deno.readDirSync(`${root}/.staging`)], []);
});

Deno.test("folders of the root that are symlinks are not followed, and not opened", async () => {
  await using secret = await outside();
  await using harness = await openTestRoot();
  const { store, root } = harness;
  for (const folder of [".staging", ".private"]) {
    await Deno.rename(`${root}/${folder}`, `${root}/${folder}.away`);
    await Deno.symlink(secret.path, `${root}/${folder}`);
    await rejectsWith(store.local.capture("secret"), "foreign");
    await rejectsWith(store.local.discard("secret"), "foreign");
    await assert.rejects(WorkerBlobStore.open({ root }), /no folder of ours/);
    await Deno.remove(`${root}/${folder}`);
    await Deno.rename(`${root}/${folder}.away`, `${root}/${folder}`);
  }
  assert.equal(Deno.lstatSync(`${root}/.private`).mode! & 0o777, 0o700);
});

Deno.test("a value that is a symlink, FIFO or folder is not served, and gives way", async () => {
  await using secret = await outside();
  await using harness = await openTestRoot();
  const { store } = harness;
  const name = nameOf(1);
  const digest = digestOf(bytesOf(100, 9));
  await store.put(name, bytesOf(1));
  const path = store.local.path(name);
  const make = [
    () => Deno.symlinkSync(secret.file, path),
    () => mkfifo(path),
    () => Deno.mkdirSync(`${path}/sub`, { recursive: true }),
  ];
  for (const lay of make) {
    for (const away of ["remove", "quarantine", "put"] as const) {
      await store.remove(name);
      lay();
      await rejectsWith(store.read(name, digest), "not-a-file");
      await rejectsWith(store.verify(name), "not-a-file");
      if (away === "put") await store.put(name, bytesOf(1));
      else await store[away](name);
    }
    await store.verify(name, digestOf(bytesOf(1)));
  }
});

Deno.test("names that lead elsewhere are refused", async () => {
  await using harness = await openTestRoot();
  const { store } = harness;
  const hex = nameOf(1).slice(-64);
  const bad = [
    "../x",
    hex,
    `/${hex}`,
    `../${hex}`,
    `.private/${hex}`,
    `a/../${hex}`,
    `a//${hex}`,
  ];
  for (const name of bad) {
    await rejectsWith(store.put(name, bytesOf(1)), "failed");
    await rejectsWith(store.verify(name), "failed");
    await rejectsWith(store.remove(name), "failed");
  }
  for (const staging of ["", ".", "..", "a/b", "../Cache.toml", "a\0"]) {
    await rejectsWith(store.local.capture(staging), "failed");
    await rejectsWith(store.local.discard(staging), "failed");
  }
});

Deno.test("damage is counted, a failure to read is not", async () => {
  await using harness = await openTestRoot();
  const { store } = harness;
  const { digest } = await store.put(nameOf(1), bytesOf(10));
  harness.tamper(nameOf(1), (bytes) => bytes.fill(0));
  await rejectsWith(store.read(nameOf(1), digest), "damaged");
  await rejectsWith(store.verify(nameOf(1), digest), "damaged");
  await store.quarantine(nameOf(1));
  await rejectsWith(store.read(nameOf(1), digest), "missing");
  assert.deepEqual(store.stats, { damaged: 2, quarantined: 1 });
});

Deno.test("the quarantine keeps the newest few, and what a user put aside", async () => {
  await using harness = await openTestRoot();
  Deno.mkdirSync(`${harness.root}/.quarantine/manifest-of-old`);
  for (let index = 0; index < 70; index += 1) {
    await harness.store.put(nameOf(index), bytesOf(index));
    await harness.store.quarantine(nameOf(index));
  }
  assert.equal([...Deno.readDirSync(`${harness.root}/.quarantine`)].length, 65);
});

Deno.test("torn writes of a killed process are swept, captures and running writes stay", async () => {
  await using harness = await openTestRoot();
  const { store, root } = harness;
  Deno.writeFileSync(`${root}/.private/tmp-former-1-1`, bytesOf(10));
  Deno.writeFileSync(`${root}/.private/anything`, bytesOf(10));
  harness.stage("one", bytesOf(10));
  await store.local.capture("one");
  const putting = store.put(nameOf(1), bytesOf(20 * LARGE));
  await store.local.sweepPrivate();
  const { digest } = await putting;
  await store.verify(nameOf(1), digest);
  const left = Array.from(
    Deno.readDirSync(`${root}/.private`),
    ({ name }) => name,
  );
  assert.deepEqual(left, ["captured-one"]);
});

Deno.test("a full disk is told as such, and leaves nothing behind", async () => {
  const root = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "larder-full-" }),
  );
  const mount = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=1m", "tmpfs", root],
    stderr: "null",
  });
  try {
    if (!mount.outputSync().success) return console.log("skipped: no mount");
    try {
      await using harness = await openTestRoot({ root });
      const { store } = harness;
      await store.put(nameOf(1), bytesOf(400_000));
      await rejectsWith(store.put(nameOf(2), bytesOf(2_000_000)), "full");
      await rejectsWith(store.put(nameOf(2), bytesOf(900_000)), "full");
      harness.stage("one", bytesOf(400_000));
      await rejectsWith(store.local.capture("one"), "full");
      await store.remove(nameOf(1));
      // What was captured is still there, and can be published now.
      const { digest } = await store.local.capture("one");
      assert.deepEqual(digest, digestOf(bytesOf(400_000)));
      await store.local.install("one", nameOf(1));
      assert.deepEqual([...Deno.readDirSync(`${root}/.private`)], []);
    } finally {
      // A file that a worker had open may be closed a moment later.
      new Deno.Command("umount", { args: ["--lazy", root] }).outputSync();
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a worker may touch its root and nothing else", async () => {
  await using secret = await outside();
  await using harness = await openTestRoot();
  // The same permissions, another script: what the store's own code never tries.
  const permissions = workerPermissions(harness.root);
  const script = `
    const tries = {
      read: () => Deno.readTextFileSync(${JSON.stringify(secret.file)}),
      write: () => Deno.writeTextFileSync(${JSON.stringify(secret.file)}, "x"),
      list: () => [...Deno.readDirSync("/")],
      env: () => Deno.env.get("HOME"),
      run: () => new Deno.Command("true").outputSync(),
      net: () => Deno.listen({ port: 0 }),
      sys: () => Deno.hostname(),
    };
    const done = [];
    for (const [name, attempt] of Object.entries(tries)) {
      try { attempt(); done.push(name); } catch (error) {
        if (!(error instanceof Deno.errors.NotCapable)) done.push(name + error);
      }
    }
    Deno.writeTextFileSync(${JSON.stringify(`${harness.root}/fine`)}, "x");
    self.postMessage(done);
  `;
  const url = URL.createObjectURL(
    new Blob([script], { type: "text/javascript" }),
  );
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const worker = new Worker(url, { type: "module", deno: { permissions } });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  assert.deepEqual(await promise, []);
  worker.terminate();
  URL.revokeObjectURL(url);
});

Deno.test("nothing is appended through a link, to a pipe, or to a file with two names", async () => {
  await using harness = await openTestRoot();
  const { root, store: { local } } = harness;
  const outside = `${root}/outside`;
  Deno.writeFileSync(outside, bytesOf(3));
  await local.append("up", 0, bytesOf(1));
  const [{ name } = { name: "" }] = [...Deno.readDirSync(`${root}/.private`)];
  const upload = `${root}/.private/${name}`;
  Deno.removeSync(upload);
  for (const make of [Deno.symlinkSync, Deno.linkSync]) {
    make(outside, upload);
    await rejectsWith(local.append("up", 0, bytesOf(1)), "failed");
    await assert.rejects(local.append("up", 3, bytesOf(1)));
    assert.deepEqual(Deno.readFileSync(outside), bytesOf(3));
    Deno.removeSync(upload);
  }
  await new Deno.Command("mkfifo", { args: [upload] }).output();
  await rejectsWith(local.append("up", 3, bytesOf(1)), "not-a-file");
});

Deno.test("a change in the moment of its publish is noticed, though the time is the same", async () => {
  await using harness = await openTestRoot();
  const { store } = harness;
  const name = nameOf(1);
  for (let moments = 0; moments < 20;) {
    const { digest, stamp } = await store.put(name, bytesOf(100));
    // A machine that is busy may have taken its time until it looked.
    if (!stamp.young) continue;
    moments++;
    const path = store.local.path(name);
    Deno.chmodSync(path, 0o644);
    Deno.writeFileSync(path, bytesOf(100, 2), { create: false });
    const mtime = new Date(stamp.mtimeMs);
    Deno.utimeSync(path, mtime, mtime);
    await rejectsWith(store.verify(name, digest, stamp), "damaged");
  }
});

Deno.test("a file that has been left alone for a while is not read again", async () => {
  await using harness = await openTestRoot();
  const { store } = harness;
  const name = nameOf(1);
  const { digest } = await store.put(name, bytesOf(100));
  const path = store.local.path(name);
  Deno.utimeSync(path, 1_700_000_000, 1_700_000_000);
  const { stamp } = await store.verify(name, digest);
  assert.equal(stamp.young, undefined);
  Deno.chmodSync(path, 0o644);
  Deno.writeFileSync(path, bytesOf(100, 2), { create: false });
  Deno.utimeSync(path, 1_700_000_000, 1_700_000_000);
  await store.verify(name, digest, stamp);
});
