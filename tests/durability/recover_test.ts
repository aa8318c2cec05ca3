/** `larder recover`, from a manifest that is really corrupt to a clean start. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { textOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { withClientsHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/status.ts";

const NS = "tests.recover";
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** As in deno.json: without the right to run programs. */
const PERMISSIONS = [
  "--ignore-env",
  "--allow-read",
  "--allow-write",
  "--allow-sys=statfs",
];
const PAGE_BYTES = 4096;

async function recover(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--config", CONFIG],
      ...[...PERMISSIONS, MAIN, "recover", ...args],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

/** A root with some entries, stopped. */
async function fill(root: string, entries = 100): Promise<void> {
  await withClientsHere(root, async ({ remote }) => {
    await Promise.all(Array.from({ length: entries }, async (_, i) => {
      const { id } = await remote.assigned(NS, `key ${i}`);
      await remote.set(id, `value ${i}`);
    }));
  });
}

/** Every page but the first is overwritten. */
async function corrupt(root: string): Promise<void> {
  using file = await Deno.open(`${root}/cache.sqlite`, { write: true });
  const { size } = await file.stat();
  assert(size > 2 * PAGE_BYTES);
  await file.seek(PAGE_BYTES, Deno.SeekMode.Start);
  await file.write(new Uint8Array(size - PAGE_BYTES).fill(0x5a));
}

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

Deno.test("a corrupt manifest is refused, moved aside, and the root starts clean", async () => {
  await withRoot(async (root) => {
    await fill(root);
    await corrupt(root);
    const damaged = await Deno.readFile(`${root}/cache.sqlite`);
    await assert.rejects(ServerProcess.start(root), (error: Error) => {
      assert.match(error.message, /cache\.sqlite is damaged/);
      assert.doesNotMatch(error.message, /started again/, "it stays refused");
      return true;
    });

    const { code, stdout, stderr } = await recover(root);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /is damaged .*moved cache\.sqlite.* to .*clean/s);
    const [aside] = names(`${root}/.quarantine`);
    assert.match(aside!, /^manifest-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/);
    assert.deepEqual(
      await Deno.readFile(`${root}/.quarantine/${aside}/cache.sqlite`),
      damaged,
    );

    assert.equal(names(`${root}/${NS}`).length, 100);
    await withClientsHere(root, async ({ remote }) => {
      const { entryStatus } = await remote.settled(NS, "key 1", {
        assign: false,
      });
      assert.equal(entryStatus, "unassigned");
      await until(
        () => Promise.resolve(names(root)),
        (left) => !left.includes(NS),
      );
      const { id } = await remote.assigned(NS, "key 1");
      await remote.set(id, "again");
      assert.equal(textOf(await remote.value(NS, "key 1")), "again");
    });
    assert.deepEqual(names(`${root}/.quarantine`), [aside], "it is kept");
  });
});

Deno.test("a sound manifest is moved aside only by force, and never over another", async () => {
  await withRoot(async (root) => {
    await fill(root, 1);
    const before = names(root);
    const refused = await recover(root);
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /^larder: .* is sound: .*--force.*\n$/);
    assert.deepEqual(names(root), before);

    assert.equal((await recover(root, "--force")).code, 0);
    // There is a new one, which is sound.
    assert.equal((await recover(root)).code, 1);
    await Deno.remove(`${root}/cache.sqlite`);
    await Deno.writeTextFile(`${root}/cache.sqlite`, "another");
    await Deno.writeTextFile(`${root}/cache.sqlite-wal`, "and its log");
    assert.equal((await recover(root, "--force")).code, 0);
    const [first, second] = names(`${root}/.quarantine`);
    assert.deepEqual(names(`${root}/.quarantine/${first}`), ["cache.sqlite"]);
    assert.deepEqual(names(`${root}/.quarantine/${second}`), [
      "cache.sqlite",
      "cache.sqlite-wal",
    ]);
  });
});

