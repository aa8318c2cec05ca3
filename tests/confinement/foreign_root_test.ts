/**
 * A folder that is not Larder's is refused and stays as it is, to the byte;
 * one that is, is served, whatever a first start has left in it.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { textOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { withClientsHere } from "../support/server_here.ts";
import { until } from "../support/status.ts";
import { larder, refusalHere } from "./support.ts";

const ARGS = ["-r", "127.0.0.1:0"];
const HEX = "ab".repeat(32);
const ORIGINAL =
  "CREATE TABLE manifest(namespace TEXT, key BLOB NOT NULL, status INTEGER, PRIMARY KEY(namespace, key))";

/** Every path with its mode, times and bytes, also the folder's own time. */
async function picture(folder: string): Promise<string[]> {
  const lines: string[] = [];
  const { mode, mtime } = await Deno.lstat(folder);
  lines.push(`${folder} ${mode} ${mtime?.getTime()}`);
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      lines.push(...await picture(path));
      continue;
    }
    const info = await Deno.lstat(path);
    const hash = sha256Hex(await Deno.readFile(path));
    lines.push(`${path} ${info.mode} ${info.mtime?.getTime()} ${hash}`);
  }
  return lines.sort();
}

/**
 * Expects a refusal, and a folder in which nothing changed; of a program of its
 * own, exit code 1 with one line.
 */
async function assertRefused(
  root: string,
  message: RegExp,
  options: { readonly folderTime?: boolean; readonly asProgram?: boolean } = {},
): Promise<void> {
  const take = async () => {
    const [own, ...others] = await picture(root);
    return options.folderTime === false ? others : [own, ...others];
  };
  const before = await take();
  if (options.asProgram === true) {
    const { code, stdout, stderr } = await larder(root, ...ARGS);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, /^larder: [^\n]+\n$/);
    assert.match(stderr, message);
  } else assert.match(await refusalHere(root), message);
  assert.deepEqual(await take(), before);
}

async function publishes(root: string): Promise<void> {
  await withClientsHere(root, async ({ remote }) => {
    const { id } = await remote.assigned("tests.root", "key");
    await remote.set(id, "value");
    assert.equal(textOf(await remote.value("tests.root", "key")), "value");
  });
}

Deno.test("an OCI layout and a flat cas/ are refused as they are", async () => {
  await withRoot(async (folder) => {
    const root = `${folder}/oci`;
    await Deno.mkdir(`${root}/blobs/sha256`, { recursive: true });
    await Deno.writeTextFile(`${root}/blobs/sha256/${HEX}`, "a layer");
    await Deno.writeTextFile(`${root}/index.json`, "{}");
    await Deno.mkdir(`${root}/.staging`);
    await Deno.writeTextFile(`${root}/.staging/upload`, "half a layer");
    const foreign = /holds what Larder did not make .*another root/;
    for (const asProgram of [true, false]) {
      await assertRefused(root, foreign, { asProgram });
    }
    // By their names these could be values.
    await assertRefused(
      `${root}/blobs`,
      /holds values but no manifest .*run `larder recover ROOT`.*another root/,
    );

    const flat = `${folder}/flat`;
    await Deno.mkdir(`${flat}/cas`, { recursive: true });
    await Deno.writeTextFile(`${flat}/cas/${HEX}`, "mine");
    await assertRefused(flat, /holds values but no manifest/);
    await Deno.writeTextFile(`${flat}/cas/README`, "not Larder's");
    await assertRefused(flat, /did not make \(.*\/cas\/README\)/);
  });
});

Deno.test("a Cache.toml proves nothing, and / is nobody's root", async () => {
  await withRoot(async (root) => {
    await Deno.writeTextFile(`${root}/Cache.toml`, "[heartbeat_interval]\n");
    await Deno.writeTextFile(`${root}/notes.txt`, "mine");
    await assertRefused(root, /did not make \(.*\/notes\.txt\)/);
    await Deno.remove(`${root}/notes.txt`);
    await Deno.writeTextFile(`${root}/Cache.toml`, "[cargo]\n");
    await assertRefused(root, /did not make \(.*\/Cache\.toml\)/);
  });
  const { code, stderr } = await larder("/", ...ARGS);
  assert.equal(code, 2);
  assert.match(stderr, /the root is \/, the whole machine: serve a folder/);
});

