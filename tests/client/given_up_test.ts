/** A publish that is given up midway keeps nothing, on Deno and on Node. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { until } from "../support/status.ts";
import { CacheClient } from "../v1/client.ts";
import { npmProject } from "./npm_package.ts";
import { Child, denoCommand, withServer } from "./support.ts";

const PROGRAM = new URL("./programs/give_up.mjs", import.meta.url);
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;
/** grpc-js ends a stream before it resets it: here one sees what that does. */
const LATE_RESETS = { toServer: { resetDelayMs: 40 } };

/** The command that runs the program with words after the module. */
type Command = (...words: string[]) => string[];

interface Usage {
  readonly namespaces: readonly { readonly namespace: string }[];
  readonly loading: string;
  readonly publishing: string;
}

/** Runs the program; what is kept when all has been given back. */
async function keptAfter(
  command: Command,
  way: string,
  { count, lateResets }: { count: number; lateResets: boolean },
): Promise<unknown> {
  let kept: unknown;
  await withServer(async ({ remote }) => {
    await using proxy = await FaultProxy.start(
      remote,
      lateResets ? LATE_RESETS : {},
    );
    const words = [proxy.address, way, `${count}`];
    await using child = new Child(command(...words));
    const { lines, code } = await child.end();
    assert.deepEqual({ lines, code }, { lines: [`${count}`], code: 0 });
    using admin = new CacheClient(remote);
    const { namespaces } = await until(
      () => admin.call<Usage>("Usage"),
      ({ loading, publishing }) => loading === "0" && publishing === "0",
    );
    kept = namespaces;
  });
  return kept;
}

async function test(test: Deno.TestContext, command: Command): Promise<void> {
  await test.step("100 producers that throw, without a fault", async () => {
    const how = { count: 100, lateResets: false };
    assert.deepEqual(await keptAfter(command, "throw", how), []);
  });
  for (const way of ["throw", "abort", "close"]) {
    await test.step(`${way}, resets 40 ms late`, async () => {
      const how = { count: 40, lateResets: true };
      assert.deepEqual(await keptAfter(command, way, how), []);
    });
  }
}

Deno.test("when a publish is given up midway: nothing is kept (Deno)", (context) =>
  test(context, (...words) => denoCommand(PROGRAM, MODULE, ...words)));

Deno.test("when a publish is given up midway: nothing is kept (Node)", async (context) => {
  await using folder = await temporaryFolder();
  const project = await npmProject(folder.path);
  if (project.skip !== undefined) {
    console.log(`skipped publishing from Node: ${project.skip}`);
    return;
  }
  const program = `${project.folder}/give_up.mjs`;
  await Deno.copyFile(PROGRAM, program);
  await test(
    context,
    (...words) => ["node", program, "@larder/larder", ...words],
  );
});
