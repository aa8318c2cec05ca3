/** larder run --dry-run, and stdin as a part of the key. */

import assert from "node:assert/strict";
import { hostedShells } from "./hosted_larder.ts";
import type { Shell } from "./support.ts";

const withShell = await hostedShells();

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

/** What --dry-run says, with notes of its own. */
async function dry(
  shell: Shell,
  [run, ...args]: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return await shell.run([run!, "--dry-run", ...args], {
    env: { XDG_STATE_HOME: `${shell.folder}/.state`, ...env },
  });
}

Deno.test("--dry-run runs nothing, and says what a run would do", () =>
  withShell(async (shell) => {
    const env = { XDG_STATE_HOME: `${shell.folder}/.state` };
    await Deno.mkdir(`${shell.folder}/rtl`);
    await shell.write("rtl/a.v", "a");
    await shell.write("rtl/b.v", "b");
    const args = (...options: string[]) =>
      shellRun(
        "echo ran >> log; echo o > o",
        ...["--key-file", "rtl", "--out", "o", ...options],
      );
    const first = await dry(shell, args());
    assert.equal(first.code, 1);
    assert.match(
      first.stdout,
      /^would run sim \S+: no run of these outs is remembered here\n$/,
    );
    await assert.rejects(shell.read("log"));
    assert.match((await shell.run(args(), { env })).stderr, /stored/);
    const hit = await dry(shell, args());
    assert.equal(hit.code, 0);
    assert.match(hit.stdout, /^hit sim \S+ .*iB, kept \S.*\n$/);
    assert(
      hit.stdout.includes(
        `: sh -c 'echo ran >> log; echo o > o', in ${shell.folder} on `,
      ),
      hit.stdout,
    );
    const changes: [string, () => Promise<unknown>, string[], RegExp][] = [
      ["a file", () => shell.write("rtl/a.v", "A"), [], /: rtl\/a\.v changed;/],
      [
        "a new one",
        () => shell.write("rtl/c.v", ""),
        [],
        /: rtl\/a\.v changed; rtl\/c\.v is new; compared with the last run here/,
      ],
      [
        "one that is gone",
        () => Deno.remove(`${shell.folder}/rtl/b.v`),
        [],
        /rtl\/b\.v is gone/,
      ],
      [
        "words",
        () => Promise.resolve(),
        ["--key", "gcc 12", "--env", "MODE"],
        /--key gcc 12 is new; --env MODE is new;/,
      ],
    ];
    for (const [what, change, options, message] of changes) {
      await change();
      const { code, stdout, stderr } = await dry(shell, args(...options));
      assert.equal(code, 1, what);
      assert.match(stdout, message, stderr);
    }
    assert.equal(await shell.read("log"), "ran\n");
    const other = shellRun("true", "--key-file", "rtl", "--out", "o");
    assert.match((await dry(shell, other)).stdout, /the command is another/);
    const json = await dry(shell, args("--json"));
    const { would, why } = JSON.parse(json.stdout);
    assert.deepEqual([would, why[0]], ["run", "rtl/a.v changed"]);
  }));

Deno.test("an output says which run has made it, unless that is nobody's business", () =>
  withShell(async (shell) => {
    const line = 'echo "$TOKEN" > o';
    const keep = async (...options: string[]) => {
      const args = shellRun(line, "--out", "o", "--json", ...options);
      const { stderr } = await shell.run(args);
      const { source, key_hex: key } = JSON.parse(stderr);
      assert.equal(source, "computed", stderr);
      return ["--ns", "sim", "--key-hex", key];
    };
    const noted = await keep();
    const { made } = await shell.json("stat", ...noted);
    const { command, folder, host, at_ms: atMs } = made as never;
    assert.deepEqual([command, folder, host], [
      `sh -c '${line}'`,
      shell.folder,
      Deno.hostname(),
    ]);
    assert(Math.abs(Date.now() - atMs) < 600_000);
    const told = await shell.ok("stat", ...noted);
    assert.match(told, /\ncommand {9}sh -c 'echo "\$TOKEN" > o'\nin .*\non /);
    const unnoted = await keep("--no-origin", "--key", "other");
    assert(!("made" in await shell.json("stat", ...unnoted)));
    assert(!(await shell.ok("get", ...unnoted)).includes(Deno.hostname()));
    // Looking is no hit.
    const { hits } = await shell.json("usage");
    assert.equal(hits, 1);
  }));

Deno.test("--dry-run says of a run that was not kept why", () =>
  withShell(async (shell) => {
    const env = { XDG_STATE_HOME: `${shell.folder}/.state` };
    const unwritten = shellRun("true", "--out", "o");
    await shell.run(unwritten, { env });
    assert.match(
      (await dry(shell, unwritten)).stdout,
      /nothing differs from the last run here, which was not kept: o was not/,
    );
    const failing = shellRun("exit 3", "--out", "p");
    await shell.run(failing, { env });
    assert.match((await dry(shell, failing)).stdout, /which failed\n/);
    const gone = shellRun("echo gone");
    await shell.run(gone, { env });
    const { stdout } = await dry(shell, gone);
    assert.match(stdout, /^hit/);
    const unreachable = { LARDER_REMOTE: "127.0.0.1:1" };
    const away = await dry(shell, gone, unreachable);
    assert.equal(away.code, 1);
    assert.match(away.stdout, /would run sim \S+: without the cache: 127/);
  }));

Deno.test("--stdin is what the command reads, and part of the key", () =>
  withShell(async (shell) => {
    const large = "x".repeat(3_000_000);
    const args = shellRun("cat; echo ran >> log", "--stdin");
    for (const text of ["a", "b", "", large]) {
      const stdin = new TextEncoder().encode(text);
      for (const source of ["computed", "hit"]) {
        const { code, stdout, stderr } = await shell.run(args, { stdin });
        assert.equal(code, 0, stderr);
        assert(stdout === text, source);
        assert.match(stderr, new RegExp(`^larder: ${source}`));
      }
    }
    assert.equal(await shell.read("log"), "ran\n".repeat(4));
    // Without a server, and where there is no room for it.
    for (const env of [{ LARDER_REMOTE: "127.0.0.1:1" }, { TMPDIR: "/none" }]) {
      const stdin = new TextEncoder().encode(`${large}y`);
      const { code, stdout } = await shell.run(args, { stdin, env });
      assert.equal(code, 0);
      assert(stdout === `${large}y`);
    }
    // A command that reads nothing of it.
    const deaf = shellRun("exec 0<&-; echo deaf", "--stdin");
    const stdin = new TextEncoder().encode(large);
    assert.equal((await shell.run(deaf, { stdin })).stdout, "deaf\n");
  }));