/** Makes a database that is not Larder's; `leave` keeps it as a kill would. */
const FOREIGN: Readonly<Record<string, (database: DatabaseSync) => void>> = {
  "in rollback mode": (database) => database.exec("CREATE TABLE mine(x)"),
  "in WAL mode": (database) => {
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("CREATE TABLE mine(x)");
  },
  "without a table, but marked": (database) => {
    database.exec("PRAGMA application_id = 7");
  },
  "with a manifest of its own": (database) =>
    database.exec("CREATE TABLE manifest(path TEXT, digest BLOB)"),
  "with the columns, but another key": (database) =>
    database.exec("CREATE TABLE manifest(namespace, key, status)"),
  "with a view of that name": (database) => {
    database.exec("CREATE TABLE mine(namespace, key, status)");
    database.exec("CREATE VIEW manifest AS SELECT * FROM mine");
  },
};

Deno.test("a cache.sqlite that is no manifest at first sight is refused before anything is tried in its folder", async () => {
  await withRoot(async (folder) => {
    const [text, tables] = [`${folder}/text`, `${folder}/tables`];
    for (const root of [text, tables]) await Deno.mkdir(root);
    await Deno.writeTextFile(`${text}/cache.sqlite`, "a list of mine\n");
    {
      using database = new DatabaseSync(`${tables}/cache.sqlite`);
      database.exec("CREATE TABLE mine(manifest TEXT)");
    }
    await assertRefused(text, /it is not Larder's \(it is no database\)/);
    await assertRefused(tables, /it is not Larder's \(it has no table manif/);
  });
});

for (const [what, make] of Object.entries(FOREIGN)) {
  Deno.test(`a foreign cache.sqlite ${what} is refused unmodified, its log as well`, async () => {
    await withRoot(async (folder) => {
      const closed = `${folder}/closed`;
      const killed = `${folder}/killed`;
      for (const root of [closed, killed]) await Deno.mkdir(root);
      {
        using database = new DatabaseSync(`${closed}/cache.sqlite`);
        make(database);
        for await (const { name } of Deno.readDir(closed)) {
          // Its index would be made again.
          if (name.endsWith("-shm")) continue;
          await Deno.copyFile(`${closed}/${name}`, `${killed}/${name}`);
        }
      }
      for (const root of [closed, killed]) {
        // Locked with a file that is taken away again, then looked at.
        await assertRefused(root, /cache\.sqlite: it is not Larder's/, {
          folderTime: false,
          asProgram: what === "in WAL mode",
        });
      }
    });
  });
}

Deno.test("a foreign cache.sqlite in the middle of a transaction is not rolled back", async () => {
  await withRoot(async (folder) => {
    for (const isOriginal of [false, true]) {
      const [source, root] = [
        `${folder}/a${isOriginal}`,
        `${folder}/b${isOriginal}`,
      ];
      for (const made of [source, root]) await Deno.mkdir(made);
      using database = new DatabaseSync(`${source}/cache.sqlite`);
      database.exec(isOriginal ? ORIGINAL : "CREATE TABLE mine(x)");
      database.exec("CREATE TABLE filler(x); PRAGMA cache_size = 5; BEGIN");
      const insert = database.prepare(
        "INSERT INTO filler VALUES(zeroblob(999))",
      );
      // More than its cache holds: some pages have been overwritten.
      for (let i = 0; i < 1_000; i++) insert.run();
      for (const name of ["cache.sqlite", "cache.sqlite-journal"]) {
        await Deno.copyFile(`${source}/${name}`, `${root}/${name}`);
      }
      if (isOriginal) await publishes(root);
      else {
        await assertRefused(root, /it is not Larder's/, { folderTime: false });
      }
    }
  });
});

Deno.test("a root of the original is served, as is one with only its manifest, killed", async () => {
  await withRoot(async (folder) => {
    const [source, killed] = [`${folder}/original`, `${folder}/killed`];
    for (const root of [source, killed]) await Deno.mkdir(root);
    const key = new TextEncoder().encode("original");
    const namespace = "tests.original";
    {
      using database = new DatabaseSync(`${source}/cache.sqlite`);
      database.exec(`PRAGMA journal_mode = WAL; ${ORIGINAL}`);
      database.prepare("INSERT INTO manifest VALUES(?, ?, 1)")
        .run(namespace, key);
      for (const name of ["cache.sqlite", "cache.sqlite-wal"]) {
        await Deno.copyFile(`${source}/${name}`, `${killed}/${name}`);
      }
    }
    for (const root of [source, killed]) {
      await Deno.mkdir(`${root}/${namespace}`);
      const value = `${root}/${namespace}/${sha256Hex(key)}`;
      await Deno.writeTextFile(value, "from the original");
      await withClientsHere(root, async ({ remote }) => {
        const found = await remote.value(namespace, "original");
        assert.equal(textOf(found), "from the original");
      });
      // It was not made by Larder, so whether it is backed up is not for it to say.
      await assert.rejects(Deno.lstat(`${root}/CACHEDIR.TAG`));
    }
  });
});

Deno.test("an empty folder, a volume with lost+found and a folder still to be made are served", async () => {
  await withRoot(async (folder) => {
    const [empty, volume, missing] = ["empty", "volume", "a/b/missing"]
      .map((name) => `${folder}/${name}`) as [string, string, string];
    await Deno.mkdir(empty, { mode: 0o700 });
    await Deno.mkdir(`${volume}/lost+found`, { recursive: true });
    await Deno.mkdir(`${volume}/.snapshot/daily`, { recursive: true });
    for (const root of [empty, volume, missing]) await publishes(root);
    assert.equal((await Deno.lstat(`${volume}/lost+found`)).isDirectory, true);
    assert.equal(
      (await Deno.lstat(`${volume}/.snapshot/daily`)).isDirectory,
      true,
    );
  });
});

Deno.test("a root whose manifest is lost is refused, and its values stay", async () => {
  await withRoot(async (root) => {
    await publishes(root);
    await Deno.remove(`${root}/cache.sqlite`);
    await assertRefused(root, /holds values but no manifest .*larder recover/);
  });
});

Deno.test("a first start that fails leaves nothing behind, not even the folder", async () => {
  await using folder = await temporaryFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  const existing = `${folder.path}/existing`;
  await Deno.mkdir(`${existing}/lost+found`, { recursive: true });
  for (const root of [`${folder.path}/not/yet`, existing]) {
    // The other one answers for a moment.
    const { code, stderr } = await larder(
      ...[root, "-l", "127.0.0.1:0", "-r", address],
    );
    assert.equal(code, 1, stderr);
  }
  const names = (path: string) =>
    Array.from(Deno.readDirSync(path), ({ name }) => name);
  assert.deepEqual(names(folder.path), ["existing"]);
  assert.deepEqual(names(existing), ["lost+found"]);

  // What was served before keeps all it has.
  await publishes(existing);
  const { code } = await larder(existing, "-r", address);
  assert.equal(code, 1);
  await withClientsHere(existing, async ({ remote }) => {
    assert.equal(textOf(await remote.value("tests.root", "key")), "value");
  });
});

Deno.test("a root that Larder makes is tagged once, and the name is no namespace", async () => {
  await withRoot(async (root) => {
    await publishes(root);
    const tag = `${root}/CACHEDIR.TAG`;
    assert.match(
      await Deno.readTextFile(tag),
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
    await Deno.remove(tag);
    await withClientsHere(root, async ({ remote }) => {
      await assert.rejects(
        remote.get("CACHEDIR.TAG", "key"),
        /INVALID_ARGUMENT.*invalid namespace.*the server uses that name itself/,
      );
    });
    await assert.rejects(Deno.lstat(tag), Deno.errors.NotFound);
    {
      // What the original does with a root of ours.
      using database = new DatabaseSync(`${root}/cache.sqlite`);
      const rows = database
        .prepare("SELECT namespace, key, status FROM manifest").all();
      assert.deepEqual(rows.map(({ status }) => status), [1]);
    }
  });
});

Deno.test("an old root with a namespace CACHEDIR.TAG keeps its values", async () => {
  await withRoot(async (root) => {
    const key = new TextEncoder().encode("old");
    const value = `${root}/CACHEDIR.TAG/${sha256Hex(key)}`;
    {
      using database = new DatabaseSync(`${root}/cache.sqlite`);
      database.exec(ORIGINAL);
      database.prepare("INSERT INTO manifest VALUES('CACHEDIR.TAG', ?, 1)")
        .run(key);
    }
    await Deno.mkdir(`${root}/CACHEDIR.TAG`);
    await Deno.writeTextFile(value, "old");
    await publishes(root);
    assert.equal(await Deno.readTextFile(value), "old");
  });
});

Deno.test("a start warns of a disk that does not tell capitals from small letters", async () => {
  await withRoot(async (root) => {
    await publishes(root);
    // As a file is found there under another name.
    await Deno.link(`${root}/cache.sqlite`, `${root}/CACHE.SQLITE`);
    await withClientsHere(root, async ({ server }) => {
      await until(
        () => Promise.resolve(server.stderr),
        (text) => /capitals from small letters: namespaces/.test(text),
      );
    });
  });
});
