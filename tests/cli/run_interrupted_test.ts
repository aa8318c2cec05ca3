/** A hit that is interrupted: each out is the whole old one or the whole new one. */

import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault_proxy.ts";
import { whyNoTracer } from "../support/strace.ts";
import { until } from "../support/waiting.ts";
import { larderCommand, Shell, withShell } from "./support.ts";

const OUTS = ["a", "d/b", "t/"];
/** What lies there before; one of them is none of the command's. */
const OLD = ["a", "d/b", "t/mine", "t/s/x"];

/** `larder run` of a command that writes them, and so much to the last one. */
function run(bytes: number): string[] {
  const line = "mkdir -p d t/s; echo new > a; echo new > d/b; " +
    `head -c ${bytes} /dev/zero > t/s/x; echo said`;
  const outs = OUTS.flatMap((name) => ["--out", name]);
  return ["run", "--ns", "sim", ...outs, "--", "sh", "-c", line];
}

/** Another folder, in which older outs are, and something of nobody's. */
async function withOldOuts(shell: Shell, name: string): Promise<Shell> {
  const other = new Shell(`${shell.folder}/${name}`, shell.server);
  for (const each of ["d", "t/s"]) {
    await Deno.mkdir(`${other.folder}/${each}`, { recursive: true });
  }
  for (const each of OLD) await other.write(each, "old\n");
  return other;
}

/** What lies in a folder and below it. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? namesIn(`${folder}/${name}`).map((below) => `${name}/${below}`)
      : [name]
  ).sort();
}

/** The next run has it all, and nothing is left of the one before. */
async function assertPutRight(shell: Shell, args: string[], bytes: number) {
  const { code, stdout, stderr } = await shell.run(args);
  assert.deepEqual([code, stdout], [0, "said\n"], stderr);
  assert.match(stderr, /larder: hit/);
  assert.deepEqual(namesIn(shell.folder), OLD);
  for (const each of ["a", "d/b"]) {
    assert.equal(await shell.read(each), "new\n");
  }
  assert.equal(await shell.read("t/mine"), "old\n");
  assert.equal((await Deno.stat(`${shell.folder}/t/s/x`)).size, bytes);
}

Deno.test("a hit that is interrupted before all has come has changed nothing", () =>
  withShell(async (shell) => {
    // More than waits on the way.
    const bytes = 16_000_000;
    const afterBytes = bytes / 4;
    assert.match((await shell.run(run(bytes))).stderr, /stored/);
    const codes = { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 } as const;
    await Promise.all(
      Object.entries(codes).map(async ([signal, code]) => {
        const other = await withOldOuts(shell, signal);
        await using proxy = await FaultProxy.start(shell.server.remote, {
          toClient: { afterBytes, then: "freeze" },
        });
        const env = { LARDER_REMOTE: proxy.address };
        const child = other.start(run(bytes), { env });
        await until(() => Promise.resolve(proxy.received >= afterBytes));
        child.kill(signal as Deno.Signal);
        const ended = await child.output();
        assert.deepEqual([ended.code, ended.stdout.length], [code, 0]);
        const names = namesIn(other.folder)
          .filter((name) =>
            signal !== "SIGKILL" || !/\.larder-new-/.test(name)
          );
        assert.deepEqual(names, OLD);
        for (const each of names) assert.equal(await other.read(each), "old\n");
        await assertPutRight(other, run(bytes), bytes);
      }),
    );
  }));

Deno.test("a hit that is killed between two outs has put each as a whole", () =>
  withShell(async (shell) => {
    const reason = await whyNoTracer();
    if (reason !== undefined) return console.log(`skipped: ${reason}`);
    const args = run(1_000);
    assert.match((await shell.run(args)).stderr, /stored/);
    // Each takes so long that others see the ones before it.
    const calls = "?rename,?renameat,?renameat2";
    const slowly = [
      ...["strace", "-D", "-f", "-qq", "-o", "/dev/null"],
      ...["-e", `trace=${calls}`, "-e", `inject=${calls}:delay_enter=500000`],
    ];
    const program = [...slowly, ...larderCommand()];
    await Promise.all(["t/s/x", "a"].map(async (name, at) => {
      const other = await withOldOuts(shell, `${at}`);
      const child = other.start(args, { program });
      await until(async () => await other.read(name) !== "old\n");
      Deno.kill(child.pid, "SIGKILL");
      await child.output();
      for (const each of ["a", "d/b"]) {
        assert.match(await other.read(each), /^(old|new)\n$/);
      }
      assert.match(await other.read("t/s/x"), /^(old\n|\0{1000})$/);
      await assertPutRight(other, args, 1_000);
    }));
  }));
