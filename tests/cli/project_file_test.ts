/** larder.toml, found upwards. */

import assert from "node:assert/strict";
import { hostedShells } from "./hosted_larder.ts";
import type { Ended, Shell } from "./support.ts";

const withShell = await hostedShells();

/** Runs `larder` in a folder below, without a server in the environment. */
function below(
  shell: Shell,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  return shell.below("a/b").run(args, { env: { LARDER_REMOTE: "", ...env } });
}

Deno.test("larder.toml says where the server is, and what is wanted of run", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/a/b`, { recursive: true });
    await shell.write(
      "larder.toml",
      `remote = "${shell.server.remote}"
namespace = "chip"
[run]
key = ["flow 7"]
cache-failures = true
timeout = "5m"
`,
    );
    const run = ["run", "--", "sh", "-c", "echo ran; exit 3"];
    assert.match((await below(shell, run)).stderr, /computed chip .* stored/);
    const hit = await below(shell, run);
    assert.deepEqual([hit.code, hit.stdout], [3, "ran\n"]);
    assert.match(hit.stderr, /hit chip/);
    // What is said on the command line comes before, or is added.
    const other = await below(shell, [run[0]!, "--ns", "sim", ...run.slice(1)]);
    assert.match(other.stderr, /computed sim/);
    const keyed = await below(shell, [run[0]!, "--key", "x", ...run.slice(1)]);
    assert.match(keyed.stderr, /computed chip/);
    await below(shell, ["put", "key", "/dev/null"]);
    assert.match((await below(shell, ["ls", "chip"])).stdout, /key/);
    const env = { LARDER_REMOTE: "127.0.0.1:1" };
    assert.match(
      (await below(shell, run, env)).stderr,
      /without the cache: 127/,
    );
    // The nearest one counts, alone.
    await shell.write("a/larder.toml", 'namespace = "near"\n');
    const near = await below(shell, run, {
      LARDER_REMOTE: shell.server.remote,
    });
    assert.match(near.stderr, /exit code 3, not kept: near/);
    const off = await below(shell, run, { LARDER: "off" });
    assert.deepEqual([off.code, off.stderr], [3, ""]);
  }));

Deno.test("a larder.toml that is no file is passed over, and that is said", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/a/b/larder.toml`, { recursive: true });
    const { code, stdout, stderr } = await below(shell, [
      ...["run", "--ns", "n", "--", "true"],
    ]);
    assert.deepEqual([code, stdout], [0, ""]);
    assert.match(stderr, /a\/b\/larder\.toml is no file, and not used/);
  }));

Deno.test("a larder.toml that says something else is a wrong command line", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/a/b`, { recursive: true });
    const wrong: [string, RegExp][] = [
      ['remot = "x:1"', /larder\.toml: remot: did you mean remote\?/],
      ['server = "x"', /no such setting; there are remote, local, namespace/],
      ["namespace = 1", /larder\.toml: namespace: not a text/],
      ["namespace = ", /larder\.toml: .*line 1/],
      ['[run]\nout = "x"', /larder\.toml: run\.out: no such .* run\.timeout,/],
      ['[run]\nquiet = "yes"', /larder\.toml: run\.quiet: neither true nor/],
      ["[run]\nkey = [1]", /larder\.toml: run\.key: not a list of texts/],
      ["run = 1", /larder\.toml: run: not a table/],
      [
        'remote = "http://x"',
        /remote of larder\.toml http:\/\/x: an address is host:port/,
      ],
    ];
    for (const [text, message] of wrong) {
      await shell.write("larder.toml", text);
      const { code, stderr } = await below(shell, ["ls"]);
      assert.equal(code, 2, text);
      assert.match(stderr, message);
    }
    // Somebody else's.
    await shell.write("larder.toml", `remote = "${shell.server.remote}"`);
    try {
      await Deno.chown(`${shell.folder}/larder.toml`, 12_345, null);
    } catch {
      return console.log("skipped: files cannot be given away");
    }
    const { stderr } = await below(shell, ["stat", "--ns", "a", "k"]);
    assert.match(stderr, /larder\.toml is somebody else's, and not used/);
  }));

Deno.test("a timeout of a month is none of a millisecond, and one of 0 is refused", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/a/b`, { recursive: true });
    const file = (timeout: string) =>
      shell.write(
        "larder.toml",
        `remote = "${shell.server.remote}"\n[run]\ntimeout = "${timeout}"\n`,
      );
    const run = ["run", "--ns", "t", "--", "echo", "ran"];
    await file("30d");
    assert.match((await below(shell, run)).stderr, /computed t .* stored/);
    const hit = await below(shell, run);
    assert.match(hit.stderr, /^larder: hit t /);
    await file("0s");
    const none = await below(shell, run);
    assert.deepEqual([none.code, none.stdout], [2, ""]);
    assert.match(none.stderr, /--timeout 0s: write how long to wait for/);
  }));
