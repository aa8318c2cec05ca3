/** The programs in docs/CLIENT.md, run against a real server. */

import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { Child, denoCommand, withServerHere } from "./support.ts";

const PAGE = new URL("../../docs/CLIENT.md", import.meta.url);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;

const text = await Deno.readTextFile(PAGE);
const recipes = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
  code: match[1]!,
  heading: /.*^#+ (.*?)$/ms.exec(text.slice(0, match.index))![1]!,
}));

Deno.test("there are recipes", () => {
  assert(recipes.length > 8);
});

Deno.test("each recipe is well typed, and prints what it says", async (test) => {
  await using folder = await temporaryFolder();
  await withServerHere(async ({ local, remote }) => {
    const programs = recipes.map(({ code, heading }, at) => {
      const url = pathToFileURL(`${folder.path}/${at}.ts`);
      const program = code
        .replaceAll("127.0.0.1:28055", local)
        .replaceAll("127.0.0.1:28056", remote)
        .replaceAll('"@larder/larder"', JSON.stringify(MODULE));
      Deno.writeTextFileSync(url, program);
      return { url, heading, expected: promised(code) };
    });
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", CONFIG, folder.path],
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    for (const { url, heading, expected } of programs) {
      await test.step(heading, async () => {
        await using child = new Child(denoCommand(url));
        assert.deepEqual(await child.end(), { lines: expected, code: 0 });
      });
    }
  });
});

/** What the comments of a program say that it prints. */
function promised(code: string): string[] {
  return [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, line]) => line!);
}
