/** larder run that is killed alone: its command goes on, and writes its outs. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { until } from "../support/waiting.ts";
import { endProcess, Shell, untilEnded, withShell } from "./support.ts";

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

/** Writes the out, and writes to it again when somebody writes to `fifo`. */
const SLOW = "echo $$ > pid; echo A1 > o; read x < fifo; echo A2 >> o";

/** Starts a slow one, and kills `larder`, and nothing else. */
async function killAlone(shell: Shell, line = SLOW): Promise<string> {
  await outputOf("mkfifo", [`${shell.folder}/fifo`]);
  await shell.write("o", "old\n");
  const child = shell.start(shellRun(line, "--out", "o"));
  await shell.wrote("o", "A1\n");
  child.kill("SIGKILL");
  await child.status;
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  return (await shell.read("pid")).trim();
}

Deno.test("a command outlives its run: nothing is put back under it, nor kept beside it", () =>
  withShell(async (shell) => {
    if (Deno.build.os !== "linux") return console.log("skipped: no /proc");
    const pid = await killAlone(shell);
    const next = shellRun("echo B1 > o", "--out", "o");
    for (const args of [next, shellRun("echo B2 > o", "--out", "o")]) {
      const { code, stderr } = await shell.run(args);
      assert.equal(code, 0);
      assert.match(
        stderr,
        new RegExp(`not kept: o could not be set aside: process number ${pid}`),
      );
    }
    // Whoever only passes by moves nothing, either.
    const { stderr } = await shell.run(shellRun("true"));
    assert.doesNotMatch(stderr, /put back/);
    assert.equal(await shell.read(".o.larder-old"), "old\n");
    await shell.write("fifo", "end\n");
    await untilEnded(pid);
    const last = await shell.run(next);
    assert.match(last.stderr, /put back \S+\/o, .*\n.*computed .* stored/);
    const names = [...Deno.readDirSync(shell.folder)].map(({ name }) => name);
    assert.deepEqual(names.sort(), [".o.larder-partial", "fifo", "o", "pid"]);
    assert.equal(await shell.read(".o.larder-partial"), "B2\nA2\n");
  }));

Deno.test("so does what a command has started, in a group of its own too", () =>
  withShell(async (shell) => {
    if (Deno.build.os !== "linux") return console.log("skipped: no /proc");
    const inner = SLOW.replace("pid", "inner");
    const lines = [
      // Those in the middle are killed as well.
      `echo $$ > pid; sh -c '${inner}'; true`,
      `echo $$ > pid; timeout 60 sh -c '${inner}'; true`,
    ];
    await Promise.all(lines.map(async (line, at) => {
      const other = new Shell(`${shell.folder}/${at}`, shell.server);
      await Deno.mkdir(other.folder);
      const pid = await killAlone(other, line);
      await endProcess(pid);
      const next = shellRun(`echo B${at} > o`, "--out", "o");
      assert.match((await other.run(next)).stderr, /not kept: .* may still/);
      await endProcess((await other.read("inner")).trim());
    }));
  }));

Deno.test("a command outlives a run that had not its outs: the next one is not kept", () =>
  withShell(async (shell) => {
    if (Deno.build.os !== "linux") return console.log("skipped: no /proc");
    const first = await killAlone(shell);
    const guest = shell.start(
      shellRun("echo $$ > pid2; read x < fifo", "--out", "o"),
    );

    const pid = await pidIn(shell, "pid2");
    guest.kill("SIGKILL");
    await guest.status;
    await Promise.all([guest.stdout.cancel(), guest.stderr.cancel()]);
    await endProcess(first);
    const next = shellRun("echo B1 > o", "--out", "o");
    const { stderr } = await shell.run(next);
    assert.match(stderr, new RegExp(`not kept: .* process number ${pid},`));
    await endProcess(pid);
    assert.match((await shell.run(next)).stderr, /stored/);
  }));

/** The number that a command writes. */
async function pidIn(shell: Shell, name: string): Promise<string> {
  let pid = "";
  await until(async () => {
    pid = (await shell.read(name).catch(() => "")).trim();
    return pid !== "";
  });
  return pid;
}
