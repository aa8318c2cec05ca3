/** What docs/CLIENT.md promises is what the tests hold, row by row. */

import assert from "node:assert/strict";

const PAGE = new URL("../../docs/CLIENT.md", import.meta.url);
const FOLDERS = [".", "../../src/client"];
const TABLE = /^## What it promises\n\n\| when .*\n\| -.*\n((?:\|.*\n)+)/m;
const ROW = /^\| (.+?) +\|/gm;
/** The name of a test: "when", its row, a colon, and what it holds. */
const NAME = /(?<=["`])when ([^"`\n]+?): /g;

async function documented(): Promise<Set<string>> {
  const [, rows = ""] = TABLE.exec(await Deno.readTextFile(PAGE)) ?? [];
  const whens = [...rows.matchAll(ROW)].map(([, when]) => when!);
  return new Set(whens.map((when) => when.replaceAll("`", "")));
}

async function tested(): Promise<Set<string>> {
  const names: string[] = [];
  for (const folder of FOLDERS) {
    const url = new URL(`${folder}/`, import.meta.url);
    for await (const { name } of Deno.readDir(url)) {
      if (!name.endsWith("_test.ts")) continue;
      const source = await Deno.readTextFile(new URL(name, url));
      names.push(...[...source.matchAll(NAME)].map(([, when]) => when!));
    }
  }
  return new Set(names);
}

Deno.test("each row of the table has a test that is named for it", async () => {
  const rows = await documented();
  assert(rows.size > 20, `the table was not found: ${rows.size} rows`);
  assert.deepEqual([...rows.difference(await tested())], []);
});

Deno.test("no test is named for a row that is gone", async () => {
  const rows = await documented();
  assert.deepEqual([...(await tested()).difference(rows)], []);
});
