/** A mistake of the program is an error that says what to give instead. */

import assert from "node:assert/strict";
import {
  Cache,
  json,
  memory,
  type OnceReadable,
  TieredCache,
} from "../../src/client/mod.ts";
import { Outages } from "../../src/client/outages.ts";
import { CacheError } from "../../src/client/cache_error.ts";

/** Nobody is there: a mistake is found before anything is asked. */
const remote = "127.0.0.1:1";

/** As a program in JavaScript gives it. */
// deno-lint-ignore no-explicit-any
const wrong = (value: unknown) => value as any;

async function refused(
  run: () => unknown,
  name: "TypeError" | "RangeError",
  message: RegExp,
): Promise<void> {
  // deno-lint-ignore require-await
  await assert.rejects(async () => run(), { name, message });
}

Deno.test("when the namespace or the key is none: connect says which options there are, and what they may be", async () => {
  const connect = (options: unknown) => () => Cache.connect(wrong(options));
  const all = /an object with some of local, remote, patienceMs, onOutage/;
  await refused(connect(null), "TypeError", all);
  const where =
    /needs to know where the server is: Cache\.connect\(\{ remote: "127\.0\.0\.1:28056" \}\), or local/;
  for (const nothing of [undefined, {}, { patienceMs: 1 }, "127.0.0.1:28056"]) {
    await refused(connect(nothing), "TypeError", where);
  }
  await refused(
    connect({ remote: 28056 }),
    "TypeError",
    /28056: not host:port/,
  );
  await refused(
    connect({ remote: "http://cache:28056" }),
    "TypeError",
    /remote "http:\/\/cache:28056": an address is host:port, without http:\/\/; write cache:28056/,
  );
  await refused(
    connect({ local: "cache" }),
    "TypeError",
    /local "cache": not host:port, such as cache:28056/,
  );
  for (const patienceMs of [-1, NaN]) {
    await refused(
      connect({ remote, patienceMs }),
      "RangeError",
      /patienceMs must be milliseconds, 0 or more, not (-1|NaN)/,
    );
  }
  await refused(
    connect({ remote, patienceMs: "10s" }),
    "TypeError",
    /patienceMs must be milliseconds, 0 or more, not a string/,
  );
  await refused(
    connect({ remote, patience: 5 }),
    "TypeError",
    /no option patience: did you mean patienceMs\?/,
  );
  await refused(
    connect({ remotes: remote }),
    "TypeError",
    /no option remotes: did you mean remote\?/,
  );
  await refused(connect({ remote, onOutage: 1 }), "TypeError", /a function/);
  await refused(() => memory(wrong(undefined)), "TypeError", /maxBytes/);
  await refused(
    () => new TieredCache([memory({ maxBytes: 1 })], wrong({ onoutage: 1 })),
    "TypeError",
    /did you mean onOutage\?/,
  );
  await using _forever = await Cache.connect({ remote, patienceMs: Infinity });
});

Deno.test("when the namespace or the key is none: calls refuse options that would be overlooked", async () => {
  await using cache = new TieredCache([memory({ maxBytes: 10_000 })]);
  const calls: Record<string, (options: unknown) => unknown> = {
    generate: (options) => cache.generate("a", 1, () => 1, wrong(options)),
    get: (options) => cache.get("a", 1, wrong(options)),
    set: (options) => cache.set("a", 1, 1, wrong(options)),
    claim: (options) => cache.claim("a", 1, wrong(options)),
    getStream: (options) => cache.getStream("a", 1, wrong(options)),
    setStream: (options) =>
      cache.setStream("a", 1, new Uint8Array(), wrong(options)),
    generateStream: (options) =>
      cache.generateStream("a", 1, () => new Uint8Array(), wrong(options)),
  };
  for (const call of Object.values(calls)) {
    for (const deadlineMs of [NaN, -1]) {
      const message = /deadlineMs must be milliseconds, 0 or more, not/;
      await refused(() => call({ deadlineMs }), "RangeError", message);
    }
    const slip = /no option deadLine_ms: did you mean deadlineMs\?/;
    await refused(() => call({ deadLine_ms: 1 }), "TypeError", slip);
    const list = /no option retries: give some of signal, deadlineMs, /;
    await refused(() => call({ retries: 1 }), "TypeError", list);
    await refused(() => call(null), "TypeError", /not null/);
    await refused(() => call({ wait: "yes" }), "TypeError", /true or false/);
    // A controller has a signal; and what is undefined is not given.
    await call(new AbortController());
    await call({ deadlineMs: undefined, signal: undefined, wait: undefined });
  }
  await refused(
    () => cache.generate("a", 2, wrong(5)),
    "TypeError",
    /compute must be a function, not 5/,
  );
  await refused(
    () => cache.generateStream("a", 2, wrong(undefined)),
    "TypeError",
    /produce must be a function, not undefined/,
  );
});

