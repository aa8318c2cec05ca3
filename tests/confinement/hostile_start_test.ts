/** What lies in a root before it is served, and where the root itself leads. */

import assert from "node:assert/strict";
import { RemoteClient } from "../support/clients.ts";
import { withClientsHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { larder, makeWorld, refusalHere } from "./support.ts";

const ARGS = ["-r", "127.0.0.1:0"];

/** A file of the root, and what its owner might be tricked into writing to. */
const FILES = [
  "Cache.toml",
  "cache.sqlite",
  "cache.sqlite-wal",
  "cache.sqlite-shm",
  "cache.sqlite-journal",
  ".private",
  ".staging",
  ".quarantine",
];

/** The one line that the program says. */
async function refusalOf(root: string): Promise<string> {
  const { code, stdout, stderr } = await larder(root, ...ARGS);
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(stderr, /^larder: [^\n]+\n$/);
  return stderr;
}

for (const name of FILES) {
  Deno.test(`a root whose ${name} is a link is not served`, async () => {
    await using world = await makeWorld();
    await Deno.mkdir(world.root);
    const targets = [world.secret, world.outside, `${world.outside}/nothing`];
    for (const target of targets) {
      await Deno.symlink(target, `${world.root}/${name}`);
      const said = target === world.secret
        ? await refusalOf(world.root)
        : await refusalHere(world.root);
      assert(said.includes(`${world.root}/${name}`), said);
      await world.assertUntouched();
      await Deno.remove(`${world.root}/${name}`);
    }
    // It has not been left half made: without the link it is served.
    await withClientsHere(world.root, async ({ remote }) => {
      await remote.assigned("tests", "key");
    });
  });
}

for (const name of ["Cache.toml", "cache.sqlite", ".private"]) {
  Deno.test(`a root whose ${name} is a FIFO is refused, not waited for`, async () => {
    await using world = await makeWorld();
    await Deno.mkdir(world.root);
    const path = `${world.root}/${name}`;
    await new Deno.Command("mkfifo", { args: [path] }).output();
    const { code, stderr } = await larder(world.root, ...ARGS);
    assert.equal(code, 1, stderr);
    assert(stderr.includes(path), stderr);
  });
}

Deno.test("a Cache.toml that has another name as well is not rewritten", async () => {
  await using world = await makeWorld();
  await Deno.mkdir(world.root);
  await Deno.link(world.secret, `${world.root}/Cache.toml`);
  await world.remember();
  const { code, stderr } = await larder(world.root, ...ARGS);
  assert.equal(code, 1);
  assert.match(stderr, /Cache\.toml is not a file of its own/);
  await world.assertUntouched();
});

Deno.test("a root that is a link is served where it leads at the start, and stays there", async () => {
  await using world = await makeWorld();
  const real = `${world.root}/real`;
  const link = `${world.root}/link`;
  await Deno.mkdir(real, { recursive: true });
  await Deno.symlink(real, link);
  await using server = await ServerProcess.start(link, { args: ARGS });
  assert.equal((await Deno.stat(`${real}/Cache.toml`)).isFile, true);
  // Turned away, it takes nobody along.
  await Deno.remove(link);
  await Deno.symlink(world.outside, link);
  using client = new RemoteClient(server.remote);
  const { id } = await client.assigned("tests", "key");
  await client.set(id, "value");
  assert.equal((await client.value("tests", "key")).length, 5);
  assert.equal((await Deno.stat(`${real}/tests`)).isDirectory, true);
  await world.assertUntouched();
});
