/** larder run and its inputs: folders, patterns, lists of files. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { hostedShells } from "./hosted_larder.ts";
import { larderCommand, type Shell } from "./support.ts";

const withShell = await hostedShells();

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

async function makeTree(shell: Shell): Promise<void> {
  const folder = `${shell.folder}/rtl`;
  await Deno.mkdir(`${folder}/sub/empty`, { recursive: true });
  await Deno.mkdir(`${shell.folder}/lib`);
  await shell.write("lib/cell.v", "cell");
  await shell.write("outside.v", "outside");
  await shell.write("rtl/a.v", "a");
  await shell.write("rtl/sub/b.v", "b");
  await shell.write("rtl/sub/old.v", "old");
  await shell.write("rtl/sub/.hidden", "h");
  await Deno.symlink("a.v", `${folder}/link.v`);
  await Deno.symlink("../outside.v", `${folder}/out.v`);
  await Deno.symlink("../lib", `${folder}/lib`);
  await Deno.symlink("..", `${folder}/sub/up`);
  await Deno.symlink("nowhere", `${folder}/broken`);
}

Deno.test("of a folder counts all that a command can see in it", () =>
  withShell(async (shell) => {
    await makeTree(shell);
    const args = shellRun("echo ran", "--key-file", "rtl/");
    const source = async () =>
      /^larder: (\w+)/.exec((await shell.run(args)).stderr)?.[1];
    assert.equal(await source(), "computed");
    assert.equal(await source(), "hit");
    const at = (name: string) => `${shell.folder}/${name}`;
    const changes: Record<string, () => Promise<unknown>> = {
      "a file": () => shell.write("rtl/sub/b.v", "c"),
      "a new file": () => shell.write("rtl/new.v", ""),
      "a file that is gone": () => Deno.remove(at("rtl/sub/old.v")),
      "a hidden file": () => shell.write("rtl/sub/.hidden", "i"),
      "another name": () => Deno.rename(at("rtl/a.v"), at("rtl/c.v")),
      "a program": () => Deno.chmod(at("rtl/c.v"), 0o755),
      "an empty folder": () => Deno.mkdir(at("rtl/other")),
      "one that is gone": () => Deno.remove(at("rtl/sub/empty")),
      "what a link says": async () => {
        await Deno.remove(at("rtl/link.v"));
        await Deno.symlink("c.v", at("rtl/link.v"));
      },
      "what a link leads to": () => shell.write("outside.v", "changed"),
      "a folder that a link leads to": () => shell.write("lib/cell.v", "CELL"),
      "where a link leads now": () => shell.write("rtl/nowhere", ""),
    };
    for (const [what, change] of Object.entries(changes)) {
      await change();
      assert.equal(await source(), "computed", what);
      assert.equal(await source(), "hit", what);
    }
    // The same files elsewhere, with other times and other permissions.
    const other = `${shell.folder}/other`;
    await Deno.mkdir(other);
    for (const name of ["rtl", "lib", "outside.v"]) {
      await outputOf("cp", ["-r", "--no-dereference", at(name), other]);
    }
    await Deno.chmod(`${other}/rtl/sub/b.v`, 0o600);
    const child = new Deno.Command("env", {
      args: ["-C", other, ...larderCommand()]
        .concat(args),
      env: shell.env,
    });
    const { stderr } = await child.output();
    assert.match(new TextDecoder().decode(stderr), /^larder: hit/);
  }));

Deno.test("a pattern means files, as in a shell, and at least one", () =>
  withShell(async (shell) => {
    await makeTree(shell);
    const args = shellRun("echo ran", "--key-file", "rtl/**/*.v");
    assert.match((await shell.run(args)).stderr, /computed/);
    // None of these is meant.
    await shell.write("rtl/note.txt", "");
    await shell.write("rtl/.hidden.v", "");
    await shell.write("lib/cell.v", "CELL");
    assert.match((await shell.run(args)).stderr, /hit/);
    await shell.write("rtl/sub/c.v", "");
    assert.match((await shell.run(args)).stderr, /computed/);
    const none = await shell.run(shellRun("true", "--key-file", "rtl/*.sv"));
    assert.deepEqual([none.code, none.stderr], [
      2,
      "larder: --key-file rtl/*.sv: no file has such a name\n",
    ]);
    for (const out of ["rtl/new.v", "rtl/a.v", "rtl", "rtl/sub"]) {
      const { code, stderr } = await shell.run(
        shellRun("true", "--key-file", "rtl/**/*.v", "--out", out),
      );
      assert.equal(code, 2, out);
      assert.match(stderr, /it (is|contains|is one of) key file rtl/);
    }
    await Deno.mkdir(`${shell.folder}/[x]`);
    await shell.write("[x]/a.v", "");
    const literal = shellRun("true", "--key-file", "\\[x]/a.v");
    assert.match((await shell.run(literal)).stderr, /computed/);
  }));

