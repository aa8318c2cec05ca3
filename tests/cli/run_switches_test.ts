/** larder run with --force, --read-only and LARDER=off. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { hostedShells } from "./hosted_larder.ts";

const withShell = await hostedShells();

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

Deno.test("--force runs the command, and replaces what is kept", () =>
  withShell(async (shell) => {
    const line = "cat now; cp now o";
    const args = (...options: string[]) =>
      shellRun(line, "--out", "o", ...options);
    for (const now of ["1", "2", "3"]) {
      await shell.write("now", now);
      const { code, stdout, stderr } = await shell.run(args("--force"));
      assert.deepEqual([code, stdout], [0, now], stderr);
      assert.match(stderr, /computed sim .* stored/);
      await shell.write("o", "other");
      await shell.write("now", "later");
      const hit = await shell.run(args());
      assert.equal(hit.stdout, now);
      assert.match(hit.stderr, /hit/);
      assert.equal(await shell.read("o"), now);
    }
    // What fails replaces nothing.
    await Deno.remove(`${shell.folder}/now`);
    assert.equal((await shell.run(args("--force"))).code, 1);
    assert.equal((await shell.run(args())).stdout, "3");
  }));

Deno.test("--force takes nobody's work, and others have the old value until it ends", () =>
  withShell(async (shell) => {
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    // What it says comes after it has looked whether to wait.
    const line = "[ -e quick ] && exec cat now; cat now; read x < fifo";
    await shell.write("now", "old");
    await shell.write("quick", "");
    assert.match((await shell.run(shellRun(line))).stderr, /stored/);
    await Deno.remove(`${shell.folder}/quick`);
    await shell.write("now", "new");
    const forced = shell.start(shellRun(line, "--force"));
    const reader = forced.stdout.getReader();
    await reader.read();
    assert.equal((await shell.run(shellRun(line))).stdout, "old");
    await shell.write("fifo", "end\n");
    await reader.cancel();
    const stderr = await new Response(forced.stderr).text();
    assert.match(stderr, /stored/);
    await forced.status;
    assert.equal((await shell.run(shellRun(line))).stdout, "new");
    // While somebody computes it, it is theirs.
    const other = shellRun(`true; ${line}`);
    const first = shell.start(other);
    const said = first.stdout.getReader();
    await said.read();
    await shell.write("quick", "");
    const late = await shell.run([
      ...other.slice(0, 3),
      "--force",
      ...other.slice(3),
    ]);
    assert.equal(late.code, 0);
    assert.match(late.stderr, /not kept: somebody else runs the same/);
    await shell.write("fifo", "end\n");
    await said.cancel();
    assert.match(await new Response(first.stderr).text(), /stored/);
    await first.status;
  }));

Deno.test("--read-only has what is kept, and keeps nothing", () =>
  withShell(async (shell) => {
    const line = "echo ran >> log; echo said; echo o > o";
    const args = (...options: string[]) =>
      shellRun(line, "--out", "o", ...options);
    for (let runs = 0; runs < 2; runs++) {
      const { code, stdout, stderr } = await shell.run(args("--read-only"));
      assert.deepEqual([code, stdout], [0, "said\n"]);
      assert.match(stderr, /^larder: computed sim \S+, not kept\n$/);
    }
    assert.match((await shell.run(args())).stderr, /stored/);
    await Deno.remove(`${shell.folder}/o`);
    assert.match((await shell.run(args("--read-only"))).stderr, /hit/);
    assert.equal(await shell.read("o"), "o\n");
    assert.equal(await shell.read("log"), "ran\nran\nran\n");
    const both = await shell.run(args("--read-only", "--force"));
    assert.equal(both.code, 2);
  }));

Deno.test("LARDER=off runs the command as if larder were not there", () =>
  withShell(async (shell) => {
    const line = 'cat; echo said; echo "error" >&2; exit 3';
    const args = shellRun(line, "--key-file", "gone", "--out", "o");
    for (const off of ["off", "0", "NO"]) {
      const env = { LARDER: off, LARDER_REMOTE: "nonsense" };
      const { code, stdout, stderr } = await shell.run(args, { env });
      assert.deepEqual([code, stdout, stderr], [3, "said\n", "error\n"]);
    }
    const other = await shell.run(shellRun("true"), { env: { LARDER: "of" } });
    assert.match(other.stderr, /LARDER=of is neither on nor off/);
    assert.match(other.stderr, /stored/);
  }));