Deno.test("values that have lost their manifest get a new one, and an owner who can write it", async () => {
  await withRoot(async (root) => {
    await fill(root, 3);
    const values = names(`${root}/${NS}`);
    await Deno.remove(`${root}/cache.sqlite`);
    await assert.rejects(
      ServerProcess.start(root),
      /run `larder recover ROOT`/,
    );
    // As an administrator would recover what is the server's.
    await Deno.chown(root, 65534, 65534).catch(() => {});
    const { uid } = await Deno.stat(root);

    const { code, stdout, stderr } = await recover(root);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(
      stdout,
      /no manifest\n.*made a new manifest; .*removes the values .*tests\.recover/,
    );
    assert.deepEqual(names(`${root}/${NS}`), values, "nothing is deleted yet");
    assert.equal((await Deno.stat(`${root}/cache.sqlite`)).uid, uid);
    const again = await recover(root);
    assert.deepEqual([again.code, again.stdout], [1, ""]);
    assert.match(again.stderr, /is sound: serve the root/);

    await withClientsHere(root, async ({ remote }) => {
      await until(
        () => Promise.resolve(names(root)),
        (left) => !left.includes(NS),
      );
      const { id } = await remote.assigned(NS, "key 1");
      await remote.set(id, "again");
    });
  });
});

Deno.test("recover takes no folder that is not Larder's, and leaves no trace there", async () => {
  await withRoot(async (root) => {
    const empty = await recover(root);
    assert.deepEqual([empty.code, empty.stdout], [1, ""]);
    assert.match(empty.stderr, /no manifest and no values: .*serve it/);
    await Deno.mkdir(`${root}/cas`);
    await Deno.writeTextFile(`${root}/cas/${"ab".repeat(32)}`, "mine");
    await Deno.writeTextFile(`${root}/notes.txt`, "mine");
    for (const force of [[], ["--force"]]) {
      const { code, stderr } = await recover(root, ...force);
      assert.equal(code, 1);
      assert.match(stderr, /did not make \(.*notes\.txt\)/);
    }
    assert.deepEqual(names(root), ["cas", "notes.txt"]);
  });
});

Deno.test("a root that is served, or is none, is not recovered", async () => {
  await withRoot(async (root) => {
    await withClientsHere(root, async () => {
      const { code, stderr } = await recover(root, "--force");
      assert.equal(code, 1);
      assert.match(stderr, /in use by another server/);
    });
    assert(names(root).includes("cache.sqlite"));
    const { code, stderr } = await recover(`${root}/none`);
    assert.equal(code, 1);
    assert.match(stderr, /there is no root/);
    assert(!names(root).includes("none"));
  });
});

Deno.test("recover leads nowhere out of the root", async () => {
  await withRoot(async (base) => {
    const root = `${base}/root`;
    const outside = `${base}/outside`;
    await Deno.mkdir(root);
    await Deno.mkdir(outside);
    const garbage = "no database, but somebody's";
    await Deno.writeTextFile(`${outside}/file`, garbage);
    await Deno.symlink(`${outside}/file`, `${root}/cache.sqlite`);
    for (const folder of [".quarantine", ".private"]) {
      await Deno.remove(`${root}/${folder}`).catch(() => {});
      await Deno.symlink(outside, `${root}/${folder}`);
      const { code, stderr } = await recover(root);
      assert.equal(code, 1);
      assert.match(stderr, /no folder of ours/);
      await Deno.remove(`${root}/${folder}`);
      assert(names(root).includes("cache.sqlite"), "nothing was moved");
    }
    assert.equal((await recover(root)).code, 0);
    const [aside] = names(`${root}/.quarantine`);
    const moved = `${root}/.quarantine/${aside}/cache.sqlite`;
    assert((await Deno.lstat(moved)).isSymlink, "the link itself");
    assert.deepEqual(names(outside), ["file"]);
    assert.equal(await Deno.readTextFile(`${outside}/file`), garbage);
  });
});

Deno.test("values in a folder too large to be listed are removed as well", async () => {
  await withRoot(async (root) => {
    await fill(root, 1);
    const folder = `${root}/${NS}`;
    for (let i = 0; i < 18_000; i++) {
      Deno.writeTextFileSync(`${folder}/${`${i}`.padStart(250, "x")}`, "");
    }
    if ((await Deno.stat(folder)).size <= 4 * 1024 * 1024) {
      return console.log("skipped: folders stay small on this file system");
    }
    const { code, stdout } = await recover(root, "--force");
    assert.equal(code, 0);
    assert.match(stdout, /very large/);
    await withClientsHere(root, async ({ remote }) => {
      assert(!names(root).includes(NS));
      assert.deepEqual(names(`${root}/.private`), []);
      const { id } = await remote.assigned(NS, "key 1");
      await remote.set(id, "again");
    });
  });
});
