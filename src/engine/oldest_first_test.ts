import assert from "node:assert/strict";
import type { Manifest } from "../manifest/manifest.ts";
import { entryKey } from "./entry_key.ts";
import { oldestFirst } from "./oldest_first.ts";

const MIB = 1024 * 1024;

/** Namespaces `a.n0` and so on with an entry each, the last one oldest. */
function manifestOf(count: number): {
  readonly asked: string[];
  /** Of each pattern, how many bytes of keys its latest page may have. */
  readonly keyBytes: Map<string, number>;
  readonly manifest: Pick<Manifest, "usage" | "oldest">;
} {
  const asked: string[] = [];
  const keyBytes = new Map<string, number>();
  const entryOf = (index: number) => ({
    ...entryKey(`a.n${index}`, new Uint8Array()),
    accessedMs: count - index,
    size: 1,
  });
  const all = Array.from({ length: count }, (_, index) => entryOf(index));
  const manifest: Pick<Manifest, "usage" | "oldest"> = {
    usage: () =>
      Promise.resolve(all.map(({ namespace }) => ({
        ...{ namespace, entries: 1, bytes: 1 },
      }))),
    oldest(pattern, { limit, keyBytes: most = Infinity, cursor = `${count}` }) {
      asked.push(pattern);
      keyBytes.set(pattern, most);
      if (!pattern.endsWith("*")) {
        const index = Number(pattern.slice("a.n".length));
        return Promise.resolve({ items: [all[index]!] });
      }
      const from = Math.max(0, Number(cursor) - limit);
      const items = all.slice(from, Number(cursor)).reverse();
      return Promise.resolve(
        from === 0 ? { items } : { items, cursor: `${from}` },
      );
    },
  };
  return { asked, keyBytes, manifest };
}

for (
  const [pattern, count, questions] of [
    // One for each: others may have very many entries.
    ["a.*", 64, 64],
    // Beyond that one for a page of all.
    ["a.*", 20_000, 2],
    ["*", 3, 1],
    ["*", 20_000, 2],
    ["a.n7", 20_000, 1],
  ] as const
) {
  Deno.test(`the oldest of ${pattern} among ${count} namespaces are ${questions} questions`, async () => {
    const { asked, keyBytes, manifest } = manifestOf(count);
    const found: string[] = [];
    for await (const { namespace } of oldestFirst(manifest, { pattern })) {
      if (found.push(namespace) === 257) break;
    }
    const expected = pattern === "a.n7"
      ? ["a.n7"]
      : Array.from({ length: Math.min(count, 257) }, (_, index) =>
        `a.n${count - 1 - index}`);
    assert.deepEqual(found, expected);
    assert.equal(asked.length, questions);
    // The pages of all patterns are held together.
    const held = [...keyBytes.values()].reduce((sum, bytes) => sum + bytes);
    assert(held > 4 * MIB && held <= 8 * MIB, `${held} bytes of keys`);
  });
}
