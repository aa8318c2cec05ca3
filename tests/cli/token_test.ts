/** Tokens are made so that their server takes them, or not at all. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parseRules } from "../../src/access/rules.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { type Ended, run } from "../confinement/support.ts";
import { larderCommand } from "./support.ts";

/** Runs `larder token`, in a shell that may send its output elsewhere. */
function token(
  folder: string,
  args: readonly string[],
  redirection = "",
): Promise<Ended> {
  const script = `umask 022; "$@" ${redirection}`;
  const words = larderCommand("token", ...args);
  return run("sh", ["-c", script, "sh", ...words], { cwd: folder });
}

Deno.test("a token has the rights that were said, and its server takes the file", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "access.toml");
  const args = ["new", "ci", "--file", "access.toml"];
  const rights = ["--write", "a", "--write", "b.*", "--read", "*", "--watch"];
  const { stdout } = await token(folder.path, [...args, ...rights]);
  await token(folder.path, [...args, "--admin", "*", "--expires", "30d"]);
  const { tokens } = parseRules(await Deno.readTextFile(path));
  assert.equal(tokens.size, 2);
  const caller = tokens.get(sha256Hex(stdout.trim()))!;
  assert.ok(caller.mayWatch && caller.may("write", "b.c"));
  assert.ok(caller.may("read", "c") && !caller.may("write", "c"));
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
});

Deno.test("what no server would take is refused before anything is written", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "access.toml");
  const others = { "other.toml": "[table]\nx = 1\n", "torn.toml": "[[token" };
  for (const [name, text] of Object.entries(others)) {
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  const fine = ["new", "ci", "--file", "access.toml"];
  const wrong: [readonly string[], RegExp][] = [
    [[...fine, "--write", "ci-*"], /write must be a list of namespaces/],
    [[...fine, "--read", ""], /read must be a list of namespaces/],
    [["new", "", "--file", "access.toml", "--read", "*"], /name must be a/],
    [["new", "a\nb", "--file", "access.toml", "--read", "*"], /name must be/],
    [[...fine, "--read", "*", "--expires", "1s"], /too short.*1m at least/],
    [fine, /without rights is of no use/],
    [
      ["new", "ci", "--file", ".", "--read", "*"],
      /cannot read \.: .*directory/,
    ],
    [
      ["new", "ci", "--file", "other.toml", "--read", "*"],
      /other\.toml is no file of rights: no such key: table.*nothing was writ/,
    ],
    [
      ["new", "ci", "--file", "torn.toml", "--read", "*"],
      /torn\.toml is no file of rights: .*line 1/,
    ],
    [[...fine, "--read", "*", "--ca", "x"], /unknown flag --ca/],
  ];
  await Promise.all(wrong.map(async ([args, says]) => {
    const { code, stdout, stderr } = await token(folder.path, args);
    assert.deepEqual([code, stdout], [2, ""], `${args}: ${stderr}`);
    assert.match(stderr, says);
  }));
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  for (const [name, text] of Object.entries(others)) {
    assert.equal(await Deno.readTextFile(join(folder.path, name)), text);
  }
  // A token that nobody has got has no rights either.
  const args = [...fine, "--read", "*"];
  const full = await token(folder.path, args, "> /dev/full");
  assert.equal(full.code, 1, full.stderr);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  const { stdout: help } = await token(folder.path, ["--help"]);
  assert.doesNotMatch(help, /--(remote|ca|json)\b/);
});

Deno.test("a token has a file of its own that nobody else could read at any time", async () => {
  await using folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const args = ["new", "ci", "--file", "access.toml", "--read", "*"];
  const made = await token(folder.path, [...args, "--out", "ci.token"]);
  assert.deepEqual([made.code, made.stdout], [0, ""], made.stderr);
  const secret = await Deno.readTextFile(path("ci.token"));
  assert.match(secret, /^[\w-]{43}\n$/);
  assert.doesNotMatch(made.stderr, new RegExp(secret.trim()));
  const { tokens } = parseRules(await Deno.readTextFile(path("access.toml")));
  assert.ok(tokens.has(sha256Hex(secret.trim())));
  assert.equal((await Deno.stat(path("ci.token"))).mode! & 0o777, 0o600);
  // Of what is there, somebody else may be the owner, or read it already.
  await Deno.symlink(path("elsewhere"), path("link"));
  const before = await Deno.readTextFile(path("access.toml"));
  for (const name of ["ci.token", "link", "access.toml", "none/ci.token"]) {
    const { code, stderr } = await token(folder.path, [...args, "--out", name]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`cannot write ${name}: `));
  }
  assert.equal(await Deno.readTextFile(path("ci.token")), secret);
  assert.equal(await Deno.readTextFile(path("access.toml")), before);
  await assert.rejects(Deno.stat(path("elsewhere")), Deno.errors.NotFound);
  const words = ["new", "ci", "--file", "new.toml", "--read", "*"];
  await token(folder.path, [...words, "--out", "new.toml"]);
  await assert.rejects(Deno.stat(path("new.toml")), Deno.errors.NotFound);
});

Deno.test("a token that goes to a file of the shell's is said to be for all who read that", async () => {
  await using folder = await temporaryFolder();
  const args = ["new", "ci", "--file", "access.toml", "--read", "*"];
  const into = (redirection: string) => token(folder.path, args, redirection);
  assert.match((await into("> ci.token")).stderr, /others may read .*--out/);
  await Deno.chmod(join(folder.path, "ci.token"), 0o600);
  for (const redirection of ["> ci.token", ""]) {
    assert.doesNotMatch((await into(redirection)).stderr, /others may read/);
  }
  const { code, stderr } = await token(folder.path, [...args, "b"]);
  assert.equal(code, 2);
  assert.match(stderr, /b is one word too many: .*--read a --read b/);
});
