/** larder doctor: how full the server is, and whether it takes values. */

import assert from "node:assert/strict";
import { fillFindings } from "../../src/cli/doctor/fill.ts";
import type { Status } from "../../src/cli/picture.ts";
import { CacheClient } from "../v1/client.ts";
import { withShell } from "./support.ts";

const GIB = 2 ** 30;

Deno.test("doctor says how full the server is, against its limits", () =>
  withShell(async (shell) => {
    await shell.run(["put", "--ns", "a", "k"], {
      stdin: new Uint8Array(512),
    });
    const text = await shell.ok("doctor");
    assert.match(text, /^ok {4}kept +512 B of 1\.0 KiB \(50 %\), 1 entry$/m);
    assert.match(text, /^(ok {2}|warn) {2}its disk +.* free$/m);
    assert.doesNotMatch(text, /trouble/);
    const ofRoot = await shell.run(["doctor", shell.server.root]);
    assert.match(ofRoot.stdout, /^ok {4}kept +512 B of /m);
    assert.doesNotMatch(ofRoot.stdout, /its disk/);
  }, ["--max-bytes", "1KiB"]));

Deno.test("what doctor asks is no request that found nothing", () =>
  withShell(async (shell) => {
    using client = new CacheClient(shell.server.remote);
    const misses = async () =>
      (await client.call<{ readonly misses: string }>("Status")).misses;
    await shell.run(["get", "--ns", "a", "none"]);
    const before = await misses();
    const args = ["--local", shell.server.local, "--remote"];
    await shell.ok("doctor", ...args, shell.server.remote);
    assert.equal(await misses(), before);
  }));

Deno.test("doctor tells a server without limits, with a full disk, or in trouble", () => {
  const status = {
    ...{ entries: 3, bytes: 2 * GIB, maxEntries: 0, maxBytes: 0 },
    ...{ diskBytes: 10 * GIB, diskFreeBytes: 5 * GIB, trouble: "" },
  } as Status;
  const said = (changed: Partial<Status>) =>
    fillFindings({ ...status, ...changed }, { hasDisk: true }).map((
      { name, status, text },
    ) => `${status} ${name}: ${text}`);
  assert.deepEqual(said({}), [
    "ok kept: 2.0 GiB, 3 entries; no limit but the disk's",
    "ok its disk: 5.0 GiB free",
  ]);
  assert.deepEqual(
    said({
      maxEntries: 6,
      diskFreeBytes: 2 ** 20,
      trouble: "the disk is full",
    }),
    [
      "ok kept: 2.0 GiB, 3 entries of 6 (50 %)",
      "warn its disk: 1.0 MiB free",
      "fail trouble: no value can be kept: the disk is full",
    ],
  );
  const remedies = [
    ["only 1 byte of the disk is free, and --min-free asks", /--min-free$/],
    ["only 1 byte of the disk is free; all values", /^make room on its disk$/],
    ["the disk has 0 bytes free: 1 GiB are kept", /^make room on its disk$/],
    ["the disk of /srv is full: make room on it", /^make room on its disk$/],
    ["only 0 files can still be made on the disk (inodes)", /^remove files /],
    ["--max-entries allows 5 values: 5 are kept", /^raise --max-entries, /],
    ["Cannot write", /^see its log$/],
  ] as const;
  for (const [trouble, remedy] of remedies) {
    const changed = { ...status, trouble };
    const found = fillFindings(changed, { hasDisk: false }).at(-1)!;
    assert.match("remedy" in found ? `${found.remedy}` : "", remedy);
  }
  // An unknown disk is none that is full.
  assert.equal(said({ diskBytes: 0, diskFreeBytes: 0 }).length, 1);
});
