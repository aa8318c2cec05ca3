/**
 * `larder rm`: one value, and many at once.
 */

import assert from "node:assert/strict";
import { Cache } from "../../src/mod.ts";
import { RemoteClient } from "../support/clients.ts";
import { until } from "../support/status.ts";
import { hostedShells } from "./hosted_larder.ts";
import type { Shell } from "./support.ts";

const withShell = await hostedShells();

async function put(shell: Shell, ...entries: [ns: string, key: string][]) {
  await using cache = await Cache.connect({ remote: shell.server.remote });
  for (const [namespace, key] of entries) {
    await cache.set(namespace, new TextEncoder().encode(key), "1234");
  }
}

Deno.test("rm removes what keys begin with, and counts it before", () =>
  withShell(async (shell) => {
    await put(shell, ["sim", "run-1"], ["sim", "run-2"], ["sim", "other"]);
    const runs = ["rm", "--ns", "sim", "--prefix", "run-"];
    assert.deepEqual(await shell.json(...runs, "--dry-run"), {
      entries: 2,
      bytes: 12,
      in_use: 0,
      dry_run: true,
    });
    assert.equal(
      await shell.ok(...runs, "--dry-run"),
      "2 entries would be removed, 12 B\n",
    );
    assert.equal(await shell.ok(...runs), "2 entries removed, 12 B\n");
    assert.match(await shell.ok("ls", "sim"), / sim {2}other\n$/);
    // As ls prints keys that are no text, and run the first digits of its own.
    const ids = ["00ff01", "00ff02", "00fe01"];
    await using cache = await Cache.connect({ remote: shell.server.remote });
    for (const id of ids) {
      await cache.set("bytes", Uint8Array.fromHex(id), "");
    }
    const bytes = ["rm", "--ns", "bytes", "--prefix"];
    for (const [prefix, left] of [["hex:00ff01…", 2], ["hex:00FF", 1]]) {
      assert.match(await shell.ok(...bytes, `${prefix}`), /^1 entry removed/);
      const kept = (await shell.ok("ls", "bytes")).trim().split("\n");
      assert.equal(kept.length, left);
    }
    const old = ["rm", "--ns", "sim", "--older-than", "1h"];
    assert.equal(await shell.ok(...old), "0 entries removed, 0 B\n");
    const unread = ["rm", "--ns", "sim", "--unread-for", "1h"];
    assert.equal((await shell.json(...unread))["entries"], 0);
  }));

Deno.test("rm removes namespaces as a whole, and says what stays", () =>
  withShell(async (shell) => {
    await put(shell, ["a.x", "1"], ["a.y", "2"], ["a.y", "3"], ["b", "4"]);
    await using cache = await Cache.connect({ remote: shell.server.remote });
    const claim = await cache.claim("a.y", "work");
    assert.equal(claim.kind, "assigned");
    assert.equal(
      await shell.ok("rm", "--ns", "a.*", "--all"),
      "3 entries removed, 18 B; 1 entry stays, as it is being read or " +
        "computed\n",
    );
    assert.equal((await shell.json("rm", "--ns", "*", "--all"))["entries"], 1);
    assert.equal((await shell.json("usage"))["entries"], 0);
    const rm = ["rm", "--ns", "a.y", "--key-json", '"work"'];
    const { code, stderr } = await shell.run(rm);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot remove a\.y hex:[0-9a-f]{64}: it is being/);
  }));

Deno.test("what somebody computed who has gone is said to be expired, and can be removed", () =>
  withShell(async (shell) => {
    using dead = new RemoteClient(shell.server.remote);
    await dead.assigned("sim", "left");
    const left = ["--ns", "sim", "left"];
    await until(
      () => shell.ok("stat", ...left),
      (said) => /^status +expired: whoever computed it has gone/m.test(said),
    );
    assert.match(
      await shell.ok("ls", "sim"),
      /^ +expired {2}.* sim {2}left\n$/,
    );
    assert.equal((await shell.json("stat", ...left))["status"], "expired");
    await shell.ok("rm", ...left);
    assert.equal(await shell.ok("ls", "sim"), "");
  }, ["--heartbeat-interval", "100ms", "--heartbeat-timeout", "200ms"]));

Deno.test("rm takes one key, or what many have in common", () =>
  withShell(async (shell) => {
    const wrong: [string[], RegExp][] = [
      [["rm", "--ns", "a"], /which key\?/],
      [["rm", "--ns", "a", "k", "--all"], /k: give one key, or what many/],
      [["rm", "--ns", "a", "k", "--dry-run"], /--dry-run counts what many/],
      [["rm", "--ns", "a-b", "--all"], /invalid namespace "a-b"/],
      [["rm", "--ns", "a.*.b", "--all"], /invalid namespace/],
      [["rm", "--ns", "a", "--older-than", "soon"], /--older-than soon/],
      [["rm", "--all"], /--ns is missing/],
      [["rm", "--ns", "a.*", "k"], /--ns a\.\*: a key is in one namespace/],
      [["rm", "--ns", "a", "--prefix", ""], /--prefix is empty/],
      [["rm", "--ns", "a", "--prefix", "hex:abc"], /two digits a byte/],
    ];
    for (const [args, message] of wrong) {
      const { code, stderr, stdout } = await shell.run(args);
      assert.deepEqual([code, stdout], [2, ""], `${args}: ${stderr}`);
      assert.match(stderr, message);
    }
  }));
