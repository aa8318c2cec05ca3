/**
 * Packs a folder of so many empty files that are nowhere, and prints by how many
 * bytes the process has grown for it.
 *
 * @module
 */

import { Leaves } from "../leaves.ts";
import { type Entry, pack } from "../pack.ts";

const count = Number(Deno.args[0]);
const leaves = new Leaves();
const startBytes = Deno.memoryUsage().rss;
let mostBytes = startBytes;
for (let at = 0; at < count; at++) {
  leaves.add({
    ...{ below: `folder/file-${at}`, kind: "file", mode: 0o644, size: 0 },
    ...{ stamp: `1 ${at} 0 ${Date.now()}000000 0`, target: undefined },
  });
}
for await (const _ of pack(entries())) {
  mostBytes = Math.max(mostBytes, Deno.memoryUsage().rss);
}
console.log(mostBytes - startBytes);

function* entries(): Generator<Entry> {
  for (const { below, size, mode } of leaves) {
    yield { name: below, path: "/dev/null", size, mode };
  }
}
