/** docs/FIRST_CHANGE.md, as a newcomer follows it: in a copy of the clone. */

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { run } from "../confinement/support.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = await Deno.readTextFile(`${REPOSITORY}docs/FIRST_CHANGE.md`);
/** What the change needs of the repository. */
const COPIED = ["src", "workers", "tests", "proto", "deno.json", "deno.lock"];

const TEST = "tests/cli/status_test.ts";
const CATALOG = "src/engine/catalog.ts";
const PICTURES = "src/engine/pictures.ts";
const PICTURE = "src/cli/picture.ts";
const SCREEN = "src/cli/commands/status.ts";
const TOP_TEST = "src/cli/top_screen_test.ts";

/** Where each block of the page goes, in their order: what it stands beside, or replaces. */
const PLACES: readonly {
  readonly file: string;
  readonly after?: string;
  readonly instead?: string;
}[] = [
  { file: TEST, instead: '}, ["--max-entries", "10"]));' },
  {
    file: TEST,
    instead: "assert.match(screen, /^kept +6 B, 1 entry of 10 \\(10 %\\)$/m);",
  },
  {
    file: "proto/larder/v1/cache.proto",
    after: "repeated UnderWay under_way = 20;",
  },
  { file: "src/serve.ts", after: "limits: {" },
  {
    file: CATALOG,
    instead: 'readonly limits: Pick<Quota, "maxBytes" | "maxEntries">;',
  },
  {
    file: PICTURES,
    after: "export interface StatusPicture extends DoingsPicture {",
  },
  { file: PICTURES, after: "maxBytes: limits.maxBytes ?? 0," },
  { file: PICTURE, after: "export interface Status extends State {" },
  { file: TOP_TEST, after: "maxEntries: 0," },
  { file: SCREEN, instead: "share(entries, maxEntries, `${maxEntries}`);" },
];
/** What the page says of it in words. */
const TAKEN = "{ entries, bytes, maxEntries, maxBytes }";

Deno.test("the first change is made as its page says, and its test passes then", async () => {
  const blocks = [...PAGE.matchAll(/^ *```(?:ts|proto)\n(.*?)^ *```$/gms)]
    .map(([, block]) => block!.trimEnd());
  assert.equal(blocks.length, PLACES.length);
  await using folder = await temporaryFolder();
  for (const name of COPIED) {
    cpSync(REPOSITORY + name, `${folder.path}/${name}`, { recursive: true });
  }
  const change = async (file: string, from: string, to: string) => {
    assert(PAGE.includes(`\`${file}\``), `the page names no ${file}`);
    const path = `${folder.path}/${file}`;
    const text = await Deno.readTextFile(path);
    assert(text.includes(from), `${file} has no ${from}`);
    await Deno.writeTextFile(path, text.replaceAll(from, () => to));
  };
  const deno = async (...args: string[]) => {
    const options = { cwd: folder.path };
    const { code, stdout, stderr } = await run(Deno.execPath(), args, options);
    return { success: code === 0, said: stdout + stderr };
  };
  const test = () =>
    deno("test", "--no-check", "--allow-all", "--filter", "status says", TEST);
  for (const [at, { file, after, instead }] of PLACES.entries()) {
    const block = blocks[at]!;
    await change(
      file,
      (after ?? instead)!,
      after === undefined ? block : `${after}\n${block}`,
    );
    if (at !== 1) continue;
    // What is wanted is there, and nothing of how.
    const { success, said } = await test();
    assert(!success && said.includes("1 entry of 10 (10 %)"), said);
  }
  await change(SCREEN, TAKEN, TAKEN.replace(" }", ", maxAgeMs }"));
  const checked = await deno("check", "--quiet", "src/main.ts", TOP_TEST, TEST);
  assert(checked.success, checked.said);
  const { success, said } = await test();
  assert(success, said);
});
