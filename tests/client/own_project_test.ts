/** The library from a Deno project of one's own, as docs/CLIENT.md has it. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { withServerHere } from "./support.ts";

const REPOSITORY = new URL("../../", import.meta.url);
const PAGE = await Deno.readTextFile(new URL("docs/CLIENT.md", REPOSITORY));

Deno.test("the line in deno.json is all that a project on Deno needs", async () => {
  const config = /^```json\n(.*?)^```$/ms.exec(PAGE)?.[1];
  const command = /^deno (run .*) main\.ts$/m.exec(PAGE)?.[1];
  const program = /^```ts\n(.*?)^```$/ms.exec(PAGE)?.[1];
  assert(config && command && program);
  await using folder = await temporaryFolder();
  const project = `${folder.path}/Größe 1`;
  await Deno.mkdir(project);
  // A clone beside the project, whose name is as any name.
  await Deno.symlink(fileURLToPath(REPOSITORY), `${folder.path}/larder`);
  await Deno.writeTextFile(`${project}/deno.json`, config);
  await withServerHere(async ({ remote }) => {
    await Deno.writeTextFile(
      `${project}/main.ts`,
      program.replaceAll("127.0.0.1:28056", remote),
    );
    const deno = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args,
        cwd: project,
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder();
      assert.equal(code, 0, text.decode(stderr));
      return text.decode(stdout);
    };
    await deno("check", "--quiet", "main.ts");
    assert.equal(await deno(...command.split(" "), "main.ts"), "900\n");
  });
});
