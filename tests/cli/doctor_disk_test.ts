/** larder doctor on a root whose disk takes no files. */

import assert from "node:assert/strict";
import { rootChecks } from "../../src/cli/doctor/root.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { outputOf } from "../client/npm_package.ts";

Deno.test("where the disk is full, doctor does not advise to change rights", async () => {
  await using folder = await temporaryFolder();
  const disk = folder.path;
  // With room for its own folder alone.
  const mount = ["-t", "tmpfs", "-o", "nr_inodes=1", "larder", disk];
  if (await outputOf("mount", mount) === undefined) {
    return console.log("skipped: nothing can be mounted");
  }
  try {
    for (const root of [disk, `${disk}/root`]) {
      const findings = await rootChecks(root, { addresses: {}, isNow: false });
      const failed = findings.filter(({ status }) => status === "fail");
      assert.equal(failed.length, 1);
      assert.match(failed[0]!.remedy ?? "", /^make room on the disk of /);
    }
  } finally {
    await outputOf("umount", ["--lazy", disk]);
  }
});
