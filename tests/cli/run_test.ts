/** larder run: what it keeps, and what it never breaks. */

import assert from "node:assert/strict";
import { sideBySide } from "../support/side_by_side.ts";
import { SHORT_LEASE } from "../v1/support.ts";
import { hostedShells } from "./hosted_larder.ts";
import type { Shell } from "./support.ts";

const withShell = await hostedShells();
const waits = sideBySide("runs that are ended, and those who wait for them");

/** Leaves a line in `log` each time it is run. */
const LOGGED = "echo ran >> log";

/** Sleeps after it has said so, unless `go` was there before. */
const UNTIL_GO =
  `${LOGGED}; [ -e go ]; went=$?; echo started; [ $went = 0 ] || sleep 8`;

async function runsOf(shell: Shell): Promise<number> {
  return (await shell.read("log")).trim().split("\n").length;
}

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

Deno.test("the second run has the first one's stdout, stderr, exit code and files", () =>
  withShell(async (shell) => {
    await shell.write("in", "1");
    const line =
      `${LOGGED}; mkdir -p out; cat in > out/a; printf 'b\\0' > b; ` +
      "chmod +x b; chmod 600 out/a; printf 'said\\n'; echo wrong >&2; exit 3";
    const args = shellRun(
      line,
      ...["--key-file", "in", "--out", "out/a", "--out", "b"],
      "--cache-failures",
    );
    const first = await shell.run(args);
    assert.deepEqual([first.code, first.stdout], [3, "said\n"]);
    assert.match(
      first.stderr,
      /^wrong\nlarder: computed sim [0-9a-f]{8}… [\d.]+ KiB stored\n$/,
    );
    await Deno.remove(`${shell.folder}/out`, { recursive: true });
    await shell.write("b", "something else");
    const second = await shell.run(args);
    assert.deepEqual([second.code, second.stdout], [3, "said\n"]);
    assert.match(
      second.stderr,
      /^wrong\nlarder: hit sim [0-9a-f]{8}… [\d.]+ KiB\n$/,
    );
    assert.equal(await shell.read("out/a"), "1");
    assert.equal(await shell.read("b"), "b\0");
    const modes = ["out/a", "b"].map((name) =>
      Deno.statSync(`${shell.folder}/${name}`).mode! & 0o777
    );
    assert.deepEqual(modes, [0o600, 0o755]);
    assert.equal(await runsOf(shell), 1);
    const left = [...Deno.readDirSync(shell.folder)].map(({ name }) => name);
    assert.deepEqual(left.sort(), ["b", "in", "log", "out"]);

    await shell.write("in", "2");
    await shell.run(args);
    assert.equal(await runsOf(shell), 2);
    assert.equal(await shell.read("out/a"), "2");
  }));

Deno.test("whatever the output depends on is in the key", () =>
  withShell(async (shell) => {
    await shell.write("in", "1");
    await shell.write("same", "1");
    const words = [
      shellRun(LOGGED),
      shellRun(`${LOGGED} `),
      shellRun(LOGGED, "--key-file", "in"),
      shellRun(LOGGED, "--key-file", "same"),
      shellRun(LOGGED, "--key", "in"),
      shellRun(LOGGED, "--env", "MODE"),
      shellRun(LOGGED, "--key-file", "in", "--out", "in2"),
      shellRun(LOGGED, "--key-file", "in", "--keep-outs"),
    ];
    let runs = 0;
    for (const args of words) {
      await shell.run(args);
      assert.equal(await runsOf(shell), ++runs, args.join(" "));
    }
    const env = { MODE: "fast" };
    await shell.run(shellRun(LOGGED, "--env", "MODE"), { env });
    assert.equal(await runsOf(shell), ++runs);
  }));

Deno.test("five at once run the command once", () =>
  withShell(async (shell) => {
    const args = shellRun(`${LOGGED}; sleep 1; echo done`, "--json");
    const ended = await Promise.all(
      Array.from({ length: 5 }, () => shell.run(args)),
    );
    const sources = ended.map(({ stderr }) => JSON.parse(stderr).source);
    assert.deepEqual(sources.sort(), ["computed", ...Array(4).fill("hit")]);
    for (const { code, stdout } of ended) {
      assert.deepEqual([code, stdout], [0, "done\n"]);
    }
    assert.equal(await runsOf(shell), 1);
  }));

Deno.test("a failure is not kept, and a file that was not written is said", () =>
  withShell(async (shell) => {
    for (const runs of [1, 2]) {
      const { code } = await shell.run(shellRun(`${LOGGED}; exit 4`));
      assert.equal(code, 4);
      assert.equal(await runsOf(shell), runs);
    }
    const { code, stderr } = await shell.run(shellRun("true", "--out", "none"));
    assert.equal(code, 0);
    assert.match(stderr, /not kept: .*none/);
    const missing = await shell.run([
      "run",
      "--ns",
      "sim",
      "--",
      "no-such-one",
    ]);
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /cannot run no-such-one/);
  }));

