/** The example of the README, run as it says. */

import assert from "node:assert/strict";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";

const EXAMPLE = new URL(
  "../../docs/examples/compute_once.ts",
  import.meta.url,
).pathname;

async function run(address: string, input: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--allow-net", "--allow-read", "--allow-env"],
      ...[EXAMPLE, address, input],
    ],
    cwd: new URL("../..", import.meta.url).pathname,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("three runs of the example compute one result", async () => {
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root);
    const printed = await Promise.all(
      [1, 2, 3].map(() => run(server.remote, "42")),
    );
    assert.deepEqual(printed.sort(), [
      "computed: the result for 42",
      "from the cache: the result for 42",
      "from the cache: the result for 42",
    ]);
  });
});
