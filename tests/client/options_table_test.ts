/** The table of options in docs/CLIENT.md has all there are, and no others. */

import assert from "node:assert/strict";
import { CONNECT_OPTIONS } from "../../src/client/cache.ts";
import { CALL_OPTIONS } from "../../src/client/call_options.ts";
import { INVALIDATE_OPTIONS } from "../../src/client/catalog_base.ts";
import {
  Cache,
  memory,
  type MemoryOptions,
  TieredCache,
  type TieredOptions,
} from "../../src/client/mod.ts";

const PAGE = new URL("../../docs/CLIENT.md", import.meta.url);

/** What is checked where it is given, and so cannot be a table elsewhere. */
const OF_MEMORY = { maxBytes: true } satisfies Record<
  keyof MemoryOptions,
  true
>;
const OF_TIERED = { onOutage: true } satisfies Record<
  keyof TieredOptions,
  true
>;

/** The rows: an option, and of what it is one. */
async function rows(): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(PAGE);
  const [, section = ""] = text.split(/^## Options$/m);
  const [table = ""] = section.split(/^## /m);
  return new Map(
    [...table.matchAll(/^\| (`\w+`(?:, `\w+`)*) +\| ([^|]*?) *\|/gm)]
      .flatMap(([, names, of]) =>
        names!.split(", ").map((
          name,
        ): [string, string] => [name.slice(1, -1), of!])
      ),
  );
}

Deno.test("docs/CLIENT.md has every option, with what it is of, and no other", async () => {
  const table = await rows();
  const known = new Set([
    ...Object.keys(CONNECT_OPTIONS),
    ...Object.keys(CALL_OPTIONS),
    ...Object.keys(INVALIDATE_OPTIONS),
    ...Object.keys(OF_MEMORY),
    ...Object.keys(OF_TIERED),
  ]);
  assert.deepEqual([...table.keys()].sort(), [...known].sort());
  for (const [name, of] of table) {
    const isOf = (where: string) => of.includes(`\`${where}\``);
    assert.equal(
      isOf("Cache.connect"),
      Object.hasOwn(CONNECT_OPTIONS, name),
      name,
    );
    assert.equal(isOf("TieredCache"), Object.hasOwn(OF_TIERED, name), name);
    assert.equal(isOf("memory"), Object.hasOwn(OF_MEMORY, name), name);
  }
});

Deno.test("an option that is in no table is refused by all", async () => {
  // deno-lint-ignore no-explicit-any
  const unknown = { remote: "127.0.0.1:1", retries: 1 } as any;
  const message = /there is no option retries: /;
  await assert.rejects(() => Cache.connect(unknown), message);
  const tier = memory({ maxBytes: 1_000 });
  assert.throws(
    () => new TieredCache([tier], { ...unknown, remote: undefined }),
    TypeError,
  );
  assert.throws(() => memory({ maxBytes: 1, ...unknown }), TypeError);
  await using cache = new TieredCache([tier]);
  await assert.rejects(
    () => cache.get("a", 1, { retries: 1 } as never),
    message,
  );
});
