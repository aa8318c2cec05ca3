/** larder run and outs that are folders and patterns. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { inBash, inQuotes } from "./bash.ts";
import { hostedShells } from "./hosted_larder.ts";
import { endProcess, type Shell } from "./support.ts";

const withShell = await hostedShells();

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

/** Runs, with notes of its own; the first word of what it says. */
async function ran(
  shell: Shell,
  args: readonly string[],
  source: string,
): Promise<string> {
  const env = { XDG_STATE_HOME: `${shell.folder}/.state` };
  const { code, stderr } = await shell.run(args, { env });
  assert.equal(code, 0, stderr);
  assert.match(stderr, new RegExp(`^larder: (.*\\n.*)?${source}`), stderr);
  return stderr;
}

/** All that is in a folder: names, kinds, modes and contents. */
async function treeOf(shell: Shell, folder: string): Promise<string[]> {
  const line = `find . -printf '%P %y %m %l\\n' | sort; ` +
    "find . -type f | sort | xargs -r grep -H .";
  const child = new Deno.Command("sh", {
    args: ["-c", line],
    cwd: `${shell.folder}/${folder}`,
  });
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).split("\n");
}

const MAKE = `
  mkdir -p build/sub/empty && echo one > build/one && echo two > build/sub/two
  chmod 750 build/sub && chmod 755 build/one && chmod 500 build/sub/empty
  ln -s sub/two build/link && ln -s ../one build/sub/up && ln -s no build/none
`;

Deno.test("a folder comes back as it was made", () =>
  withShell(async (shell) => {
    const args = shellRun(MAKE, "--out", "build/");
    await ran(shell, args, "computed");
    const made = await treeOf(shell, "build");
    assert(made.includes("link l 777 sub/two"), made.join("\n"));
    // Over the same, over another state of it, and where nothing is.
    await ran(shell, args, "hit");
    assert.deepEqual(await treeOf(shell, "build"), made);
    await outputOf("sh", [
      ...["-c", 'cd "$0"/build; chmod 700 sub/empty; rm -r one sub link;'],
      shell.folder,
    ]);
    await ran(shell, args, "hit");
    assert.deepEqual(await treeOf(shell, "build"), made);
    await outputOf("rm", ["-rf", `${shell.folder}/build`]);
    await ran(shell, args, "hit");
    assert.deepEqual(await treeOf(shell, "build"), made);
  }));

Deno.test("in a folder of a group all that runs and hits put there is the group's", async () => {
  if (Deno.uid() !== 0) return console.log("skipped: for root");
  const GROUP = 4242;
  await withShell(async (shell) => {
    // As people share a checkout: what is made in it belongs to its group.
    await Deno.chown(shell.folder, 0, GROUP);
    await Deno.chmod(shell.folder, 0o2775);
    const args = [
      ...["run", "--ns", "sim", "--out", "build/", "--out", "gen/*.h"],
      ...["--out", "one", "--", "sh", "-c"],
      "umask 002; mkdir -p build/sub gen/deep; echo 1 > build/sub/file; " +
      "echo 1 > gen/deep.h; echo 1 > one",
    ];
    const made = async () => {
      const line = "find build gen one -printf '%P %y %m %G\\n' | sort";
      return await outputOf("sh", ["-c", `cd '${shell.folder}'; ${line}`]) ??
        "";
    };
    await outputOf("sh", [
      "-c",
      'cd "$0" && eval "$1"',
      shell.folder,
      args.at(-1)!,
    ]);
    const plain = await made();
    assert.match(plain, /^sub d 2775 4242$/m);
    await ran(shell, args, "computed");
    assert.equal(await made(), plain);
    await ran(shell, args, "hit");
    assert.equal(await made(), plain);
    await outputOf("rm", [
      "-r",
      ...["build", "gen/deep.h", "one"].map((name) =>
        `${shell.folder}/${name}`
      ),
    ]);
    await ran(shell, args, "hit");
    assert.equal(await made(), plain);
    // Over another one's folders, of which only they may change the mode.
    const others = ["-R", "4243", `${shell.folder}/build`];
    await outputOf("chown", others);
    const line = inQuotes(args.slice(1));
    const { stderr } = await inBash(
      shell,
      `setpriv --bounding-set -fowner -- $larder run ${line}`,
      { XDG_STATE_HOME: `${shell.folder}/.state` },
    );
    assert.match(stderr, /^larder: hit /);
    assert.equal(await made(), plain);
  });
});

