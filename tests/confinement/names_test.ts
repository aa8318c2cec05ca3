/** Names that lead elsewhere, and ids that nobody was given. */

import assert from "node:assert/strict";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { ServerHere } from "../support/server_here.ts";
import { rejectsWith } from "../support/status.ts";
import { makeWorld } from "./support.ts";

const BAD_NAMESPACES = [
  "",
  ".",
  "..",
  "../outside",
  "a/../../outside",
  "/etc",
  "a/b",
  "a\\b",
  ".staging",
  ".private",
  ".quarantine",
  "Cache.toml",
  "cache.sqlite",
  "cache.sqlite-wal",
  "a..b",
  ".a",
  "a.",
  "a\0b",
  "a\n",
  "a b",
  "1a",
  "ä",
  "a".repeat(256),
];

const TRICKY_KEYS = [
  "",
  ".",
  "../../outside/secret",
  "/etc/passwd",
  "a\0b",
  "%2e%2e%2f",
  "x'; DROP TABLE manifest; --",
];

Deno.test("a namespace that is no name is refused; a key is never a path", async () => {
  await using world = await makeWorld();
  await using server = await ServerHere.start(world.root);
  using local = new LocalClient(server.local);
  using remote = new RemoteClient(server.remote);
  for (const namespace of BAD_NAMESPACES) {
    for (const client of [local, remote]) {
      await rejectsWith(
        "INVALID_ARGUMENT",
        client.get(namespace, "key"),
        /^invalid namespace/,
      );
    }
  }
  for (const key of TRICKY_KEYS) {
    const { id, path } = await local.assigned("tests", key);
    assert.match(path.slice(world.root.length), /^\/\.staging\/[0-9a-f]{32}$/);
    await Deno.writeTextFile(path, key);
    await local.done(id);
    const published = await local.handle("tests", key);
    assert.match(
      published.path.slice(world.root.length),
      /^\/tests\/[0-9a-f]{64}$/,
    );
    const value = await remote.value("tests", key);
    assert.equal(new TextDecoder().decode(value), key);
  }
  const names = Array.from(Deno.readDirSync(world.root), ({ name }) => name);
  assert.deepEqual(names.filter((name) => /^\w+$/.test(name)), ["tests"]);
  await world.assertUntouched();
});

Deno.test("an id that nobody was given does nothing, and ids cannot be foreseen", async () => {
  await using world = await makeWorld();
  await using server = await ServerHere.start(world.root, {
    // The first assignment is still alive after some hundred calls.
    args: ["--heartbeat-timeout", "5m"],
  });
  using local = new LocalClient(server.local);
  using remote = new RemoteClient(server.remote);
  const ids: bigint[] = [];
  for (let i = 0; i < 50; i++) {
    ids.push(BigInt((await remote.assigned("tests", `${i}`)).id));
  }
  const given = new Set(ids);
  assert.equal(given.size, ids.length);
  // Spread over 63 bits: neighbours that are near would be a sequence.
  for (let i = 1; i < ids.length; i++) {
    const step = ids[i]! - ids[i - 1]!;
    assert((step < 0n ? -step : step) > 2n ** 32n, `${ids[i - 1]}, ${ids[i]}`);
  }
  const guesses = ids.flatMap((id) => [id - 1n, id + 1n])
    .concat(0n, 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n)
    .filter((id) => !given.has(id)).map(String);
  for (const guess of guesses) {
    const calls = [
      () => remote.set(guess, "stolen"),
      () => remote.heartbeat(guess),
      () => local.done(guess),
      () => local.drop(guess),
    ];
    for (const call of calls) await rejectsWith("INVALID_ARGUMENT", call());
  }
  const { entryStatus } = await remote.get("tests", "0");
  assert.equal(entryStatus, "loading");
});
