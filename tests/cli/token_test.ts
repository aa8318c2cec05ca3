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
  const script = `"$@" ${redirection}`;
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