Deno.test("a list names files and folders, in any order", () =>
  withShell(async (shell) => {
    await makeTree(shell);
    const lists = ["outside.v\nrtl/sub\n", "rtl/sub\0outside.v\0"];
    for (const [index, list] of lists.entries()) {
      await shell.write("list", list);
      await Deno.rename(`${shell.folder}/list`, `${shell.folder}/${index}`);
      const args = shellRun("echo ran", "--key-files-from", `${index}`);
      const source = index === 0 ? /computed/ : /hit/;
      assert.match((await shell.run(args)).stderr, source);
    }
    await shell.write("rtl/sub/b.v", "other");
    const args = shellRun("echo ran", "--key-files-from", "1");
    assert.match((await shell.run(args)).stderr, /computed/);
    const wrong: [string, RegExp][] = [
      ["", /it names no file/],
      ["gone.v\n", /cannot read gone\.v/],
    ];
    for (const [list, message] of wrong) {
      await shell.write("1", list);
      const { code, stderr } = await shell.run(args);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  }));

Deno.test("inputs that change while the command runs: not kept", () =>
  withShell(async (shell) => {
    await shell.write("list", "rtl/a.v\nlib\n");
    const inputs = [
      ["--key-file", "rtl"],
      ["--key-file", "rtl/*.v"],
      ["--key-files-from", "list"],
    ];
    const changes: [string, string][] = [
      ["echo changed > rtl/a.v", "rtl/a.v"],
      ["touch -r rtl/a.v t; printf c > rtl/a.v; touch -r t rtl/a.v", "rtl/a.v"],
      ["rm rtl/a.v", "rtl/a.v"],
      ["touch rtl/new.v lib/new.v", "\\S*/new.v"],
    ];
    for (const [change, name] of changes) {
      for (const input of inputs) {
        await Deno.remove(`${shell.folder}/rtl`, { recursive: true })
          .catch(() => {});
        await Deno.remove(`${shell.folder}/lib`, { recursive: true })
          .catch(() => {});
        await Deno.remove(`${shell.folder}/outside.v`).catch(() => {});
        await makeTree(shell);
        const { code, stderr } = await shell.run(shellRun(change, ...input));
        assert.equal(code, 0);
        const isGone = change.startsWith("rm") && input[1] === "list";
        assert.match(
          stderr,
          new RegExp(
            `not kept: ${isGone ? "list" : name} changed while the command ran`,
          ),
          `${input}: ${change}`,
        );
      }
    }
  }));

Deno.test("a file whose name is not UTF-8 leaves the run without the cache", () =>
  withShell(async (shell) => {
    await makeTree(shell);
    await outputOf("bash", [
      ...["-c", "touch \"$0\"/rtl/sub/$'\\xff'", shell.folder],
    ]);
    const args = shellRun("echo ran", "--key-file", "rtl");
    const { code, stdout, stderr } = await shell.run(args);
    assert.deepEqual([code, stdout], [0, "ran\n"]);
    assert.match(
      stderr,
      /without the cache: the name of rtl\/sub\/.* not UTF-8/,
    );
  }));
