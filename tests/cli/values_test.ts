/** get, put, stat, ls, usage, rm and gc. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { sha256Hex } from "../../workers/digest.ts";
import { outputOf } from "../client/npm_package.ts";
import { hostedShells } from "./hosted_larder.ts";

const withShell = await hostedShells();

const SIZE = 700_001;

Deno.test("put and get carry bytes exactly, from files and pipes, through both listeners", () =>
  withShell(async (shell) => {
    const value = new Uint8Array(randomBytes(SIZE));
    await shell.write("value", value);
    await shell.ok("put", "--ns", "a.b", "one", "value");
    const local = {
      env: { LARDER_REMOTE: "", LARDER_LOCAL: shell.server.local },
    };
    const piped = await shell.run(["put", "--ns", "a.b", "--key-hex", "00ff"], {
      ...local,
      stdin: value,
    });
    assert.equal(piped.code, 0, piped.stderr);
    for (const key of [["one"], ["--key-hex", "00FF"]]) {
      for (const options of [{}, local]) {
        const got = await shell.run(["get", "--ns", "a.b", ...key], options);
        assert.equal(got.code, 0, got.stderr);
        assert.deepEqual(got.bytes, value);
      }
    }
    await shell.ok("get", "--ns", "a.b", "one", "-o", "deep/er/file");
    const file = await Deno.readFile(`${shell.folder}/deep/er/file`);
    assert.deepEqual(file, value);
  }));

Deno.test("put opens a pipe once, so that nothing of it is lost", () =>
  withShell(async (shell) => {
    await outputOf("mkfifo", [`${shell.folder}/pipe`]);
    // Ends as soon as somebody has opened the pipe.
    const writing = outputOf("sh", [
      "-c",
      'echo hi > "$1"',
      "sh",
      `${shell.folder}/pipe`,
    ]);
    await shell.ok("put", "--ns", "a", "k", "pipe");
    await writing;
    assert.equal(await shell.ok("get", "--ns", "a", "k"), "hi\n");
  }));

Deno.test("stat, ls, usage, rm and gc say what there is, to people and to scripts", () =>
  withShell(async (shell) => {
    await shell.write("value", "hello\n");
    await shell.write("key", "from a file");
    const put = await shell.json("put", "--ns", "sim", "k 1", "value");
    assert.deepEqual(put, {
      namespace: "sim",
      key_hex: "6b2031",
      size: 6,
      stored: true,
    });
    const again = await shell.json("put", "--ns", "sim", "k 1", "value");
    assert.equal(again["stored"], false);
    await shell.ok("put", "--ns", "sim", "--key-file", "key", "value");
    await shell.ok(
      "put",
      "--ns",
      "other",
      "--key-json",
      '{"b":1,"a":2}',
      "value",
    );
    const sameKey = '{"a": 2, "b": 1.0}';
    assert.equal(
      await shell.ok("get", "--ns", "other", "--key-json", sameKey),
      "hello\n",
    );

    const stat = await shell.json("stat", "--ns", "sim", "k 1");
    assert.equal(stat["status"], "ready");
    assert.equal(stat["size"], 6);
    assert.equal(stat["sha256"], sha256Hex("hello\n"));
    assert.equal(stat["key"], "k 1");
    assert.match(
      await shell.ok("stat", "--ns", "sim", "k 1"),
      /6 B \(6 bytes\)/,
    );

    const lines = (await shell.ok("ls", "--json")).trim().split("\n");
    const entries = lines.map((line) => JSON.parse(line));
    assert.deepEqual(
      entries.map(({ namespace, key }) => [namespace, key]),
      [["other", undefined], ["sim", "from a file"], ["sim", "k 1"]],
    );
    assert.match(await shell.ok("ls", "sim"), /6 B .* sim {2}k 1\n$/);

    const { bytes, namespaces } = await shell.json("usage");
    assert.equal(bytes, 18);
    assert.deepEqual(namespaces, [
      { namespace: "other", entries: 1, bytes: 6 },
      { namespace: "sim", entries: 2, bytes: 12 },
    ]);
    assert.match(await shell.ok("usage"), /^in all +3 +18 B$/m);

    assert.match(await shell.ok("gc"), /^0 entries evicted/);
    const rm = await shell.json("rm", "--ns", "sim", "k 1");
    assert.equal(rm["deleted"], true);
    for (const command of ["rm", "get", "stat"]) {
      const { code, stderr } = await shell.run([command, "--ns", "sim", "k 1"]);
      assert.deepEqual([code, stderr], [1, "larder: sim k 1: not there\n"]);
    }
    await shell.write("value", "new");
    await shell.ok(
      "put",
      "--ns",
      "sim",
      "--key-file",
      "key",
      "value",
      "--replace",
    );
    assert.equal(await shell.ok("get", "--ns", "sim", "from a file"), "new");
  }));

Deno.test("gc evicts what is over the limits", () =>
  withShell(async (shell) => {
    await shell.write("value", "x".repeat(1000));
    for (const key of ["1", "2", "3", "4"]) {
      await shell.ok("put", "--ns", "sim", key, "value");
    }
    const { evicted_entries: swept } = await shell.json("gc");
    const { entries, evicted_entries: evicted } = await shell.json("usage");
    assert.equal(typeof swept, "number");
    assert(Number(entries) <= 2);
    assert.equal(Number(entries) + Number(evicted), 4);
  }, ["--max-entries", "2"]));

Deno.test("wrong words and servers that are away have exit codes of their own", () =>
  withShell(async (shell) => {
    const wrong: [string[], RegExp][] = [
      [["gte"], /^larder: unknown command gte: did you mean get\?\n$/],
      [
        ["nope"],
        /^larder: unknown command nope: --help lists what there is\n$/,
      ],
      [["--ns", "a", "get", "k"], /--ns: the command comes first, then its/],
      [["help", "gte"], /unknown command gte/],
      [["get", "k"], /--ns is missing/],
      [["get", "--ns", "a", "--ns", "b", "k"], /--ns is given twice, as a and/],
      [["get", "--ns", "a", "k", "-o", ""], /--output is empty/],
      [
        ["get", "--ns", "a", "k", "-o", "new/"],
        /--output new\/: a folder's name/,
      ],
      [["put", "--ns", "a", "k", ""], /FILE is empty/],
      [["doctor", ""], /ROOT is empty/],
      [["get", "--ns", "a"], /which key\?/],
      [["get", "--ns", "a", "k", "more"], /more is one word too many/],
      [["get", "--ns", "a/b", "k"], /invalid namespace/],
      [["get", "--ns", "a", "--key-hex", "0"], /two digits a byte/],
      [["get", "--ns", "a", "--key-json", "{"], /--key-json/],
      [["get", "--ns", "a", "--key-json", "1", "--key-hex", "00"], /one key/],
      [["ls", "--jsn"], /did you mean --json\?/],
      [["put", "--ns", "a", "k", "missing"], /cannot read missing/],
      [["run", "--ns", "a", "echo"], /write -- before the command/],
      [["run", "--ns", "a", "--key-file", "missing", "--", "true"], /missing/],
    ];
    for (const [args, message] of wrong) {
      const { code, stderr, stdout } = await shell.run(args);
      assert.deepEqual([code, stdout], [2, ""], `${args}: ${stderr}`);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
    for (const command of ["get", "stat"]) {
      const args = [command, "--ns", "a", "k", "--remote", "127.0.0.1:1"];
      const { code, stderr } = await shell.run(args);
      assert.equal(code, 3, stderr);
      assert.match(stderr, /^larder: .*127\.0\.0\.1:1.*ECONNREFUSED.*\n$/);
    }
    const overview = await shell.ok("--help");
    for (const name of ["run", "doctor", "serve", "recover"]) {
      assert.match(overview, new RegExp(`^  larder ${name} `, "m"));
    }
    const nothing = await shell.run([]);
    assert.deepEqual([nothing.code, nothing.stdout], [2, ""]);
    assert.equal(nothing.stderr, overview);
    const help = await shell.ok("get", "--help");
    for (const line of help.split("\n")) assert(line.length <= 80, line);
    assert.match(help, /--key-json JSON/);
    assert.equal(await shell.ok("help"), overview);
    assert.equal(await shell.ok("help", "get"), help);
    assert.match(await shell.ok("help", "serve"), /--max-bytes/);
    assert.equal(await shell.ok("version"), await shell.ok("--version"));
  }));

Deno.test("a namespace that is none is refused, whether or not a server is there", () =>
  withShell(async (shell) => {
    const away = { LARDER_LOCAL: "", LARDER_REMOTE: "127.0.0.1:1" };
    for (
      const [namespace, proposal] of [
        ["a-b", "a_b"],
        ["7nm.top", "_7nm.top"],
        ["a..b", "a.b"],
        ["ü", "_"],
        [".", "sim.ring_osc"],
      ]
    ) {
      for (const env of [{}, away]) {
        const run = ["run", "--ns", namespace!, "--", "echo", "said"];
        const { code, stdout, stderr } = await shell.run(run, { env });
        assert.deepEqual([code, stdout], [2, ""], stderr);
        assert(stderr.includes(`invalid namespace "${namespace}"`), stderr);
        assert(stderr.includes(`; ${proposal} would do`), stderr);
      }
    }
  }));

Deno.test("put says that another value stays", () =>
  withShell(async (shell) => {
    const put = (text: string) =>
      shell.run(["put", "--ns", "a", "k"], {
        stdin: new TextEncoder().encode(text),
      });
    assert.match((await put("one")).stderr, /3 B .*stored/);
    const { code, stderr } = await put("another");
    assert.equal(code, 0);
    assert.match(stderr, /are there already, and stay; --replace puts yours/);
  }));

Deno.test("put keeps a value for a time, and stat says for how long", () =>
  withShell(async (shell) => {
    await shell.write("value", "v");
    await shell.ok("put", "--ns", "a", "k", "value", "--ttl", "2h");
    const stat = await shell.json("stat", "--ns", "a", "k");
    const leftMs = Number(stat["expires_ms"]) - Date.now();
    assert(leftMs > 0 && leftMs <= 7_200_000, `${leftMs}`);
    assert.match(
      await shell.ok("stat", "--ns", "a", "k"),
      /^expires +in 2 h$/m,
    );
    await shell.ok("put", "--ns", "a", "ever", "value");
    assert.match(await shell.ok("stat", "--ns", "a", "ever"), /expires +never/);
    const { code, stderr } = await shell.run(
      ["put", "--ns", "a", "z", "value", "--ttl", "0s"],
    );
    assert.equal(code, 2, stderr);
    assert.match(await shell.ok("usage"), /hits? that saved/);
  }));
