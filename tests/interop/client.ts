/**
 * The library for TypeScript, beside Python's: reads what that has set, and sets
 * what that reads. Asked and answered as JSON on the standard streams.
 *
 * @module
 */

import { Cache } from "../../src/client/cache.ts";
import { bytes } from "../../src/client/codecs/mod.ts";
import type { JsonValue } from "../../src/client/codecs/json.ts";
import { keyBytes } from "../../src/client/keys.ts";

interface Question {
  readonly remote: string;
  readonly namespace: string;
  readonly keys: readonly JsonValue[];
}

const input = await new Response(Deno.stdin.readable).text();
const { remote, namespace, keys } = JSON.parse(input) as Question;

await using cache = await Cache.connect({ remote });
const fail = () => {
  throw new SyntaxError("line 3: no semicolon");
};
await cache.set(namespace, { from: "TypeScript" }, { "ä": [1, null, "é"] });
const theirs = new TextEncoder().encode("their bytes");
await cache.set(namespace, theirs, Uint8Array.of(255, 0), { codec: bytes });
await cache.generate(namespace, "stored error", fail, { cacheErrors: true })
  .catch(() => {});
const raw = new TextEncoder().encode("raw");
console.log(JSON.stringify({
  keys: keys.map((key) => keyBytes(key).toHex()),
  value: await cache.get(namespace, { n: 1, from: "Python" }),
  raw: (await cache.get(namespace, raw, { codec: bytes }))?.toHex(),
}));