Deno.test("a command finds its folder empty, and only what runs have put there goes", () =>
  withShell(async (shell) => {
    const make = (names: string) =>
      shellRun(
        `ls -A build; cd build && for f in ${names}; do echo $f > $f; done`,
        ...["--out", "build/"],
      );
    await Deno.mkdir(`${shell.folder}/build/mine`, { recursive: true });
    await shell.write("build/mine/notes", "mine");
    await shell.write("build/a", "old");
    const names = async () =>
      (await treeOf(shell, "build")).filter((line) => / f /.test(line))
        .map((line) => line.split(" ")[0]);
    // What the command writes takes the place of what was there; the rest stays.
    const first = await ran(shell, make("a b"), "computed");
    assert.match(
      first,
      /none of the command's, left as they are: build\/mine\/notes\n/,
    );
    assert.deepEqual(await names(), ["a", "b", "mine/notes"]);
    assert.equal(await shell.read("build/a"), "a\n");
    await ran(shell, make("b c"), "computed");
    assert.deepEqual(await names(), ["b", "c", "mine/notes"]);
    const hit = await ran(shell, make("a b"), "hit");
    assert.match(hit, /left as they are: build\/mine\/notes\n/);
    assert.deepEqual(await names(), ["a", "b", "mine/notes"]);
    // What was edited since is not what a run has put there.
    await shell.write("build/a", "edited");
    await ran(shell, make("b c"), "hit");
    assert.deepEqual(await names(), ["a", "b", "c", "mine/notes"]);
    assert.equal(await shell.read("build/a"), "edited");
    assert.deepEqual(
      [...Deno.readDirSync(shell.folder)].map(({ name }) => name).sort(),
      [".state", "build"],
    );
  }));