Deno.test("without a server, or with a value that is none, the command is run", () =>
  withShell(async (shell) => {
    const line = `${LOGGED}; echo said; exit 5`;
    const away = await shell.run(shellRun(line, "--remote", "127.0.0.1:1"));
    assert.deepEqual([away.code, away.stdout], [5, "said\n"]);
    assert.match(away.stderr, /running without the cache: .*ECONNREFUSED/);

    const args = shellRun(`${LOGGED}; echo said`, "--json");
    const { stderr } = await shell.run(args);
    const { key_hex: hex } = JSON.parse(stderr);
    for (const value of ["{}\n", '{"larder_run":1}\n', "no line", ""]) {
      await shell.write("value", value);
      const key = ["--ns", "sim", "--key-hex", hex];
      await shell.ok("put", ...key, "value", "--replace");
      const again = await shell.run(args);
      assert.deepEqual([again.code, again.stdout], [0, "said\n"]);
      assert.match(again.stderr, /no output of larder run/);
      assert.match(again.stderr, /"source":"computed"/);
      assert.match((await shell.run(args)).stderr, /"source":"hit"/);
    }
  }));

Deno.test("nothing is written that was not named with --out", () =>
  withShell(async (shell) => {
    const args = shellRun("echo said", "--json");
    const { key_hex: hex } = JSON.parse((await shell.run(args)).stderr);
    const header = {
      larder_run: 1,
      exit_code: 0,
      stdout: 0,
      stderr: 0,
      files: [{ path: "evil", mode: 0o777, size: 1 }],
    };
    await shell.write("value", `${JSON.stringify(header)}\nx`);
    const key = ["--ns", "sim", "--key-hex", hex as string];
    await shell.ok("put", ...key, "value", "--replace");
    const { code, stdout } = await shell.run(args);
    assert.deepEqual([code, stdout], [0, "said\n"]);
    await assert.rejects(Deno.stat(`${shell.folder}/evil`));
  }));

waits(
  "an interrupted run passes the signal on and gives the work back",
  () =>
    withShell(async (shell) => {
      // The trap shows that the command had the signal too.
      const line = "trap 'echo trapped; exit 9' INT; echo started; " +
        "while :; do sleep 0.1; done";
      const args = shellRun(line);
      const child = shell.start(args);
      const reader = child.stdout.pipeThrough(new TextDecoderStream())
        .getReader();
      assert.equal((await reader.read()).value, "started\n");
      const waiting = shell.start(shellRun(line, "--timeout", "1m"));
      const said = waiting.stderr.pipeThrough(new TextDecoderStream())
        .getReader();
      assert.match(
        (await said.read()).value!,
        /^larder: sim [0-9a-f]{8}…: waiting for whoever runs the same, from 127\.0\.0\.1:\d+, for \d+ s now\n$/,
      );
      const second = waiting.stdout.pipeThrough(new TextDecoderStream())
        .getReader();
      child.kill("SIGINT");
      assert.equal((await reader.read()).value, "trapped\n");
      await child.stderr.cancel();
      assert.equal((await child.status).code, 9);
      // The lease would last an hour.
      assert.equal((await second.read()).value, "started\n");
      waiting.kill("SIGTERM");
      await second.cancel();
      await said.cancel();
      await waiting.status;
    }, ["--heartbeat-timeout", "1h"]),
);

/** A run that has begun, and sleeps; those after it need not. */
async function beganUntilGo(shell: Shell) {
  const child = shell.start(shellRun(UNTIL_GO));
  const reader = child.stdout.getReader();
  await reader.read();
  await shell.write("go", "");
  return { child, reader };
}

waits(
  "who waits for too long runs the command without keeping it",
  () =>
    withShell(async (shell) => {
      const { child, reader } = await beganUntilGo(shell);
      const late = await shell.run(shellRun(UNTIL_GO, "--timeout", "100ms"));
      assert.deepEqual([late.code, late.stdout], [0, "started\n"]);
      assert.match(late.stderr, /somebody else runs it for too long/);
      child.kill("SIGTERM");
      await reader.cancel();
      await child.stderr.cancel();
      assert.equal((await child.status).code, 143);
    }),
);

waits(
  "a killed run costs no more than its lease",
  () =>
    withShell(async (shell) => {
      const { child, reader } = await beganUntilGo(shell);
      child.kill("SIGKILL");
      const { code, stderr } = await shell.run(shellRun(UNTIL_GO));
      assert.equal(code, 0);
      assert.match(stderr, /computed .* stored/);
      await reader.cancel();
      await child.stderr.cancel();
      await child.status;
    }, SHORT_LEASE),
);
