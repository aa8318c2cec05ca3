/** Documents and comments name no file that is not there. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow } from "./files_below.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What comes of builds, or of others, is not ours to look into. */
const SKIPPED = /^(\.git|dist|node_modules|tests\/golden|bench\/results)$/;
/** Tells what was: files have other names since. */
const HISTORY = /^(CHANGELOG\.md|docs\/adr\/)/;
/** Examples of names, which stand for any. */
const EXAMPLES = /^(tests\/confinement\/escapes|tools\/\w+_test)\.ts$/;

/** The names of files in a line of prose: in backticks, or in a comment. */
function namesIn(line: string, path: string): string[] {
  if (path.endsWith(".md")) {
    return [...line.matchAll(/`([\w./-]+\w\.(?:ts|mjs|md|proto))`/g)]
      .map(([, name]) => name!);
  }
  const [, comment = ""] = /^\s*(?:\/?\*\*?|\/\/)\s(.*)/.exec(line) ?? [];
  return [
    ...comment.matchAll(/(?<![\w:/.-])[\w./-]+\w\.(?:ts|mjs|md|proto)\b/g),
  ]
    .map(([name]) => name);
}

Deno.test("documents and comments name no file that is not there", async () => {
  const files = filesBelow(ROOT, ".", (path) => SKIPPED.test(path));
  const known = new Set(
    files.flatMap((file) => {
      const parts = file.split("/");
      return parts.map((_, at) => parts.slice(at).join("/"));
    }),
  );
  const wrong: string[] = [];
  let count = 0;
  for (const file of files) {
    if (!/\.(md|ts|mjs)$/.test(file)) continue;
    if (HISTORY.test(file) || EXAMPLES.test(file)) continue;
    const lines = (await Deno.readTextFile(join(ROOT, file))).split("\n");
    lines.forEach((line, at) => {
      for (const name of namesIn(line, file)) {
        count++;
        // Below its own folder, beside it, or anywhere by the end of its path.
        if (known.has(name.replace(/^(\.{1,2}\/)+/, ""))) continue;
        wrong.push(`${file}:${at + 1} names ${name}`);
      }
    });
  }
  assert(count > 100, "no names were found");
  assert.deepEqual(wrong, []);
});
