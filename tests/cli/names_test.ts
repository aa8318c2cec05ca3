/** What larder prints as a key or a namespace can be given back to it. */

import assert from "node:assert/strict";
import { Cache } from "../../src/client/mod.ts";
import { printedKey } from "../../src/cli/printed_key.ts";
import { hostedShells } from "./hosted_larder.ts";
import { larderCommand, type Shell } from "./support.ts";

const withShell = await hostedShells();

const text = (value: string) => new TextEncoder().encode(value);

async function put(shell: Shell, ...key: string[]): Promise<void> {
  await shell.write("value", key.at(-1)!);
  await shell.ok("put", "--ns", "a", ...key, "value");
}

Deno.test("printedKey knows what ls and run print from text", () => {
  const cases: [string, string | undefined, boolean?][] = [
    ["hex:00ff", "00ff", false],
    ["HEX:00FF", "00ff", false],
    ["hex:", "", false],
    ["hex:0", "0", true],
    ["hex:3f2a…", "3f2a", true],
    ["3f2a91c0…", "3f2a91c0", true],
    ["3f2a91c0...", "3f2a91c0", true],
    ["3f2a91c0", undefined],
    ["20261128", undefined],
    ["hex:run", undefined],
    ["run-17", undefined],
    ["…", undefined],
    ["", undefined],
  ];
  for (const [word, digits, isCut] of cases) {
    assert.deepEqual(
      printedKey(word),
      digits === undefined ? undefined : { digits, isCut },
      word,
    );
  }
});

Deno.test("a key that begins with - is given after --", () =>
  withShell(async (shell) => {
    await shell.write("value", "dashed");
    for (const key of ["-key", "--ns", "--", "-"]) {
      await shell.ok("put", "--ns", "a", "--", key, "value");
      assert.equal(await shell.ok("get", "--ns", "a", "--", key), "dashed");
      const stat = await shell.ok("stat", "--ns", "a", "--json", "--", key);
      assert.equal(JSON.parse(stat).key, key);
      await shell.ok("rm", "--ns", "a", "--", key);
      const { code } = await shell.run(["get", "--ns", "a", "--", key]);
      assert.equal(code, 1, `${key} is removed`);
    }
    const { code, stderr } = await shell.run(["get", "--ns", "a", "-key"]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^larder: unknown flag -k: .*; a KEY that begins with - comes after --$/m,
    );
    for (const command of ["ls", "verify"]) {
      await shell.ok(command, "--", "a");
    }
    for (const command of ["status", "usage", "gc", "top"]) {
      const { code, stderr } = await shell.run([command, "--", "-x"]);
      assert.deepEqual([code, stderr], [
        2,
        "larder: -x is one word too many\n",
      ]);
    }
  }));

Deno.test("stat, get and rm take the keys that ls and run print", () =>
  withShell(async (shell) => {
    await put(shell, "--key-hex", "00ff");
    await put(shell, "--key-hex", "3f2a910000000001");
    await put(shell, "--key-hex", "3f2a910000000002");
    await put(shell, "--key-hex", "68657831");
    const printed = (await shell.ok("ls", "a")).split("\n")
      .map((line) => line.split("  ").at(-1)!);
    assert(printed.includes("hex:00ff"), `${printed}`);
    for (const key of ["hex:00ff", "hex:00", "hex:0", "00ff…", "hex:00ff…"]) {
      assert.equal(await shell.ok("get", "--ns", "a", key), "00ff", key);
    }
    assert.match(
      await shell.ok("stat", "--ns", "a", "hex:3f2a910000000001"),
      /^key +hex:3f2a910000000001$/m,
    );
    // Nothing is removed where several may be meant.
    for (const key of ["hex:3f2a91", "3f2a9100…"]) {
      const { code, stderr } = await shell.run(["rm", "--ns", "a", key]);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^larder: several keys begin with 3f2a91.*: hex:3f2a910000000001, hex:3f2a910000000002; give more of the digits/,
      );
    }
    const { stderr } = await shell.run(["rm", "--ns", "a", "hex:00"]);
    assert.equal(stderr, "larder: a hex:00ff: removed\n");
    const again = await shell.run(["rm", "--ns", "a", "hex:00"]);
    assert.deepEqual(
      [again.code, again.stderr],
      [1, "larder: a hex:00: not there\n"],
    );

    const command = ["run", "--ns", "a", "--", "echo", "said"];
    const ran = await shell.run(command);
    const short = /computed a (\S+) /.exec(ran.stderr)![1]!;
    assert.match(short, /^[0-9a-f]{8}…$/);
    const digits = short.slice(0, -1);
    for (const looking of ["stat", "get", "rm"]) {
      const bare = await shell.run([looking, "--ns", "a", digits]);
      assert.equal(bare.code, 1);
      assert(
        bare.stderr.endsWith(
          `; if these are the first digits of a key: hex:${digits}\n`,
        ),
        bare.stderr,
      );
    }
    for (const key of [short, `hex:${digits}`]) {
      assert.match(
        await shell.ok("stat", "--ns", "a", key),
        new RegExp(`^key +hex:${digits}[0-9a-f]{56}$`, "m"),
      );
    }
    await shell.ok("rm", "--ns", "a", short);
    assert.match((await shell.run(command)).stderr, /computed/);
  }));

