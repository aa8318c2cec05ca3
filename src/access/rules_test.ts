import assert from "node:assert/strict";
import type { Caller } from "./caller.ts";
import { parseRules } from "./rules.ts";

const HASH = "0".repeat(64);
const TOKEN = `[[token]]\nname = "ci"\nsha256 = "${HASH}"\n`;

Deno.test("parseRules reads tokens, certificates and what anyone may", () => {
  const { tokens, certificates, anyone } = parseRules(`
${TOKEN}read = ["*"]
write = ["ci.*", "x"]
expires = 2027-01-01T00:00:00Z

[[certificate]]
name = "spiffe://a/b"
admin = ["a"]

[anyone.remote]
read = ["public.*"]
`);
  const ci = tokens.get(HASH)!;
  assert.equal(ci.name, "ci");
  assert.equal(ci.expiresMs, Date.UTC(2027, 0, 1));
  const may = (namespace: string) =>
    (["read", "write", "admin"] as const).filter((right) =>
      ci.may(right, namespace)
    );
  assert.deepEqual(may("ci.a"), ["read", "write"]);
  assert.deepEqual(may("ci.a.b"), ["read", "write"]);
  assert.deepEqual(may("x"), ["read", "write"]);
  for (const other of ["ci", "cia", "x.y", "y"]) {
    assert.deepEqual(may(other), ["read"], other);
  }
  assert.ok(ci.mayEverywhere("read") && !ci.mayEverywhere("write"));
  assert.ok(ci.mayAnywhere("write") && !ci.mayAnywhere("admin"));
  const alice = certificates.get("spiffe://a/b")!;
  assert.ok(alice.may("write", "a") && !alice.mayEverywhere("read"));
  assert.notEqual(alice.name, "spiffe://a/b");
  assert.deepEqual(anyone, {
    remote: { rights: { read: ["public.*"] }, limits: {} },
  });
});

Deno.test("the right to watch is its own, and part of administering everything", () => {
  const watches = (rights: string) =>
    parseRules(TOKEN + rights).tokens.get(HASH)!;
  const watcher = watches("watch = true");
  assert.ok(watcher.mayWatch && !watcher.mayAnywhere("read"));
  assert.ok(watches('admin = ["*"]').mayWatch);
  for (const rights of ["watch = false", 'admin = ["a.*"]', 'write = ["*"]']) {
    assert.ok(!watches(rights).mayWatch, rights);
  }
  const { anyone } = parseRules("[anyone.http]\nwatch = true");
  assert.deepEqual(anyone, { http: { rights: { watch: true }, limits: {} } });
});

Deno.test("parseRules says what is wrong, and never takes half of a file", () => {
  const mistakes: [string, RegExp][] = [
    ["[[tokens]]", /no such key: tokens/],
    ["token = 1", /write \[\[token\]\] above each/],
    ['[[token]]\nname = "a"', /token 1: sha256 must be 64 digits/],
    [`${TOKEN}sha = "1"`, /token 1: no such key: sha; rights are/],
    [`${TOKEN}read = "*"`, /read must be a list of namespaces/],
    [`${TOKEN}read = ["a*"]`, /read must be a list of namespaces/],
    [`${TOKEN}read = [""]`, /read must be a list of namespaces/],
    [`${TOKEN}expires = "soon"`, /expires must be a time/],
    [`${TOKEN}${TOKEN}`, /token 2: its sha256 is there twice/],
    [`[[token]]\nsha256 = "${HASH}"`, /token 1: name must be a text/],
    ['[[certificate]]\nname = "a"\nexpires = 1', /no such key: expires/],
    ["[anyone.page]", /anyone.page: there are anyone.local, .*anyone.http/],
    [`${TOKEN}watch = "*"`, /token 1: watch must be true or false/],
    ["[[", /line 1/],
    ["limits = 1", /^limits must be a table/],
    ["[limits]\ncall = 1", /^limits: no such key: call; there are calls, /],
    ["[limits]\ncalls = 0", /^limits: calls must be a whole number/],
    ['[limits]\ncalls = "1"', /^limits: calls must be a whole number/],
    ["[limits]\nhandles = 1.5", /^limits: handles must be a whole number/],
    ['[limits]\nupload-rate = "1MB"', /^limits: upload-rate: not a size/],
    ['[limits]\nupload-rate = "63KiB"', /a size, .* of 64KiB at least/],
    [`${TOKEN}limits = { calls = -1 }`, /^token 1: limits: calls must be/],
    ["[anyone.local]\nlimits = []", /^anyone.local: limits must be a table/],
  ];
  for (const [text, reason] of mistakes) {
    assert.throws(() => parseRules(text), {
      name: "StartError",
      message: reason,
    });
  }
});

Deno.test("parseRules reads limits: the usual ones, those of each caller, and of anybody", () => {
  const token = (name: string, hash: string, more = "") =>
    `[[token]]\nname = "${name}"\nsha256 = "${hash.repeat(64)}"\n${more}\n`;
  const { tokens, certificates, anyone } = parseRules(`
[limits]
calls = 2
handles = 3

${token("usual", "0")}
${token("own", "1", "limits = { calls = 1, assignments = 4 }")}
${token("free", "2", 'limits = { calls = "unlimited" }')}

[[certificate]]
name = "builder"

[anyone.local]
limits = { upload-rate = "1MiB" }
`);
  const mostOf = (caller: Caller) =>
    (["calls", "assignments", "handles"] as const).map((what) => {
      const over = (held: number) => caller.over(what, held) !== undefined;
      return [...Array(9).keys()].find(over);
    });
  const of = (hash: string) => mostOf(tokens.get(hash.repeat(64))!);
  assert.deepEqual(of("0"), [2, undefined, 3]);
  assert.deepEqual(of("1"), [1, 4, 3]);
  assert.deepEqual(of("2"), [undefined, undefined, 3]);
  assert.deepEqual(mostOf(certificates.get("builder")!), [2, undefined, 3]);
  assert.deepEqual(anyone, {
    local: { rights: {}, limits: { uploadBytes: 1024 ** 2 } },
  });
});
