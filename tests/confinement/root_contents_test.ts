/** Whose root it is, by what lies in it: the rule alone, without a server. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { ignoresCase } from "../../workers/letter_case.ts";
import { rootContents } from "../../workers/root_contents.ts";

const HEX = "ab".repeat(32);
const CONFIG = "[heartbeat_interval]\nsecs = 2\nnanos = 0\n";
const TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# somebody's\n";

/** A folder is made for a path that ends with a slash, else a file. */
type Files = Readonly<Record<string, string>>;

async function kindOf(files: Files): Promise<string> {
  await using folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder.path}/${name}`;
    const end = path.lastIndexOf("/");
    await Deno.mkdir(path.slice(0, end), { recursive: true });
    if (end < path.length - 1) await Deno.writeTextFile(path, text);
  }
  return rootContents(folder.path).kind;
}

const CASES: Readonly<Record<string, readonly Files[]>> = {
  fresh: [
    {},
    { "lost+found/": "", ".snapshot/hourly.0/": "", ".DS_Store": "x" },
    { ".nfs0000000000a1": "x", "System Volume Information/": "" },
    // Steps of a first start, and what a power cut makes of them.
    { ".probe-1a2b/": "", ".larder-doctor-xYz/": "" },
    { "Cache.toml": "" },
    { "Cache.toml": CONFIG, "CACHEDIR.TAG": "" },
    { "Cache.toml": "\0".repeat(80), "CACHEDIR.TAG": TAG },
    { ".private/": "", ".staging/": "", ".quarantine/": "" },
    { ".private/.DS_Store": "x" },
    { ".quarantine/manifest-2026-11-28T00-00-00Z/cache.sqlite": "x" },
    { "a.b/": "" },
    // A namespace of that name, from before it was reserved.
    { "CACHEDIR.TAG/": "" },
    // SQLite looks at these.
    { "cache.sqlite": "x", "cache.sqlite-wal": "x" },
  ],
  values: [
    { [`a.b/${HEX}`]: "x" },
    { [`sha256/${HEX}`]: "x", "empty/": "", ".DS_Store": "x" },
    { [`a/${HEX}`]: "x", "a/.DS_Store": "x" },
    { ".private/captured-x": "x" },
    { ".staging/x": "x" },
    { ".quarantine/x": "x" },
    { "cache.sqlite-wal": "x" },
  ],
  foreign: [
    { "index.json": "{}" },
    { [`blobs/sha256/${HEX}`]: "x", "index.json": "{}", "oci-layout": "{}" },
    { [`blobs/sha256/${HEX}`]: "x" },
    // A value's name, but not in a namespace.
    { [HEX]: "x" },
    { [`a/${HEX}`]: "x", "a/README": "x" },
    { [`a/${HEX}/`]: "" },
    // Many values make it no better, whichever is seen first.
    Object.fromEntries([
      ...Array.from({ length: 20 }, (_, at) => [`n${at}/${HEX}`, "x"]),
      ["notes.txt", "mine"],
    ]),
    { ".git/": "" },
    { "node_modules/x/": "" },
    { ".probe-1a2b/x": "x" },
    { "Cache.toml": "[package]\nname = 'x'\n" },
    { "Cache.toml/": "" },
    { "CACHEDIR.TAG": "not a tag" },
    { ".private": "a file" },
  ],
};

for (const [kind, all] of Object.entries(CASES)) {
  for (const files of all) {
    const names = Object.keys(files).join(", ").replaceAll(HEX, "HEX");
    Deno.test(`a folder that holds ${names || "nothing"} is ${kind}`, async () => {
      assert.equal(await kindOf(files), kind);
    });
  }
}

Deno.test("a link is foreign, wherever it leads", async () => {
  for (const name of ["a.b", ".private", "lost", "CACHEDIR.TAG"]) {
    await using folder = await temporaryFolder();
    await Deno.symlink("/nowhere", `${folder.path}/${name}`);
    assert.equal(rootContents(folder.path).kind, "foreign", name);
  }
});

Deno.test("a disk without capitals is known by a file that has two names", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/cache.sqlite`;
  await Deno.writeTextFile(path, "");
  assert.equal(ignoresCase(path), false);
  await Deno.writeTextFile(`${folder.path}/CACHE.SQLITE`, "");
  assert.equal(ignoresCase(path), false);
  await Deno.remove(`${folder.path}/CACHE.SQLITE`);
  // As such a disk answers.
  await Deno.link(path, `${folder.path}/CACHE.SQLITE`);
  assert.equal(ignoresCase(path), true);
});
