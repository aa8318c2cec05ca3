/** larder run in surroundings that few have: a command does in them what it always does. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { inBash } from "./bash.ts";
import { hostedShells } from "./hosted_larder.ts";
import { larderCommand, Shell } from "./support.ts";

const withShell = await hostedShells();

Deno.test("variables that are not UTF-8 break no command, and no doctor", () =>
  withShell(async (shell) => {
    const long = "sh -c 'head -c 600000 /dev/zero'";
    const { code, stdout, stderr } = await inBash(
      shell,
      `TMPDIR=$'/tmp/\\xff' $larder run --ns a -- ${long} | wc -c`,
    );
    assert.deepEqual([code, stdout.trim()], [0, "600000"], stderr);
    assert.match(stderr, /not kept: cannot write it to TMPDIR: /);
    const doctor = await inBash(
      shell,
      "XDG_STATE_HOME=$'/tmp/\\xff' $larder doctor",
    );
    assert.match(doctor.stdout, /^ok +runs /m, doctor.stderr);
  }));

/** As in many containers: the system does not know the user. */
const UNKNOWN_USER = "unshare --user --map-user=123456 env -u HOME";

Deno.test("without a home folder runs are kept, and leave nothing in the working folder", () =>
  withShell(async (shell) => {
    const { HOME, DENO_DIR = `${HOME}/.cache/deno` } = Deno.env.toObject();
    const env = { DENO_DIR, XDG_STATE_HOME: "", XDG_CACHE_HOME: "" };
    await Deno.mkdir(`${shell.folder}/work`);
    for (const prefix of ["HOME=", "HOME=.", UNKNOWN_USER]) {
      const isThere = await inBash(shell, `${prefix} true`);
      if (isThere.code !== 0) {
        console.log("skipped: no user namespace");
        continue;
      }
      const { code, stdout, stderr } = await inBash(
        shell,
        `cd work; for i in 1 2; do ${prefix} $larder run --ns a ` +
          `--key '${prefix}' --out out -- sh -c 'echo said > out'; done; ls -A`,
        env,
      );
      assert.deepEqual([code, stdout], [0, "out\n"], stderr);
      assert.match(stderr, /^larder: computed .*\nlarder: hit .*\n$/);
    }
  }));

Deno.test("a working folder whose name is not UTF-8 breaks no command", () =>
  withShell(async (shell) => {
    const { code, stdout, stderr } = await inBash(
      shell,
      "mkdir $'d\\xff' && cd $'d\\xff' && $larder run --ns a -- echo said",
    );
    assert.deepEqual([code, stdout], [0, "said\n"], stderr);
    const why =
      "running without the cache: the name of the working folder is not UTF-8";
    assert.match(stderr, new RegExp(`^larder: a [0-9a-f]{8}…: ${why}\\n$`));
  }));

Deno.test("whoever was started deaf to a signal stays so, and so does the command", () =>
  withShell(async (shell) => {
    const { code, stdout, stderr } = await inBash(
      shell,
      `trap '' INT TERM HUP QUIT; $larder run --ns a -- sh -c '
         for s in INT TERM HUP QUIT; do kill -$s $PPID $$; done; sleep 0.5
         echo said'`,
    );
    assert.deepEqual([code, stdout], [0, "said\n"], stderr);
    assert.match(stderr, /stored/);
  }));

Deno.test("a command without an end has one when nobody reads it any more", () =>
  withShell(async (shell) => {
    const { code, stdout, stderr } = await inBash(
      shell,
      "$larder run --ns a -- yes | head -n 2; exit ${PIPESTATUS[0]}",
    );
    assert.deepEqual([code, stdout], [141, "y\ny\n"], stderr);
    assert.match(stderr, /exit code 141, not kept/);
  }));

