/** The limits that docs/SECURITY.md names are those of the code. */

import assert from "node:assert/strict";
import * as grpc from "../src/grpc/limits.ts";
import * as http2 from "../src/http2/limits.ts";
import * as server from "../src/limits.ts";

const PAGE = new URL("../docs/SECURITY.md", import.meta.url);
const ROW = /^\| `([A-Z0-9_]+)` +\| ([^|]+?) +\|/gm;

const UNITS: Readonly<Record<string, number>> = {
  KiB: 1024,
  MiB: 1024 ** 2,
  ms: 1,
  s: 1_000,
  "%": 0.01,
};

/** `64 KiB`, `10 s`, `2,048`, `1/32`. */
function valueOf(text: string): number {
  const [, number = "", unit = ""] = /^([\d,./]+) ?(\S*)$/.exec(text) ?? [];
  const [above = "", below = "1"] = number.replaceAll(",", "").split("/");
  return Number(above) / Number(below) * (unit === "" ? 1 : UNITS[unit] ?? NaN);
}

async function documented(): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(PAGE);
  return new Map(
    [...text.matchAll(ROW)].map(([, name, number]) => [name!, number!]),
  );
}

Deno.test("each limit on the page has the number that it has in the code", async () => {
  const known: Record<string, unknown> = { ...server, ...http2, ...grpc };
  for (const [name, number] of await documented()) {
    assert.equal(valueOf(number), known[name], `${name}: ${number}`);
  }
});

Deno.test("no limit of the edge is missing on the page", async () => {
  const page = await documented();
  const missing = Object.keys({ ...http2, ...grpc })
    .filter((name) => !page.has(name));
  assert.deepEqual(missing, []);
});
