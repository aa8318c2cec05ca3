/** larder run beside other runs, in the same folder and in another one. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { hostedShells } from "./hosted_larder.ts";
import { type Ended, larderCommand, Shell } from "./support.ts";

// One that is slow, and another one meanwhile.
const withShell = await hostedShells(2);

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

/** Writes its out, and ends when somebody writes to `fifo`. */
const SLOW = "echo slow > o; read x < fifo";

/** A run that has not ended. */
interface Slow {
  readonly ended: Promise<Ended>;
}

/** Starts the slow one, whose out is there. */
async function startSlow(shell: Shell): Promise<Slow> {
  await outputOf("mkfifo", [`${shell.folder}/fifo`]);
  const ended = shell.run(shellRun(SLOW, "--out", "o"));
  await shell.wrote("o", "slow\n");
  return { ended };
}

async function endSlow(shell: Shell, { ended }: Slow): Promise<string> {
  await shell.write("fifo", "end\n");
  const { code, stderr } = await ended;
  assert.equal(code, 0);
  return stderr;
}

Deno.test("a hit that writes an out of a run under way keeps that one from being kept", () =>
  withShell(async (shell) => {
    const quick = shellRun("echo quick > o", "--out", "o");
    assert.match((await shell.run(quick)).stderr, /stored/);
    await Deno.remove(`${shell.folder}/o`);
    const slow = await startSlow(shell);
    assert.match((await shell.run(quick)).stderr, /hit/);
    assert.match(
      await endSlow(shell, slow),
      /not kept: another larder run wrote to the same files meanwhile/,
    );
    assert.equal(await shell.read("o"), "quick\n");
    const names = [...Deno.readDirSync(shell.folder)].map(({ name }) => name);
    assert.deepEqual(names.sort(), ["fifo", "o"]);
  }));

Deno.test("so does one that goes without the cache", () =>
  withShell(async (shell) => {
    const slow = await startSlow(shell);
    const env = { LARDER_REMOTE: "nowhere" };
    const quick = shellRun("echo quick > o", "--out", "o");
    assert.equal((await shell.run(quick, { env })).code, 0);
    assert.match(
      await endSlow(shell, slow),
      /not kept: another larder run wrote to the same files meanwhile/,
    );
  }));

Deno.test("a run that comes while one without its outs still writes is not kept", () =>
  withShell(async (shell) => {
    const slow = await startSlow(shell);
    await outputOf("mkfifo", [`${shell.folder}/later`]);
    // It has no place, and goes on when the one that has it is through.
    const guest = shell.run(
      shellRun("echo > began; read x < later; echo guest >> o", "--out", "o"),
    );
    await shell.wrote("began", "\n");
    assert.match(await endSlow(shell, slow), /not kept/);
    const third = shellRun("echo third > o", "--out", "o");
    const { code, stderr } = await shell.run(third);
    assert.equal(code, 0);
    assert.match(stderr, /o could not be set aside: larder run with process/);
    await shell.write("later", "end\n");
    const ended = await guest;
    assert.equal(ended.code, 0);
    assert.match(ended.stderr, /o could not be set aside/);
    assert.match((await shell.run(third)).stderr, /stored/);
    const names = [...Deno.readDirSync(shell.folder)].map(({ name }) => name);
    assert.deepEqual(names.sort(), ["began", "fifo", "later", "o"]);
  }));

Deno.test("two at once on the same outs: what is kept of each is its own", () =>
  withShell(async (shell) => {
    const words = ["one", "two"];
    const args = (word: string) =>
      shellRun(`echo ${word} > o; sleep 0.1; echo ${word} >> o`, "--out", "o");
    const ended = await Promise.all(
      [...words, ...words].map((word) => shell.run(args(word))),
    );
    for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
    for (const word of words) {
      const { stderr } = await shell.run(args(word));
      assert.match(stderr, /hit|stored/);
      assert.equal(await shell.read("o"), `${word}\n${word}\n`);
    }
    const names = [...Deno.readDirSync(shell.folder)].map(({ name }) => name);
    assert.deepEqual(names, ["o"]);
  }));

Deno.test("a key file that changes before a hit is restored: planned again", () =>
  withShell(async (shell) => {
    const [first, second] = ["first", "second"].map((name) =>
      new Shell(`${shell.folder}/${name}`, shell.server)
    ) as [Shell, Shell];
    for (const each of [first, second]) {
      await Deno.mkdir(each.folder);
      await each.write("in", "A");
    }
    await outputOf("mkfifo", [`${first.folder}/fifo`]);
    const args = shellRun("cat in; read x < fifo", "--key-file", "in");
    const computing = first.start(args);
    const reader = computing.stdout.getReader();
    await reader.read();
    const waiting = second.start(args);
    const said = waiting.stderr.pipeThrough(new TextDecoderStream())
      .getReader();
    assert.match(
      (await said.read()).value!,
      /waiting for whoever runs the same/,
    );
    await second.write("in", "B");
    await first.write("fifo", "end\n");
    assert.equal(await new Response(waiting.stdout).text(), "B");
    await said.cancel();
    await waiting.status;
    await reader.cancel();
    assert.match(await new Response(computing.stderr).text(), /stored/);
    await computing.status;
    // Each of the two is kept as what it is.
    for (const content of ["A", "B"]) {
      await second.write("in", content);
      const { stdout, stderr } = await second.run(args);
      assert.deepEqual([stdout], [content]);
      if (content === "A") assert.match(stderr, /hit/);
    }
  }));

