/** What docs/CLI.md proposes for headers, as long as there is no --depfile. */

import assert from "node:assert/strict";
import { inBash } from "./bash.ts";
import { type Shell, withShell } from "./support.ts";

const PAGE = new URL("../../docs/CLI.md", import.meta.url);

/** The two commands of the page. */
async function documented(): Promise<[string, string]> {
  const [, section = ""] = (await Deno.readTextFile(PAGE))
    .split(/^### Headers$/m);
  const blocks = [...section.matchAll(/^```sh\n([^]*?)^```$/gm)]
    .map(([, block]) => block!.replace(/^larder/, "$larder"));
  return [blocks[0]!, blocks[1]!];
}

Deno.test("a change to a header compiles anew, by its folder or by the compiler's list", () =>
  withShell(async (shell) => {
    if ((await inBash(shell, "command -v cc")).code !== 0) {
      console.log("skipped headers: there is no C compiler");
      return;
    }
    await Deno.mkdir(`${shell.folder}/include`);
    await shell.write("main.c", '#include "a.h"\nint main() { return A; }\n');
    await shell.write("include/a.h", "#define A 3\n");
    const [byFolder, byList] = await documented();
    const source = async (command: string) => await sourceOf(shell, command);
    assert.equal(await source(byFolder), "computed");
    assert.equal(await source(byFolder), "hit");
    assert.equal(await source(byList), "computed");
    assert.equal(await source(byList), "hit");
    // Of no matter to the compiler.
    await shell.write("include/b.h", "#define B 3\n");
    assert.equal(await source(byFolder), "computed");
    assert.equal(await source(byList), "hit");
    await shell.write("include/a.h", '#include "b.h"\n#define A B\n');
    assert.equal(await source(byList), "computed");
    await shell.write("include/b.h", "#define B 4\n");
    assert.equal(await source(byFolder), "computed");
    assert.equal(await source(byList), "computed");
  }));

async function sourceOf(shell: Shell, command: string): Promise<string> {
  const { code, stderr } = await inBash(shell, command);
  assert.equal(code, 0, stderr);
  const [, source] = /^larder: (\w+) cc /m.exec(stderr) ?? [];
  return source ?? stderr;
}
