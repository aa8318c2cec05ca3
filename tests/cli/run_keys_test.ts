/** larder run keeps nothing under the key of something else. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { hostedShells } from "./hosted_larder.ts";
import { larderCommand, type Shell } from "./support.ts";

const withShell = await hostedShells();

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

/** Replaces `in` by rename, and gives it the time that it had. */
const BY_RENAME = "printf B > new; touch -r in new; mv new in";

Deno.test("a key file that changes while the command runs: not kept", () =>
  withShell(async (shell) => {
    const changes = {
      "in place": "printf B > in",
      "in place, with its old time":
        "touch -r in t; printf B > in; touch -r t in",
      "by rename": BY_RENAME,
      "removed": "rm in",
    };
    for (const [how, change] of Object.entries(changes)) {
      for (const isOld of [true, false]) {
        await shell.write("in", "A");
        // So old that its times alone tell, unless they are set back.
        if (isOld) {
          await outputOf("touch", ["-d", "-1 hour", `${shell.folder}/in`]);
        }
        const line =
          `if [ -e change ]; then rm change; ${change}; fi; cat in || :`;
        const args = shellRun(line, "--key", how, "--key-file", "in");
        await shell.write("change", "");
        const first = await shell.run(args);
        assert.match(
          first.stderr,
          /not kept: in changed while the command ran/,
        );
        await shell.write("in", "A");
        const second = await shell.run(args);
        assert.deepEqual([second.code, second.stdout], [0, "A"], how);
        await shell.run([
          "rm",
          "--ns",
          "sim",
          "--key-hex",
          await keyOf(shell, args),
        ]);
      }
    }
    // What was only touched is the same.
    await shell.write("in", "A");
    const touched = shellRun("touch in; cp in n; mv n in", "--key-file", "in");
    assert.match((await shell.run(touched)).stderr, /stored/);
  }));

async function keyOf(shell: Shell, args: string[]): Promise<string> {
  const json = ["run", "--json", ...args.slice(1)];
  return JSON.parse((await shell.run(json)).stderr).key_hex;
}

Deno.test("a key file that changes while somebody else runs the same: planned again", () =>
  withShell(async (shell) => {
    await shell.write("in", "A");
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    const line = "[ -e go ]; went=$?; cat in; [ $went = 0 ] || read x < fifo";
    const args = shellRun(line, "--key-file", "in");
    const first = shell.start(args);
    const reader = first.stdout.getReader();
    await reader.read();
    const waiting = shell.start(args);
    const said = waiting.stderr.pipeThrough(new TextDecoderStream())
      .getReader();
    assert.match(
      (await said.read()).value!,
      /waiting for whoever runs the same/,
    );
    await shell.write("go", "");
    await shell.write("new", "B");
    await Deno.rename(`${shell.folder}/new`, `${shell.folder}/in`);
    // The one whose work it is gives it back: the other one has it then, or not.
    await shell.write("fifo", "end\n");
    const stdout = await new Response(waiting.stdout).text();
    assert.equal(stdout, "B");
    let more = "";
    for (let piece; (piece = (await said.read()).value);) more += piece;
    // As what it is: the key was made again.
    assert.match(more, /stored/);
    await waiting.status;
    await reader.cancel();
    const stderr = await new Response(first.stderr).text();
    assert.match(stderr, /not kept: in changed while the command ran/);
    await first.status;
    assert.equal((await shell.run(args)).stdout, "B");
    await shell.write("in", "A");
    assert.equal((await shell.run(args)).stdout, "A");
  }));

Deno.test("a key file may be a pipe, which is read once", () =>
  withShell(async (shell) => {
    for (const source of ["computed", "hit"]) {
      const line = [...larderCommand(), "run", "--ns", "sim", "--key-file"]
        .map((word) => `'${word}'`).join(" ");
      const child = new Deno.Command("bash", {
        args: ["-c", `printf same | ${line} /dev/stdin -- echo ran`],
        cwd: shell.folder,
        env: shell.env,
      });
      const { stderr } = await child.output();
      assert.match(new TextDecoder().decode(stderr), new RegExp(source));
    }
  }));

Deno.test("words that are not UTF-8 are refused, never altered", () =>
  withShell(async (shell) => {
    const program = larderCommand().map((word) => `'${word}'`).join(" ");
    const inBash = async (line: string) => {
      const child = new Deno.Command("bash", {
        args: ["-c", line],
        cwd: shell.folder,
        env: shell.env,
      });
      const { code, stdout, stderr } = await child.output();
      const [out, err] = [stdout, stderr].map((bytes) =>
        new TextDecoder().decode(bytes)
      );
      return { code, stdout: out!, stderr: err! };
    };
    const lines = [
      "run --ns a -- printf %s $'\\xff'",
      "run --ns a --key $'\\xfe' -- true",
      "run --ns a --out $'o\\xff' -- true",
      "run --ns a --key-file $'k\\xff' -- true",
      "get --ns a $'\\xff'",
      "put --ns a $'\\xff' /dev/null",
      "stat --ns a $'\\xff'",
      "rm --ns a $'\\xff'",
    ];
    for (const line of lines) {
      const { code, stdout, stderr } = await inBash(`${program} ${line}`);
      assert.deepEqual([code, stdout], [2, ""], line);
      assert.match(stderr, /^larder: .*not UTF-8.*\n$/);
    }
    for (const byte of ["fe", "ff"]) {
      const { code, stdout, stderr } = await inBash(
        `MODE=$'\\x${byte}' ${program} run --ns a --env MODE -- echo ran`,
      );
      assert.deepEqual([code, stdout], [0, "ran\n"], stderr);
      assert.match(stderr, /without the cache: the value of MODE is not UTF-8/);
    }
  }));