Deno.test("half a byte of a key is none of the keys before it", () =>
  withShell(async (shell) => {
    const kept = ["", "ab", "abcd"];
    for (const key of kept) await put(shell, "--key-hex", key);
    const looked = [
      ...["f", "abd", "abcde", "0".repeat(65)].map((digits) => ["rm", digits]),
      ...[["get", "abd"], ["stat", "abd"]],
    ] as [string, string][];
    for (const [command, digits] of looked) {
      const { code, stdout, stderr } = await shell.run([
        ...[command, "--ns", "a", `hex:${digits}`],
      ]);
      assert.deepEqual(
        [code, stdout, stderr],
        [1, "", `larder: a hex:${digits}…: not there\n`],
        command,
      );
    }
    // Of a key that is there, it is the beginning.
    assert.equal(await shell.ok("get", "--ns", "a", "hex:abc"), "abcd");
    const left = (await shell.ok("ls", "a")).match(/hex:\S*/g);
    assert.deepEqual(left, kept.map((key) => `hex:${key}`));
  }));

Deno.test("a key that is empty, or cut off where it has to be whole, is refused", () =>
  withShell(async (shell) => {
    await shell.write("empty", "");
    const wrong: [string[], RegExp][] = [
      [
        ["put", ""],
        /KEY is empty, as of a variable that is not set; .*--key-hex ''/,
      ],
      [["put", "--key-file", "empty"], /--key-file empty: it is empty/],
      [["get", ""], /KEY is empty/],
      [["get", "hex:xy"], /after hex: come hexadecimal digits/],
      [["put", "3f2a91c0…"], /put needs the whole key/],
      [["put", "hex:abc"], /put needs the whole key/],
    ];
    for (const [[command, ...key], message] of wrong) {
      const { code, stderr } = await shell.run([
        ...[command!, "--ns", "a", ...key],
      ]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
    // It is a key like any other for whoever means it.
    await put(shell, "--key-hex", "");
    assert.match(await shell.ok("ls", "a"), / hex:\n$/);
    assert.equal(await shell.ok("get", "--ns", "a", "hex:"), "");
  }));

Deno.test("ls lists what is below a namespace, and says where there is something", () =>
  withShell(async (shell) => {
    for (const ns of ["sw.a", "sw.b.c", "swap", "other"]) {
      const args = ["put", "--ns", ns, "k"];
      assert.equal((await shell.run(args, { stdin: text("v") })).code, 0);
    }
    const names = async (...args: string[]) =>
      (await shell.ok("ls", ...args)).match(/(?<= {2})[a-z.]+(?= {2}k$)/gm);
    assert.deepEqual(await names("sw.*"), ["sw.a", "sw.b.c"]);
    assert.deepEqual(await names("sw.b.*"), ["sw.b.c"]);
    assert.deepEqual(await names("*"), ["other", "sw.a", "sw.b.c", "swap"]);
    // Work that somebody has, or has left, is an entry, too.
    await using cache = await Cache.connect({ remote: shell.server.remote });
    const key = text("k");
    for (const ns of ["only.work", "swop"]) await cache.claim(ns, key);
    const all = ["only.work", "other", "sw.a", "sw.b.c", "swap", "swop"];
    assert.deepEqual(await names(), all);
    assert.deepEqual(await names("*"), all);
    assert.doesNotMatch(await shell.ok("usage"), /only\.work|swop/);
    assert.deepEqual(await names("--ns", "sw.b.*"), ["sw.b.c"]);
    const both = await shell.run(["ls", "a", "--ns", "a"]);
    assert.deepEqual(
      [both.code, both.stderr],
      [
        2,
        "larder: a: the namespace is given as NS or as --ns NS, not as both\n",
      ],
    );
    const said = async (word: string) => (await shell.run(["ls", word])).stderr;
    assert.equal(
      await said("sw"),
      "larder: 0 entries, 0 B\nlarder: there is nothing in sw, but in sw.a, " +
        "sw.b.c: larder ls 'sw.*' lists all below sw\n",
    );
    assert.match(await said("othar"), /nothing in othar, but in other\n$/);
    assert.equal(await said("zz"), "larder: 0 entries, 0 B\n");
    const { code, stderr } = await shell.run(["ls", "a-b"]);
    assert.equal(code, 2);
    assert.match(stderr, /invalid namespace "a-b".*; a_b would do/);
    const verified = await shell.ok("verify", "--ns", "sw.*");
    assert.match(verified, /^2 values, 2 B: none damaged\n/);
  }));

Deno.test("stat of work in progress says so, and claims no size", () =>
  withShell(async (shell) => {
    const [command, ...first] = larderCommand("run", "--ns", "a");
    const child = new Deno.Command(command!, {
      args: [
        ...first,
        "--",
        "sh",
        "-c",
        "echo started >&2; exec sleep 60",
      ],
      env: shell.env,
      cwd: shell.folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reader = child.stderr.getReader();
    let said = "";
    while (!said.includes("started")) {
      said += new TextDecoder().decode((await reader.read()).value);
    }
    const [entry] = (await shell.ok("ls", "a", "--json")).trim().split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual([entry.status, entry.size], ["loading", null]);
    const stat = await shell.ok("stat", "--ns", "a", `hex:${entry.key_hex}`);
    assert.match(stat, /^status +loading: being computed$/m);
    assert.match(stat, /^size +-$/m);
    child.kill("SIGTERM");
    await reader.cancel();
    await child.status;
  }));