Deno.test("key files that keep changing leave a run without the cache", () =>
  withShell(async (shell) => {
    if (Deno.build.os !== "linux") return console.log("skipped: no /proc");
    // The file is another one each time that it is looked at.
    const args = [
      ...["run", "--ns", "sim", "--key-file", "/proc/self/stat"],
      ...["--", "echo", "said"],
    ];
    // A process of its own: it has to work for the clock of that file to go on.
    const program = larderCommand();
    const { code, stdout, stderr } = await shell.run(args, { program });
    assert.deepEqual([code, stdout], [0, "said\n"]);
    assert.match(stderr, /without the cache: the key files keep changing/);
    assert.equal((await shell.json("usage"))["loading"], 0);
  }, ["--heartbeat-timeout", "1h"]));

Deno.test("what is kept can be read with tar", () =>
  withShell(async (shell) => {
    const args = shellRun("echo said; echo x > o", "--out", "o", "--json");
    const { key_hex: key } = JSON.parse((await shell.run(args)).stderr);
    await shell.ok("get", "--ns", "sim", "--key-hex", key, "-o", "kept.tar");
    const listed = await outputOf("tar", ["-tf", `${shell.folder}/kept.tar`]);
    if (listed === undefined) return console.log("skipped: there is no tar(1)");
    assert.equal(listed, "larder-run.json\nstdout\nstderr\nouts/0\n");
  }));

for (
  const [first, second] of [
    ["gen/x", "gen/x"],
    ["gen/*", "gen/*"],
    ["gen/x", "gen/"],
    ["gen/deep/x", "gen/deep/x"],
    ["gen/deep/", "gen/deep/x"],
    ["gen/*", "gen/x"],
    ["gen/x", "gen/*"],
    ["gen/**/x", "gen/deep/x"],
  ] as const
) {
  Deno.test(`of two runs into a folder that is not there at first none is kept: ${first} and ${second}`, () =>
    withShell(async (shell) => {
      await outputOf("mkfifo", [`${shell.folder}/fifo`]);
      const folder = first.includes("deep") ? "gen/deep" : "gen";
      const ended = shell.run(shellRun(
        `mkdir -p ${folder}; echo slow > ${folder}/x; read x < fifo`,
        ...["--out", first],
      ));
      await shell.wrote(`${folder}/x`, "slow\n");
      const quick = shellRun(`echo quick >> ${folder}/x`, "--out", second);
      const { code, stderr } = await shell.run(quick);
      assert.equal(code, 0);
      assert.match(stderr, /could not be set aside: larder run with process/);
      assert.match(
        await endSlow(shell, { ended }),
        /not kept: another larder run/,
      );
      assert.equal(await shell.read(`${folder}/x`), "slow\nquick\n");
      const names = [...Deno.readDirSync(shell.folder)].map(({ name }) => name);
      assert.deepEqual(names.sort(), ["fifo", "gen"]);
    }));
}

Deno.test("of a pattern and a file of it, or another pattern, none is kept, where it was not there", () =>
  withShell(async (shell) => {
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    await Deno.mkdir(`${shell.folder}/gen`);
    const pairs = [
      ...[["gen/*", "gen/x"], ["gen/x", "gen/*"]],
      ...[["gen/*", "gen/[x]"], ["gen/[xy]", "gen/?"]],
    ];
    for (const [first, second] of pairs) {
      const ended = shell.run(shellRun(
        "echo begun > begun; read x < fifo; echo slow >> gen/x",
        ...["--out", first!],
      ));
      await shell.wrote("begun", "begun\n");
      const quick = shellRun("echo quick >> gen/x", "--out", second!);
      assert.match((await shell.run(quick)).stderr, /not kept: .*larder run/);
      assert.match(
        await endSlow(shell, { ended }),
        /not kept: another larder run/,
      );
      await outputOf("rm", [`${shell.folder}/gen/x`, `${shell.folder}/begun`]);
      assert.deepEqual([...Deno.readDirSync(`${shell.folder}/gen`)], []);
    }
  }));

Deno.test("runs of different files in a folder that is not there at first are both kept", () =>
  withShell(async (shell) => {
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    const ended = shell.run(shellRun(
      "mkdir -p gen; echo slow > gen/x.c; read x < fifo",
      ...["--out", "gen/*.c"],
    ));
    await shell.wrote("gen/x.c", "slow\n");
    for (const out of ["gen/y", "gen/*.h"]) {
      const line = "echo quick > gen/y; echo quick > gen/y.h";
      const { stderr } = await shell.run(shellRun(line, "--out", out));
      assert.match(stderr, /stored/);
    }
    assert.match(await endSlow(shell, { ended }), /stored/);
  }));

Deno.test("a killed run leaves no mark behind that keeps others from being kept", () =>
  withShell(async (shell) => {
    const begin = "mkdir -p gen; echo $$ > pid; echo slow > gen/x; " +
      "exec sleep 1000";
    const slow = shell.start(shellRun(begin, "--out", "gen/x"));
    await shell.wrote("gen/x", "slow\n");
    const marks = () =>
      [...Deno.readDirSync(shell.folder)].map(({ name }) => name)
        .filter((name) => name.startsWith(".larder-"));
    assert.equal(marks().length, 1);
    slow.kill("SIGKILL");
    Deno.kill(Number(await shell.read("pid")), "SIGKILL");
    await slow.status;
    const next = shellRun("echo next > gen/x", "--out", "gen/x");
    assert.match((await shell.run(next)).stderr, /stored/);
    assert.deepEqual(marks(), []);
  }));
