/** A mistake of the program is an error that says what to give instead. */

import assert from "node:assert/strict";
import {
  Cache,
  codec,
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

/** Every call that takes a namespace, with its options. */
function callsOf(
  cache: Cache,
): Record<string, (options: unknown, namespace?: unknown) => unknown> {
  const of =
    (run: (namespace: string, options: ReturnType<typeof wrong>) => unknown) =>
    (options: unknown, namespace: unknown = "a") =>
      run(wrong(namespace), wrong(options));
  return {
    generate: of((ns, options) => cache.generate(ns, 1, () => 1, options)),
    generateDetailed: of((ns, options) =>
      cache.generateDetailed(ns, 1, () => 1, options)
    ),
    get: of((ns, options) => cache.get(ns, 1, options)),
    set: of((ns, options) => cache.set(ns, 1, 1, options)),
    getStream: of((ns, options) => cache.getStream(ns, 1, options)),
    setStream: of((ns, options) =>
      cache.setStream(ns, 1, new Uint8Array(), options)
    ),
    generateStream: of((ns, options) =>
      cache.generateStream(ns, 1, () => new Uint8Array(), options)
    ),
    claim: of((ns, options) => cache.claim(ns, 1, options)),
    stat: of((ns, options) => cache.stat(ns, 1, options)),
    delete: of((ns, options) => cache.delete(ns, 1, options)),
    invalidate: of((ns, options) => cache.invalidate(ns, options)),
    list: of((ns, options) => cache.list(ns, options).next()),
  };
}

/** What a value must be, and which values it is none of. */
const WRONG_OPTIONS: readonly (readonly [string, unknown, RegExp])[] = [
  ["signal", 5, /signal must be an AbortSignal, .*, not 5$/],
  ["signal", "now", /signal must be an AbortSignal, .*, not a string$/],
  [
    "signal",
    new AbortController(),
    /signal must be an AbortSignal, .* object$/,
  ],
  ["signal", null, /signal must be an AbortSignal, .*, not null$/],
  ["deadlineMs", "5", /deadlineMs must be milliseconds, .* not a string$/],
  ["codec", "json", /codec must be a codec, such as json\(\) .* not a string$/],
  ["codec", json, /codec must be a codec, such as json\(\) .* not a function$/],
  ["codec", { encode() {} }, /codec must be a codec, .* not an object$/],
  ["wait", 1, /wait must be true or false, not 1$/],
  ["overwrite", "no", /overwrite must be true or false, not a string$/],
  ["ttlMs", "1h", /ttlMs must be milliseconds, .* not a string$/],
  [
    "cacheErrors",
    "all",
    /cacheErrors must be true, false or a function, not a/,
  ],
  ["computeWhenDown", 0, /computeWhenDown must be true or false, not 0$/],
  ["onProgress", true, /onProgress must be a function, not a boolean$/],
  ["prefix", "run-", /prefix must be a Uint8Array, /],
  ["olderThanMs", "1d", /olderThanMs must be milliseconds, .* not a string$/],
  ["unreadForMs", {}, /unreadForMs must be milliseconds, .* not an object$/],
  ["dryRun", "yes", /dryRun must be true or false, not a string$/],
];

Deno.test("when the namespace or the key is none: each option of each call says what it must be", async () => {
  await using cache = await Cache.connect({ remote });
  for (const [name, call] of Object.entries(callsOf(cache))) {
    let refusals = 0;
    for (const [option, value, message] of WRONG_OPTIONS) {
      const error = await Promise.resolve().then(() =>
        call({ [option]: value })
      ).then(() => undefined, (error: unknown) => error as Error);
      assert(error instanceof TypeError, `${name} ${option}: ${error}`);
      if (/there is no option/.test(error.message)) continue;
      assert.match(error.message, message, name);
      refusals++;
    }
    assert(refusals >= 4, name);
    for (const namespace of [null, 5, ["a"]]) {
      await refused(
        () => call({}, namespace),
        "TypeError",
        /^the namespace must be a string, such as "sim.ring_osc", not /,
      );
    }
  }
  for (const key of [undefined, NaN, () => 1]) {
    await refused(
      () => cache.get("a", wrong(key)),
      wrong("CodecError"),
      /^key: .*, which JSON cannot say/,
    );
  }
});

Deno.test("when the namespace or the key is none: tiers, codecs and held work say what they need", async () => {
  for (const maxBytes of ["5", undefined, null]) {
    const message =
      /maxBytes must be bytes, 0 or more, not (a string|undef|null)/;
    await refused(() => memory(wrong({ maxBytes })), "TypeError", message);
  }
  await refused(() => memory({ maxBytes: -1 }), "RangeError", /not -1$/);
  const tiers: [unknown, RegExp][] = [
    [[], /the tiers must be a list of one or more, /],
    [undefined, /the tiers must be a list .* not undefined$/],
    [memory({ maxBytes: 1 }), /the tiers must be a list .* not an object$/],
    [[5], /tier 0 must be a cache, or memory\(\{ maxBytes \}\), not 5$/],
    [[Cache.connect({ remote })], /tier 0 must be .* a promise: await it$/],
  ];
  for (const [given, message] of tiers) {
    await refused(() => new TieredCache(wrong(given)), "TypeError", message);
  }
  for (const given of [undefined, "json", { name: "x" }]) {
    await refused(() => codec(wrong(given)), "TypeError", /codec needs an obj/);
  }
  await using cache = new TieredCache([memory({ maxBytes: 10_000 })]);
  const claim = await cache.claim("a", 1);
  assert(claim.kind === "assigned");
  const publish = (options: unknown) => () =>
    claim.held.publish(new Uint8Array(), wrong(options));
  await refused(publish({ signal: 5 }), "TypeError", /signal must be an Abort/);
  await refused(
    publish({ sig: 5 }),
    "TypeError",
    /no option sig: did you mean/,
  );
  await refused(
    publish({ expectedSize: "5" }),
    "TypeError",
    /expectedSize must be bytes, 0 or more, not a string$/,
  );
  // What was computed is the caller's, whatever becomes of it.
  const text = codec<string>({ ...json<string>(), encode: wrong(String) });
  assert.equal(await cache.generate("a", 2, () => "x", { codec: text }), "x");
  await refused(
    () => cache.set("a", 3, "x", { codec: text }),
    wrong("CodecError"),
    /^json: encode must give a Uint8Array, not a string$/,
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
