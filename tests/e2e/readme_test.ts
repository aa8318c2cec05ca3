/** The README, on a machine that has only Node: its commands, as they stand. */

import assert from "node:assert/strict";
import { withShell } from "../cli/support.ts";

const REPOSITORY = new URL("../../", import.meta.url);
const TEXT = await Deno.readTextFile(new URL("README.md", REPOSITORY));
const NPX = "npx -y deno@2.9.6";

const blocks = [...TEXT.matchAll(/^```sh\n(.*?)^```$/gms)]
  .map(([, block]) => block!);

Deno.test("the README names no address of its own, and the Makefile needs Node alone", async () => {
  assert(!/git clone|THE-ADDRESS/.test(TEXT));
  const makefile = await Deno.readTextFile(
    new URL("docs/examples/make/Makefile", REPOSITORY),
  );
  const [, larder] = /^larder \?= (.*)$/m.exec(makefile)!;
  const alias = /^alias larder='(npx -y deno@\S+ task) /m.exec(
    await Deno.readTextFile(new URL("docs/CLI.md", REPOSITORY)),
  )![1]!;
  assert(larder!.startsWith(`${alias} `), makefile);
});

Deno.test("no block of the README needs Deno in the path", () => {
  assert(blocks.length > 5);
  for (const block of blocks) {
    const bare = block.replaceAll(NPX, "npx");
    assert.doesNotMatch(bare, /(^|[;&|(] *)(deno|larder) /m, block);
  }
});

Deno.test("the README serves on the default root, and passes the tests", () => {
  assert(blocks.includes(`${NPX} task serve\n`));
  assert(blocks.includes(`${NPX} task test\n`));
});

Deno.test("a slow command is computed once, as the README says", () =>
  withShell(async ({ env }) => {
    const at = blocks.findIndex((block) => block.includes("larder run"));
    const block = blocks[at]!;
    const said = /^```\n(42\nlarder: computed.*?)^```$/ms.exec(TEXT)?.[1];
    const commands = block
      .replaceAll(NPX, `'${Deno.execPath()}'`)
      .replaceAll("sleep 5", "sleep 0");
    const { stdout, code } = await new Deno.Command("sh", {
      args: ["-c", `exec 2>&1; unset INIT_CWD; ${commands}`],
      cwd: REPOSITORY,
      env,
    }).output();
    assert.equal(code, 0);
    // Without the sleep nothing is saved that is worth a word.
    const plain = (text: string) =>
      text.replaceAll(/[0-9a-f]{8}…/g, "KEY…").replace(/, saved \S+ s$/m, "");
    assert.equal(plain(new TextDecoder().decode(stdout)), plain(said!));
  }));
