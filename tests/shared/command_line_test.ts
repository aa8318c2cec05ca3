/** The command line, and so the library, as a user who is not the server's. */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ended } from "../confinement/support.ts";
import { ServerProcess } from "../support/server_process.ts";
import { ALICE, as, BOB, othersTest, powerless } from "./users.ts";
import { runProgram, withSharedFolder } from "./users.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const SOURCES = ["src", "workers", "proto", "deno.json", "deno.lock"];

/** Deno, its modules and our sources where others may read them. */
async function install(folder: string): Promise<string> {
  const { stdout } = await runProgram([Deno.execPath(), "info", "--json"], {
    cwd: REPOSITORY,
  });
  const { denoDir } = JSON.parse(stdout);
  const bin = join(folder, "bin");
  const program = join(folder, "program");
  await Deno.mkdir(bin);
  await Deno.mkdir(program);
  const deno = join(bin, "deno");
  // A second name costs nothing; on another disk it has to be a copy.
  const commands = [
    `ln '${Deno.execPath()}' '${deno}' || cp '${Deno.execPath()}' '${deno}'`,
    `cp -r ${
      SOURCES.map((name) => `'${REPOSITORY}${name}'`).join(" ")
    } '${program}'`,
    `chmod -R a+rX '${program}'`,
  ];
  for (const uid of [ALICE, BOB]) {
    const home = join(folder, `${uid}`);
    commands.push(
      `mkdir -p '${home}/deno'`,
      `cp -r '${denoDir}/npm' '${home}/deno/npm'`,
      `chown -R ${uid} '${home}'`,
    );
  }
  for (const command of commands) {
    const { code, stderr } = await runProgram(["sh", "-c", command]);
    assert.equal(code, 0, stderr);
  }
  return deno;
}

othersTest(
  "put, get, run and ls work as another user, whatever their umask is",
  () =>
    withSharedFolder(async (folder) => {
      const deno = await install(folder);
      const config = join(folder, "program", "deno.json");
      const main = join(folder, "program", "src", "main.ts");
      await using server = await ServerProcess.start(join(folder, "root"), {
        args: ["--shared", "-r", `unix:${folder}/closed`],
        through: powerless(),
      });
      const larder = (uid: number, ...words: string[]): Promise<Ended> => {
        const home = join(folder, `${uid}`);
        const started = `umask 077; cd "$HOME"; exec "$0" "$@"`;
        return runProgram(
          [
            ...[...as(uid), "sh", "-c", started, deno],
            ...["run", "--quiet", "--cached-only", "--config", config, "-A"],
            ...[main, ...words],
          ],
          {
            clearEnv: true,
            env: {
              PATH: `${dirname(deno)}:/usr/bin:/bin`,
              HOME: home,
              DENO_DIR: join(home, "deno"),
              LARDER_LOCAL: server.local,
            },
          },
        );
      };
      const ok = async (uid: number, ...words: string[]) => {
        const { code, stdout, stderr } = await larder(uid, ...words);
        assert.equal(code, 0, `${words}: ${stderr}`);
        return stdout;
      };
      const value = join(folder, `${ALICE}`, "value");
      await Deno.writeTextFile(value, "of Alice");
      await Deno.chown(value, ALICE, ALICE);
      await ok(ALICE, "put", "--ns", "ns", "k", value);
      assert.equal(await ok(BOB, "get", "--ns", "ns", "k"), "of Alice");
      const command = ["--", "sh", "-c", 'echo "by $(id -u)"'];
      const key = ["run", "--ns", "ns", "--key", "who"];
      assert.equal(await ok(ALICE, ...key, ...command), `by ${ALICE}\n`);
      assert.equal(await ok(BOB, ...key, ...command), `by ${ALICE}\n`);
      const large = ["--", "sh", "-c", "head -c 3000000 /dev/zero"];
      for (const uid of [BOB, ALICE]) {
        const said = await ok(
          uid,
          "run",
          "--ns",
          "ns",
          "--key",
          "large",
          ...large,
        );
        assert.equal(said.length, 3_000_000);
      }
      assert.match(await ok(BOB, "ls", "ns"), / {2}k$/m);
      // The server runs, and starting one would be of no use.
      const remote = `unix:${folder}/closed`;
      const ls = await larder(BOB, "ls", "--remote", remote);
      assert.equal(ls.code, 3, ls.stderr);
      assert.match(
        ls.stderr,
        /may not connect .*--socket-mode.*--socket-group/,
      );
      assert.doesNotMatch(ls.stderr, /start it/);

      const root = join(folder, "root");
      const doctor = await larder(BOB, "doctor", root);
      assert.equal(doctor.code, 0, doctor.stdout);
      const pid = await server.serverPid();
      for (
        const line of [
          /^ok +server +127\.0\.0\.1:\d+: larder /m,
          new RegExp(`^ok +owner +user 0, who shares it .* are ${BOB}$`, "m"),
          /^ok +staging +you may make files there$/m,
          new RegExp(`^ok +served +by process ${pid}$`, "m"),
        ]
      ) {
        assert.match(doctor.stdout, line);
      }
      assert.doesNotMatch(doctor.stdout, /chmod|chown|EACCES|let this user/);
      await server.stop();
      const stopped = await larder(BOB, "doctor", root);
      assert.match(
        stopped.stdout,
        /^warn +served +no\n +user 0 has to serve it: .* --shared$/m,
      );
      await Deno.chmod(root, 0o700);
      const closed = await larder(ALICE, "doctor", root);
      assert.match(
        closed.stdout,
        /^fail +owner +user 0; you are \d+, and may not look .*\n +run this as/m,
      );
      assert.doesNotMatch(closed.stdout, /chmod|chown|let this user/);
    }),
);
