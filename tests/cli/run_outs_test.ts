/** larder run and the files that were there before: a clean machine, nothing lost. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { hostedShells } from "./hosted_larder.ts";
import { endProcess, Shell } from "./support.ts";

const withShell = await hostedShells();

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

function namesIn(shell: Shell, folder = "."): string[] {
  const names = [...Deno.readDirSync(`${shell.folder}/${folder}`)];
  return names.map(({ name }) => name).sort();
}

Deno.test("a command finds none of its outs", () =>
  withShell(async (shell) => {
    await shell.write("in", "1");
    const cases: [string, string | undefined][] = [
      // Not written: the old one is neither kept nor lost.
      ["true", undefined],
      ["echo new >> o", "new\n"],
      ["echo new > n; [ ! -e o ] && cp n o", "new\n"],
      ["[ -e o ] && printf x | dd of=o conv=notrunc; echo new > o", "new\n"],
    ];
    for (const [line, kept] of cases) {
      await shell.write("o", "old bytes\n");
      const args = shellRun(line, "--key-file", "in", "--out", "o");
      const { code, stderr } = await shell.run(args);
      assert.equal(code, 0, stderr);
      assert.match(
        stderr,
        kept === undefined
          ? /not kept: o was not written/
          : /computed .* stored/,
      );
      assert.equal(await shell.read("o"), kept ?? "old bytes\n");
      if (kept === undefined) continue;
      await shell.write("o", "other");
      assert.match((await shell.run(args)).stderr, /hit/);
      assert.equal(await shell.read("o"), kept);
    }
    assert.deepEqual(namesIn(shell), ["in", "n", "o"]);
  }));

Deno.test("--keep-outs lets a command find them, and puts them into the key", () =>
  withShell(async (shell) => {
    const args = shellRun("echo more >> o", "--keep-outs", "--out", "o");
    for (const old of ["a\n", "b\n"]) {
      for (const source of ["computed", "hit"]) {
        await shell.write("o", old);
        const { stderr } = await shell.run(args);
        assert.match(stderr, new RegExp(`^larder: ${source}`));
        assert.equal(await shell.read("o"), `${old}more\n`);
      }
    }
    await Deno.remove(`${shell.folder}/o`);
    assert.match((await shell.run(args)).stderr, /computed/);
    assert.equal(await shell.read("o"), "more\n");
  }));

Deno.test("of a run that fails, what it wrote stays, and else the old file", () =>
  withShell(async (shell) => {
    await shell.write("log", "old log");
    await shell.write("result", "old result");
    const line = "echo partial > log; exit 7";
    const outs = ["--out", "log", "--out", "result"];
    assert.equal((await shell.run(shellRun(line, ...outs))).code, 7);
    assert.equal(await shell.read("log"), "partial\n");
    assert.equal(await shell.read("result"), "old result");
    const missing = ["run", "--ns", "sim", ...outs, "--", "no-such-one"];
    assert.equal((await shell.run(missing)).code, 127);
    assert.equal(await shell.read("log"), "partial\n");
    assert.deepEqual(namesIn(shell), ["log", "result"]);
  }));

Deno.test("a hit sets nothing aside, and an out in use by another run is not kept", () =>
  withShell(async (shell) => {
    await shell.write("o", "old");
    // Before it writes, since whoever sees that makes the file.
    const line = (key: string) =>
      `[ -e go ]; went=$?; echo ${key} > o; [ $went = 0 ] || read x < fifo`;
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    const slow = shell.start(shellRun(line("a"), "--out", "o"));
    await shell.wrote(".o.larder-old", "old");
    await shell.wrote("o", "a\n");
    await shell.write("go", "");
    const other = await shell.run(shellRun(line("b"), "--out", "o"));
    assert.equal(other.code, 0);
    assert.match(
      other.stderr,
      /not kept: o could not be set aside: larder run with process number/,
    );
    await shell.write("fifo", "end\n");
    const { code, stderr } = await slow.output();
    assert.equal(code, 0);
    assert.match(
      new TextDecoder().decode(stderr),
      /not kept: another larder run wrote to the same files meanwhile/,
    );
    assert.deepEqual(namesIn(shell), ["fifo", "go", "o"]);
    assert.equal(await shell.read("o"), "b\n");
  }));

Deno.test("a killed run loses nothing: the next one, of any key, puts it back", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/d`);
    await shell.write("o", "old");
    await shell.write("d/p", "old p");
    const outs = ["--out", "o", "--out", "d/p"];
    const line = "echo partial > o; exec sleep 60";
    const child = shell.start(shellRun(line, ...outs));
    await shell.wrote("o", "partial\n");
    const [id] = (await outputOf("pgrep", ["-P", `${child.pid}`]))!.split("\n");
    child.kill("SIGKILL");
    await child.output();
    await assert.rejects(shell.read("d/p"));
    await endProcess(id!);
    const next = await shell.run(shellRun("cat o", "--key-file", "o"));
    assert.equal(next.stdout, "old");
    assert.match(next.stderr, /put back \S+\/o, which a run that was killed/);
    await shell.run(shellRun("true", "--key", "2", "--out", "d/other"));
    assert.equal(await shell.read("d/p"), "old p");
    assert.deepEqual(namesIn(shell), [".o.larder-partial", "d", "o"]);
    assert.deepEqual(namesIn(shell, "d"), ["p"]);
    assert.equal(await shell.read(".o.larder-partial"), "partial\n");
  }));

Deno.test("what cannot be set aside is left, and its run is not kept", () =>
  withShell(async (shell) => {
    await shell.write("first", "old first");
    await shell.write("mounted", "old");
    await shell.write("source", "old");
    const path = `${shell.folder}/mounted`;
    const mount = ["--bind", `${shell.folder}/source`, path];
    if (await outputOf("mount", mount) === undefined) {
      return console.log("skipped: nothing can be mounted");
    }
    try {
      const outs = ["--out", "first", "--out", "mounted"];
      const line = "cat first mounted; echo new >> mounted";
      const { code, stdout, stderr } = await shell.run(shellRun(line, ...outs));
      assert.deepEqual([code, stdout], [0, "old firstold"]);
      assert.match(stderr, /not kept: mounted could not be set aside: /);
      assert.equal(await shell.read("mounted"), "oldnew\n");
      assert.equal(await shell.read("first"), "old first");
    } finally {
      await outputOf("umount", ["--lazy", path]);
    }
    assert.deepEqual(namesIn(shell), ["first", "mounted", "source"]);
  }));

Deno.test("devices and pipes are never set aside, nor replaced", () =>
  withShell(async (shell) => {
    const fifo = `${shell.folder}/fifo`;
    const args = shellRun("[ -p fifo ] || echo said > fifo", "--out", "fifo");
    assert.match((await shell.run(args)).stderr, /stored/);
    await Deno.remove(fifo);
    await outputOf("mkfifo", [fifo]);
    const hit = await shell.run(args);
    assert.equal(hit.code, 0);
    assert.match(hit.stderr, /fifo is there, and is no file/);
    const other = await shell.run([...args.slice(0, -1), "true"]);
    assert.match(other.stderr, /not kept: fifo is no file/);
    assert((await Deno.lstat(fifo)).isFifo);
  }));

Deno.test("outs that something else lies in are refused", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/d/e`, { recursive: true });
    await shell.write("in", "1");
    await shell.write("d/prog", "#!/bin/sh\necho ran");
    await Deno.chmod(`${shell.folder}/d/prog`, 0o755);
    await Deno.link(`${shell.folder}/in`, `${shell.folder}/hard`);
    await Deno.symlink("in", `${shell.folder}/soft`);
    await Deno.symlink("d", `${shell.folder}/alias`);
    await Deno.symlink("/etc", `${shell.folder}/etc-link`);
    await Deno.mkdir(`${shell.folder}/tmp`);
    const home = {
      HOME: `${shell.folder}/d/e`,
      TMPDIR: `${shell.folder}/tmp`,
    };
    const cases: [string[], RegExp][] = [
      [["in"], /it is key file in/],
      [["./d/../in"], /it is key file in/],
      [["hard"], /it is key file in/],
      [["soft"], /it is key file in/],
      [["in/x"], /it lies in key file in/],
      [["x", "./x"], /it is --out x/],
      [["d/x", "alias/x"], /it is --out d\/x/],
      [["x", "x/y"], /it lies in --out x/],
      [["x/y", "x"], /--out x\/y: it lies in --out x/],
      [["."], /it is the working folder/],
      [[""], /--out is empty/],
      [["/"], /it is \//],
      [[".."], /it contains /],
      [["d/prog"], /it is the program/],
      [["alias/prog"], /it is the program/],
      [["d/.x.larder-old"], /larder run uses such names itself/],
      [["d/e"], /it is a home folder/],
      [["d"], /it contains /],
      // More of these are in src/cli/run/overlaps_test.ts, which runs nothing.
      [
        ["/var/larder-no-such/"],
        /it stands in \/var, which this machine needs/,
      ],
      [["/etc/*.larder-no-such"], /it means files in \/etc, which this/],
      [["etc-link/larder-no-such"], /it stands in \/etc, which this machine/],
      [["tmp/"], /it is the folder for temporary files/],
    ];
    for (const [names, message] of cases) {
      const outs = names.flatMap((name) => ["--out", name]);
      const args = ["run", "--ns", "sim", "--key-file", "in", ...outs];
      const { code, stdout, stderr } = await shell.run(
        [...args, "--", "d/prog"],
        { env: home },
      );
      assert.deepEqual([code, stdout], [2, ""], `${names}: ${stderr}`);
      assert.match(stderr, message);
    }
  }));

Deno.test("a link that stood there is followed, one that the run made is kept", () =>
  withShell(async (shell) => {
    // One that stood there, at a run and at a hit; also one that leads nowhere.
    await Deno.mkdir(`${shell.folder}/far`);
    await shell.write("far/o", "old");
    await Deno.symlink("far/o", `${shell.folder}/o`);
    const args = shellRun("echo new > o", "--out", "o");
    for (const source of ["computed", "hit", "hit"]) {
      assert.match((await shell.run(args)).stderr, new RegExp(source));
      assert((await Deno.lstat(`${shell.folder}/o`)).isSymlink);
      assert.equal(await shell.read("far/o"), "new\n");
      await Deno.remove(`${shell.folder}/far/o`);
    }
    await Deno.remove(`${shell.folder}/far`);
    // One that the run made.
    const made = shellRun(
      "echo result > run-1; ln -s run-1 latest",
      ...["--out", "latest", "--out", "run-1"],
    );
    for (const source of ["computed", "hit", "hit"]) {
      assert.match((await shell.run(made)).stderr, new RegExp(source));
      assert.equal(await Deno.readLink(`${shell.folder}/latest`), "run-1");
      assert.equal(await shell.read("latest"), "result\n");
      if (source === "computed") await Deno.remove(`${shell.folder}/latest`);
    }
    // It is set aside as any other out.
    const other = shellRun(
      "echo other > run-1; ln -s run-1 latest",
      ...["--out", "latest", "--out", "run-1"],
    );
    assert.match((await shell.run(other)).stderr, /stored/);
    // Those that lead elsewhere.
    for (const target of ["/etc/passwd", "../x", "run-2", "$PWD/run-1"]) {
      await Deno.remove(`${shell.folder}/latest`);
      const line = `echo r > run-1; ln -s ${target} latest`;
      const outs = ["--out", "latest", "--out", "run-1"];
      const { code, stderr } = await shell.run(shellRun(line, ...outs));
      assert.equal(code, 0);
      assert.match(stderr, /not kept: latest is a link to .*; only relative/);
    }
  }));

Deno.test("what is kept can be restored: long names, and outs by the hundred", () =>
  withShell(async (shell) => {
    const long = ["a".repeat(255), "é".repeat(120), "b".repeat(243)];
    const deep = `m/${`${"x".repeat(250)}/`.repeat(14)}`;
    // Their names come to more than 1 MiB.
    const many = Array.from({ length: 300 }, (_, at) => `${deep}${at}`);
    const lines = new Map([
      [long, long.map((name) => `printf ${name} > ${name}`).join("; ")],
      [
        many,
        `mkdir -p ${deep}; cd ${deep}; i=0; ` +
        `while [ $i -lt ${many.length} ]; do printf $i > $i; i=$((i + 1)); done`,
      ],
    ]);
    for (const [names, line] of lines) {
      const outs = names.flatMap((name) => ["--out", name]);
      const args = shellRun(line, ...outs);
      const contents = () => Promise.all(names.map((name) => shell.read(name)));
      assert.match((await shell.run(args)).stderr, /stored/);
      const written = await contents();
      for (const name of names) await Deno.remove(`${shell.folder}/${name}`);
      assert.match((await shell.run(args)).stderr, /hit/);
      assert.deepEqual(await contents(), written);
      if (names === many) continue;
      // Over files that are there as well.
      assert.match((await shell.run(args)).stderr, /hit/);
      assert.deepEqual(await contents(), written);
      const again = shellRun(line, "--key", "2", ...outs);
      assert.match((await shell.run(again)).stderr, /stored/);
    }
    assert.deepEqual(namesIn(shell), [...long, "m"].sort());
  }));

Deno.test("a machine without room for a hit runs the command, and removes nothing", () =>
  withShell(async (shell) => {
    const disk = `${shell.folder}/disk`;
    await Deno.mkdir(disk);
    const line = 'head -c 1000000 /dev/zero > "$OUT"; echo ran >> "$LOG"';
    const env = { OUT: "disk/o", LOG: "log" };
    const args = shellRun(line, "--out", "disk/o");
    const inFolder = shellRun(
      "mkdir -p $DIR; head -c 100000 /dev/zero > $DIR/o",
      "--out",
      "disk/d/",
    );
    assert.match((await shell.run(args, { env })).stderr, /stored/);
    const before = { env: { DIR: "disk/d" } };
    assert.match((await shell.run(inFolder, before)).stderr, /stored/);
    const mount = ["-t", "tmpfs", "-o", "size=64k", "larder", disk];
    if (await outputOf("mount", mount) === undefined) {
      return console.log("skipped: nothing can be mounted");
    }
    try {
      const full = await shell.run(args, { env: { ...env, OUT: "elsewhere" } });
      assert.equal(full.code, 0);
      assert.match(
        full.stderr,
        /without the cache: disk\/o cannot be written: .*no space left/i,
      );
      const later = { env: { DIR: "." } };
      assert.match(
        (await shell.run(inFolder, later)).stderr,
        /without the cache: disk\/d\/o cannot be written: .*no space left/i,
      );
      assert.equal(await shell.read("log"), "ran\nran\n");
      assert.deepEqual(namesIn(shell, "disk"), []);
    } finally {
      await outputOf("umount", ["--lazy", disk]);
    }
    assert.match((await shell.run(args, { env })).stderr, /hit/);
  }));

Deno.test("an out whose folder the command replaces", () =>
  withShell(async (shell) => {
    const cases: [string, string, RegExp][] = [
      // A link to another folder: not what was made ready.
      [
        "mkdir d d2; ln -s d cur",
        "echo x > cur/o; ln -sfn d2 cur; echo y > cur/o",
        /not kept: the folder of cur\/o is another one than at the start/,
      ],
      // The old one is where it would be without larder.
      [
        "mkdir cur; echo old > cur/o",
        "mv cur old; mkdir cur; echo new > cur/o",
        /computed .* stored/,
      ],
      ["mkdir cur", "rm -r cur; mkdir cur; echo > cur/o", /stored/],
      // Made on the way, as a link.
      ["mkdir d", "ln -s d cur; echo new > cur/o", /stored/],
      [
        "mkdir cur; echo old > cur/o",
        "rm -f cur/.o.larder-old",
        /not kept: cur\/o could not be put back: the command has removed/,
      ],
    ];
    await Promise.all(cases.map(async ([before, line, said], at) => {
      const other = new Shell(`${shell.folder}/${at}`, shell.server);
      await Deno.mkdir(other.folder);
      await outputOf("sh", ["-c", `cd ${other.folder}; ${before}`]);
      const { stderr } = await other.run(shellRun(line, "--out", "cur/o"));
      assert.match(stderr, said);
      if (at === 1) assert.deepEqual(namesIn(other, "old"), ["o"]);
    }));
    assert.equal(await shell.read("1/old/o"), "old\n");
  }));