Deno.test("when the namespace or the key is none: streams say what bytes can be read of", async () => {
  await using cache = new TieredCache([memory({ maxBytes: 10_000 })]);
  const text = /must be bytes: a Uint8Array, .* not a string; .*TextEncoder/;
  const other = /must be bytes: a Uint8Array, .* not (5|undefined|an object)/;
  const sources: [unknown, RegExp][] = [
    ["text", text],
    [5, other],
    [undefined, other],
    [{}, other],
    [() => "text", text],
    [["text"], text],
    [[5], other],
  ];
  for (const [source, message] of sources) {
    await refused(
      () => cache.setStream("a", 1, wrong(source)),
      "TypeError",
      message,
    );
    await refused(
      () => cache.generateStream("a", 1, () => wrong(source)),
      "TypeError",
      message,
    );
    assert.equal(await cache.get("a", 1), undefined);
  }
  // Also where nothing is ever read of them.
  const nobody = { remote, patienceMs: 0, onOutage: () => {} };
  await using away = await Cache.connect(nobody);
  await refused(
    () => away.setStream("a", 1, wrong("text")),
    "TypeError",
    text,
  );
  const good = [
    () => new Uint8Array(2) as unknown as OnceReadable,
    [new Uint8Array(2)] as unknown as OnceReadable,
  ];
  for (const [key, source] of good.entries()) {
    assert.equal(await cache.setStream("a", key, source), true);
    const stream = await cache.getStream("a", key);
    assert.equal((await new Response(stream).bytes()).length, 2);
  }
});

Deno.test("JSON keeps -0 as 0, as its description says", () => {
  const { encode, decode } = json<number[]>();
  assert.deepEqual(decode(encode([-0])), [0]);
});

Deno.test("when the server stays away: a warning is given once for each reason, and not without end", () => {
  const lines: string[] = [];
  const { warn } = console;
  console.warn = (line: string) => lines.push(line);
  try {
    const outages = new Outages(undefined);
    const report = (
      tier: string,
      code: "full" | "unavailable",
      message: string,
    ) =>
      outages.report({
        tier,
        namespace: "a",
        error: new CacheError(code, message),
      });
    report("remote x", "unavailable", "no answer");
    report("remote x", "unavailable", "ECONNREFUSED");
    report("remote x", "full", "a value of 17 bytes is too large");
    report("remote x", "full", "a value of 18 bytes is too large");
    report("remote x", "full", "the disk is full");
    report("remote y", "full", "the disk is full");
    assert.deepEqual(lines, [
      "larder: going on without the cache: no answer",
      "larder: going on without the cache: a value of 17 bytes is too large",
      "larder: going on without the cache: the disk is full",
      "larder: going on without the cache: the disk is full",
    ]);
    for (let at = 0; at < 26; at++) {
      const letter = String.fromCharCode(97 + at);
      report("remote x", "full", letter);
    }
    assert.equal(lines.length, 21);
    assert.match(lines.at(-1)!, /no more is said .*onOutage hears of all/);
  } finally {
    console.warn = warn;
  }
});