Deno.test("a key file that never comes to its end can be interrupted", () =>
  withShell(async (shell) => {
    const fifo = `${shell.folder}/fifo`;
    await outputOf("mkfifo", [fifo]);
    const child = shell.start(
      ["run", "--ns", "a", "--key-file", "fifo", "--", "echo", "ran"],
    );
    // Opened when somebody reads it.
    using _writer = await Deno.open(fifo, { write: true });
    child.kill("SIGINT");
    const { signal, stdout } = await child.output();
    assert.deepEqual([signal, stdout.length], ["SIGINT", 0]);
  }));

/** Root may do what others may not, unless it gives that up. */
const AS_OTHERS: readonly string[] = Deno.uid() === 0
  ? ["setpriv", "--bounding-set", "-dac_override", "--"]
  : [];

Deno.test("a folder that takes no new files breaks no command", () =>
  withShell(async (shell) => {
    const program = [...AS_OTHERS, ...larderCommand()];
    const probe = await shell.run(["--version"], { program });
    if (probe.code !== 0) return console.log("skipped: there is no setpriv(1)");
    const folder = `${shell.folder}/d`;
    const line = "cat d/o; echo new > d/o || echo failed; echo ran >> log";
    const args = ["run", "--ns", "a", "--out", "d/o", "--", "sh", "-c", line];
    const run = async (source: RegExp) => {
      const { code, stdout, stderr } = await shell.run(args, { program });
      assert.equal(code, 0, stderr);
      assert.match(stderr, source);
      return stdout;
    };
    await Deno.mkdir(folder);
    await shell.write("d/o", "old\n");
    await Deno.chmod(folder, 0o555);
    const reason = /not kept: d\/o could not be set aside: permission denied/i;
    assert.equal(await run(reason), "old\n");
    assert.equal(await shell.read("d/o"), "new\n");

    await Deno.chmod(folder, 0o755);
    await run(/stored/);
    // At a hit the file is written in place, or not at all.
    await shell.write("d/o", "a longer old one\n");
    await Deno.chmod(folder, 0o555);
    await run(/hit/);
    assert.equal(await shell.read("d/o"), "new\n");
    await Deno.chmod(folder, 0o755);
    await Deno.remove(`${folder}/o`);
    await Deno.chmod(folder, 0o555);
    assert.equal(
      await run(/without the cache: .*permission denied/i),
      "failed\n",
    );
    // It is this machine's trouble: what is kept is kept.
    await Deno.chmod(folder, 0o755);
    await run(/hit/);
    assert.equal(await shell.read("log"), "ran\n".repeat(3));
  }));

Deno.test("a command may leave its folder so that it takes no new files", () =>
  withShell(async (shell) => {
    const program = [...AS_OTHERS, ...larderCommand()];
    const probe = await shell.run(["--version"], { program });
    if (probe.code !== 0) return console.log("skipped: there is no setpriv(1)");
    const folder = `${shell.folder}/d`;
    await Deno.mkdir(folder);
    await shell.write("d/o", "old\n");
    const line = "echo new > d/o; chmod 555 d";
    const args = ["run", "--ns", "a", "--out", "d/o", "--", "sh", "-c", line];
    const { code, stderr } = await shell.run(args, { program });
    assert.equal(code, 0);
    assert.match(stderr, /^larder: computed .* stored\n$/);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(names, ["o"]);
    assert.equal(await shell.read("d/o"), "new\n");
    assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o555);
  }));

Deno.test("a command may remove the folder that it works in", () =>
  withShell(async (shell) => {
    const inner = new Shell(`${shell.folder}/inner`, shell.server);
    await Deno.mkdir(inner.folder);
    const line = "rm -r ../inner; echo said; exit 5";
    const { code, stdout, stderr } = await inner.run(
      ["run", "--ns", "a", "--out", "o", "--", "sh", "-c", line],
    );
    assert.deepEqual([code, stdout], [5, "said\n"]);
    assert.match(stderr, /^larder: exit code 5, not kept: .*\n$/);
  }));
