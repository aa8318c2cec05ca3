/** The example of the README, run as it says. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** In a folder whose name has what names have. */
async function run(folder: string, address: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--allow-net", "--allow-read", "--allow-env"],
      ...["--config", `${REPOSITORY}/deno.json`],
      ...[`${folder}/docs/examples/compute_once.ts`, address, "42"],
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("three runs of the example compute one result", async () => {
  await withRoot(async (root) => {
    await using folder = await temporaryFolder();
    const clone = `${folder.path}/Größe 1 µm`;
    await Deno.symlink(REPOSITORY, clone);
    await using server = await ServerProcess.start(root);
    const printed = await Promise.all(
      [1, 2, 3].map(() => run(clone, server.remote)),
    );
    assert.deepEqual(printed.sort(), [
      "computed: the result for 42",
      "from the cache: the result for 42",
      "from the cache: the result for 42",
    ]);
  });
});