Deno.test("of a folder in which nothing is written, nothing is lost", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/build`);
    await shell.write("build/old", "old");
    for (const line of ["true", "rmdir build", "rmdir build; touch build"]) {
      const { code, stderr } = await shell.run(
        shellRun(line, "--out", "build/"),
      );
      assert.equal(code, 0);
      assert.match(stderr, /not kept: build(\/ was not written| is a file)/);
      assert.equal(await shell.read("build/old"), "old");
    }
    const fails = shellRun("touch build/log; exit 3", "--out", "build/");
    assert.equal((await shell.run(fails)).code, 3);
    assert.equal(await shell.read("build/old"), "old");
    assert.equal(await shell.read("build/log"), "");
  }));

Deno.test("a link that a command puts in the folder's place stays, and is not kept", () =>
  withShell(async (shell) => {
    for (const name of ["build", "elsewhere"]) {
      await Deno.mkdir(`${shell.folder}/${name}`);
      await shell.write(`${name}/mine`, name);
    }
    const line = "rm -r build; ln -s elsewhere build; echo new > build/new";
    const { code, stderr } = await shell.run(
      shellRun(line, "--out", "build/"),
    );
    assert.equal(code, 0);
    assert.match(stderr, /not kept: build\/ is a link now, and no folder/);
    assert.equal(await shell.read("build/new"), "new\n");
    assert.equal(await shell.read("build/mine"), "elsewhere");
    assert.equal(await shell.read(".build.larder-partial/mine"), "build");
  }));

Deno.test("files of a pattern come back, and others are left alone", () =>
  withShell(async (shell) => {
    const make = (names: string) =>
      shellRun(
        `ls gen; for f in ${names}; do echo $f > gen/$f.h; done; echo x > gen/x.c`,
        ...["--out", "gen/*.h"],
      );
    await Deno.mkdir(`${shell.folder}/gen`);
    await shell.write("gen/mine.h", "mine");
    const names = () =>
      [...Deno.readDirSync(`${shell.folder}/gen`)].map(({ name }) => name)
        .sort();
    const first = await ran(shell, make("a b"), "computed");
    assert.match(first, /left as they are: gen\/mine\.h\n/);
    assert.deepEqual(names(), ["a.h", "b.h", "mine.h", "x.c"]);
    await ran(shell, make("b c"), "computed");
    assert.deepEqual(names(), ["b.h", "c.h", "mine.h", "x.c"]);
    await Deno.remove(`${shell.folder}/gen/x.c`);
    await Deno.remove(`${shell.folder}/gen/b.h`);
    await ran(shell, make("a b"), "hit");
    assert.deepEqual(names(), ["a.h", "b.h", "mine.h"]);
    assert.equal(await shell.read("gen/b.h"), "b\n");
    const none = await shell.run(shellRun("true", "--out", "gen/*.hh"));
    assert.match(none.stderr, /not kept: gen\/\*\.hh was not written/);
    // In folders, which are made.
    const deep = shellRun(
      "mkdir -p d/e; echo deep > d/e/x.o; ln -s e/x.o d/l.o",
      ...["--out", "d/**/*.o"],
    );
    await ran(shell, deep, "computed");
    await outputOf("rm", ["-r", `${shell.folder}/d`]);
    await ran(shell, deep, "hit");
    assert.equal(await shell.read("d/l.o"), "deep\n");
  }));

Deno.test("links out of a folder, and what is no file, are not kept", () =>
  withShell(async (shell) => {
    const lines: [string, RegExp][] = [
      ["ln -s /etc/passwd build/l", /build\/l is a link to \/etc\/passwd/],
      ["ln -s ../../x build/l", /build\/l is a link to/],
      ["ln -s .. build/l", /build\/l is a link to/],
      ["ln -s . build/d; ln -s d/../x build/l", /build\/l is a link to/],
      ["mkfifo build/p", /build\/p is no file/],
    ];
    for (const [line, message] of lines) {
      const args = shellRun(
        `mkdir build; echo ${line.length} > build/f; ${line}`,
        ...["--out", "build/"],
      );
      await outputOf("rm", ["-rf", `${shell.folder}/build`]);
      const { code, stderr } = await shell.run(args);
      assert.equal(code, 0);
      assert.match(stderr, /not kept: /);
      assert.match(stderr, message);
    }
    // To another out.
    const args = shellRun(
      "mkdir build lib; echo l > lib/l; ln -s ../lib/l build/l",
      ...["--out", "build/", "--out", "lib/"],
    );
    await outputOf("rm", ["-rf", `${shell.folder}/build`]);
    await ran(shell, args, "computed");
    await outputOf("rm", ["-rf", `${shell.folder}/build`]);
    await ran(shell, args, "hit");
    assert.equal(await shell.read("build/l"), "l\n");
  }));

Deno.test("a hit writes through no link, and removes nothing that is in its way", () =>
  withShell(async (shell) => {
    const args = shellRun(
      "mkdir -p build/sub; echo new > build/sub/f; echo ran >> log",
      ...["--out", "build/"],
    );
    await ran(shell, args, "computed");
    await outputOf("rm", ["-r", `${shell.folder}/build`]);
    await Deno.mkdir(`${shell.folder}/build`);
    await Deno.mkdir(`${shell.folder}/far`);
    await Deno.symlink("../far", `${shell.folder}/build/sub`);
    const env = { XDG_STATE_HOME: `${shell.folder}/.state` };
    const linked = await shell.run(args, { env });
    assert.match(linked.stderr, /build\/sub is there, and is no folder/);
    await Deno.remove(`${shell.folder}/build/sub`);
    await Deno.mkdir(`${shell.folder}/build/sub/f`, { recursive: true });
    await shell.write("build/sub/f/mine", "mine");
    const full = await shell.run(args, { env });
    assert.match(full.stderr, /build\/sub\/f is there, and is a folder/);
    assert.equal(await shell.read("build/sub/f/mine"), "mine");
    await Deno.remove(`${shell.folder}/build/sub/f/mine`);
    await ran(shell, args, "hit");
    assert.equal(await shell.read("build/sub/f"), "new\n");
  }));

Deno.test("--keep-outs lets a command find its folder, which is then in the key", () =>
  withShell(async (shell) => {
    const args = shellRun(
      "mkdir -p build; cat build/* | wc -l; echo more >> build/f",
      ...["--keep-outs", "--out", "build/", "--out", "gen/*.h"],
      ...["--cache-failures"],
    );
    await Deno.mkdir(`${shell.folder}/gen`);
    await shell.write("gen/a.h", "a");
    for (const old of ["", "a\n"]) {
      for (const source of ["computed", "hit"]) {
        await Deno.mkdir(`${shell.folder}/build`, { recursive: true });
        await shell.write("build/f", old);
        const stderr = await ran(shell, args, source);
        assert.doesNotMatch(stderr, /left as they are/);
        assert.equal(await shell.read("build/f"), `${old}more\n`);
      }
    }
    await shell.write("build/f", "");
    await shell.write("gen/a.h", "b");
    await ran(shell, args, "computed");
    await shell.write("build/f", "");
    await shell.write("gen/b.h", "b");
    await ran(shell, args, "computed");
  }));

Deno.test("a file that the command makes in a folder's place is named, and not kept", () =>
  withShell(async (shell) => {
    const args = shellRun("rm -rf build; echo said > build", "--out", "build/");
    const folder = shellRun("mkdir build; echo a > build/a", "--out", "build/");
    await ran(shell, folder, "computed");
    assert.match(
      (await shell.run(args)).stderr,
      /: not kept: build is a file: write --out build; it is \.build\.larder-partial now, as the folder that was there is back$/m,
    );
    assert.equal(await shell.read(".build.larder-partial"), "said\n");
    await Deno.remove(`${shell.folder}/build`, { recursive: true });
    const reason = /: not kept: build is a file: write --out build$/m;
    assert.match((await shell.run(args)).stderr, reason);
    assert.equal(await shell.read("build"), "said\n");
    // It is in the way of a hit, and no run removes it.
    const { stderr } = await shell.run(folder);
    assert.match(
      stderr,
      /without the cache: build\/ is there, and is no folder$/m,
    );
    assert.equal(await shell.read("build"), "said\n");
  }));

Deno.test("a hit tells a run that has an out in the folder which it replaces", () =>
  withShell(async (shell) => {
    const folder = shellRun("mkdir build; echo a > build/a", "--out", "build/");
    await ran(shell, folder, "computed");
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    const slow = shell.start(
      shellRun("echo b > build/b; read x < fifo", "--out", "build/b"),
    );
    await shell.wrote("build/b", "b\n");
    await ran(shell, folder, "hit");
    await shell.write("fifo", "end\n");
    const { stderr } = await slow.output();
    assert.match(
      new TextDecoder().decode(stderr),
      /not kept: another larder run wrote to the same files/,
    );
    assert.equal(await shell.read("build/b"), "b\n");
  }));

Deno.test("a thousand files and a large one go through", () =>
  withShell(async (shell) => {
    const line =
      "mkdir -p build && cd build && seq 1001 | split -l 1 -a 4 - f && " +
      "head -c 40000000 /dev/urandom > large && sha256sum large f*";
    const args = shellRun(line, "--out", "build/");
    const first = await shell.run(args);
    assert.match(first.stderr, /stored/);
    await outputOf("rm", ["-r", `${shell.folder}/build`]);
    const hit = await shell.run(args);
    assert.match(hit.stderr, /hit/);
    const check = new Deno.Command("sha256sum", {
      args: ["--check", "--quiet"],
      cwd: `${shell.folder}/build`,
      stdin: "piped",
    }).spawn();
    const writer = check.stdin.getWriter();
    await writer.write(hit.bytes);
    await writer.close();
    assert.equal((await check.status).code, 0);
    assert.equal(hit.stdout, first.stdout);
  }));

Deno.test("a run whose folder a run within writes to is kept, and so is that", () =>
  withShell(async (shell) => {
    const { larderCommand } = await import("./support.ts");
    const inner = larderCommand(
      ...shellRun("echo o > build/x.o", "--out", "build/x.o"),
    ).map((word) => `'${word}'`).join(" ");
    const args = shellRun(`mkdir -p build; ${inner}`, "--out", "build/");
    const first = await ran(shell, args, "computed");
    assert.match(first, /computed .*\n.*computed .* stored/);
    await ran(shell, args, "hit");
  }));

Deno.test("outs that meet in a folder at the same time: neither is kept", () =>
  withShell(async (shell) => {
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    await Deno.mkdir(`${shell.folder}/build`);
    const slow = shell.start(
      shellRun("echo a > build/a; read x < fifo", "--out", "build/"),
    );
    await shell.wrote("build/a", "a\n");
    const args = shellRun("echo b > build/b", "--out", "build/b");
    const other = await shell.run(args);
    assert.equal(other.code, 0);
    assert.match(other.stderr, /not kept: build\/b could not be set aside/);
    await shell.write("fifo", "end\n");
    const { stderr } = await slow.output();
    assert.match(
      new TextDecoder().decode(stderr),
      /not kept: another larder run wrote to the same files/,
    );
  }));

Deno.test("a killed run loses no folder: the next one puts it back", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/build/sub`, { recursive: true });
    await shell.write("build/sub/old", "old");
    const line = "echo partial > build/p; exec sleep 60";
    const child = shell.start(shellRun(line, "--out", "build/"));
    await shell.wrote("build/p", "partial\n");
    const [id] = (await outputOf("pgrep", ["-P", `${child.pid}`]))!.split("\n");
    child.kill("SIGKILL");
    await child.output();
    await assert.rejects(shell.read("build/sub/old"));
    await endProcess(id!);
    const next = await shell.run(shellRun("true"));
    assert.match(next.stderr, /put back \S+\/build, which a run/);
    assert.equal(await shell.read("build/sub/old"), "old");
    assert.equal(await shell.read(".build.larder-partial/p"), "partial\n");
  }));

Deno.test("a file may have the name of its pattern", () =>
  withShell(async (shell) => {
    const args = shellRun("echo new > 'q*'", "--out", "q*");
    assert.match((await shell.run(args)).stderr, /stored/);
    // It stands there now, and is set aside.
    const again = await shell.run([
      ...args.slice(0, 3),
      "--force",
      ...args.slice(3),
    ]);
    assert.match(again.stderr, /stored/);
    const names = [...Deno.readDirSync(shell.folder)].map(({ name }) => name);
    assert.deepEqual(names, ["q*"]);
  }));
