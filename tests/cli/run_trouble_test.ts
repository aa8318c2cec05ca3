/** larder run breaks and delays no command, whatever its surroundings are like. */

import assert from "node:assert/strict";
import { outputOf } from "../client/npm_package.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { until } from "../support/waiting.ts";
import { inBash, PROGRAM } from "./bash.ts";
import { hostedShells } from "./hosted_larder.ts";
import { larderCommand, type Shell } from "./support.ts";

const withShell = await hostedShells();
const waits = sideBySide("what takes long to notice");

/** `larder run` of a line of shell. */
function shellRun(line: string, ...options: string[]): string[] {
  return ["run", "--ns", "sim", ...options, "--", "sh", "-c", line];
}

/** More than is kept in memory. */
const LONG = "head -c 2000000 /dev/zero | tr '\\0' x";

Deno.test("a temporary folder that is missing or full costs only the keeping", () =>
  withShell(async (shell) => {
    const missing = { TMPDIR: `${shell.folder}/none` };
    for (const source of ["computed", "hit"]) {
      const short = await shell.run(shellRun("echo said"), { env: missing });
      assert.deepEqual([short.code, short.stdout], [0, "said\n"]);
      assert.match(short.stderr, new RegExp(source));
    }
    const small = `${shell.folder}/small`;
    await Deno.mkdir(small);
    const mount = ["-t", "tmpfs", "-o", "size=400k", "larder", small];
    const isMounted = await outputOf("mount", mount) !== undefined;
    try {
      const args = shellRun(`${LONG}; exit 3`, "--cache-failures");
      for (const TMPDIR of isMounted ? [missing.TMPDIR, small] : []) {
        const { code, stdout, stderr } = await shell.run(args, {
          env: { TMPDIR },
        });
        assert.deepEqual([code, stdout.length], [3, 2_000_000]);
        assert.match(stderr, /not kept: cannot write it to /);
        assert.equal(stderr.trim().split("\n").length, 1, stderr);
        assert.deepEqual([...Deno.readDirSync(small)], []);
      }
      assert.match((await shell.run(args)).stderr, /stored/);
      const { code, stdout } = await shell.run(args, { env: missing });
      assert.deepEqual([code, stdout.length], [3, 2_000_000]);
    } finally {
      if (isMounted) await outputOf("umount", ["--lazy", small]);
    }
  }));

Deno.test("a full stdout is a failure in one line, and the work is given back", () =>
  withShell(async (shell) => {
    const run = "$larder run --ns sim -- sh -c 'echo said; echo ran >> log'";
    for (
      const [redirect, runs] of [["> /dev/full", 1], ["", 2], [
        "> /dev/full",
        2,
      ]] as const
    ) {
      const { code, stderr } = await inBash(shell, `${run} ${redirect}`);
      const isFull = redirect !== "";
      assert.equal(code, isFull ? 1 : 0, stderr);
      if (isFull) {
        assert.match(stderr, /cannot write what the command sa.*no space/i);
      }
      assert.doesNotMatch(stderr, /\n +at /);
      const log = await shell.read("log");
      assert.equal(log, "ran\n".repeat(runs));
    }
    // A result that was cut is none, whatever is kept.
    for (const redirect of ["> /dev/full", ""]) {
      const failures = "$larder run --ns sim --cache-failures";
      const line = `${failures} -- sh -c 'echo said; exit 3' ${redirect}`;
      const { code, stderr } = await inBash(shell, line);
      assert.equal(code, 3, stderr);
      assert.match(stderr, redirect === "" ? /stored/ : /not kept: what the/);
    }
    const quiet = await inBash(
      shell,
      "$larder run --ns sim --key 2 -- echo said 2> /dev/full",
    );
    assert.deepEqual([quiet.code, quiet.stdout], [0, "said\n"]);
    const deaf = await inBash(
      shell,
      `$larder run --ns sim --key 3 -- sh -c '${
        LONG.replaceAll("'", "'\\''")
      }' | head -c 5; exit \${PIPESTATUS[0]}`,
    );
    assert.deepEqual([deaf.code, deaf.stdout], [0, "xxxxx"]);
  }, ["--heartbeat-timeout", "1h"]));

Deno.test("a stdout that is full is said in a line, whatever is printed", () =>
  withShell(async (shell) => {
    await inBash(shell, "echo value | $larder put --ns sim key");
    const commands = ["usage --json", "status", "doctor", "--help"];
    for (const words of [...commands, "get --ns sim key"]) {
      const { code, stderr } = await inBash(
        shell,
        `$larder ${words} >/dev/full`,
      );
      assert.equal(code, 1, words);
      assert.match(stderr, /^larder: cannot write to stdout: no space.*\n$/i);
    }
  }));

Deno.test("a variable that is no address is named, and the command is run", () =>
  withShell(async (shell) => {
    const addresses = [
      "nowhere",
      " ",
      "http://127.0.0.1:1",
      "127.0.0.1:1 ",
      ":1",
      "::1:1",
      "127.0.0.1:1,127.0.0.1:2",
    ];
    for (const name of ["LARDER_REMOTE", "LARDER_LOCAL"]) {
      for (const address of addresses) {
        const env = { LARDER_REMOTE: "", [name]: address };
        const { code, stdout, stderr } = await shell.run(
          shellRun("echo said; exit 4"),
          { env },
        );
        assert.deepEqual([code, stdout], [4, "said\n"], stderr);
        assert.match(stderr, new RegExp(`${name} .*: .*\\bhost:port\\b.*\n$`));
        assert.equal(stderr.trim().split("\n").length, 1, stderr);
      }
    }
    // The other one is asked.
    const env = { LARDER_LOCAL: "nowhere" };
    const { stderr } = await shell.run(shellRun("true"), { env });
    assert.match(
      stderr,
      /LARDER_LOCAL nowhere: not host:port, such as nowhere:28056\n.*stored/,
    );
    const other = await shell.run(["ls"], { env: { LARDER_REMOTE: "x" } });
    assert.equal(other.code, 2);
    assert.match(
      other.stderr,
      /^larder: LARDER_REMOTE x: not host:port, such as x:28056\n$/,
    );
    const flag = await shell.run(
      shellRun("echo ran", "--remote", "http://a:1"),
    );
    assert.deepEqual([flag.code, flag.stdout], [2, ""]);
  }));

Deno.test("settings of TLS and tokens in the environment that are none keep no command from running", () =>
  withShell(async (shell) => {
    const wrong: [Record<string, string>, RegExp][] = [
      [{ LARDER_CA: "/nofile" }, /LARDER_CA \/nofile: there is no such file/],
      [{ LARDER_CA: "/" }, /LARDER_CA \/: is a folder, and no file/],
      [
        { LARDER_CERT: "x" },
        /LARDER_CERT needs --cert-key \(LARDER_CERT_KEY\): give both/,
      ],
      [{ LARDER_TLS_ON: "foo" }, /LARDER_TLS_ON foo: all, local or remote/],
      [
        { LARDER_TOKEN_FILE: "/nofile" },
        /LARDER_TOKEN_FILE \/nofile: there is no such file/,
      ],
    ];
    for (const [env, message] of wrong) {
      const { code, stdout, stderr } = await shell.run(
        shellRun("echo said; exit 4"),
        { env },
      );
      assert.deepEqual([code, stdout], [4, "said\n"], stderr);
      assert.match(stderr, message);
      assert.match(stderr, /^larder: .*: running without the cache: .*\n$/);
    }
    const env = wrong[3]![0];
    const ls = await shell.run(["ls"], { env });
    assert.deepEqual([ls.code, ls.stderr.split("\n").length], [2, 2]);
    assert.match(ls.stderr, wrong[3]![1]);
    for (const flag of [["--tls-on", "foo"], ["--ca", "/nofile"]]) {
      const args = shellRun("echo ran", ...flag);
      const { code, stdout, stderr } = await shell.run(args);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, new RegExp(`^larder: ${flag.join(" ")}: .*\n$`));
    }
    await shell.write("larder.toml", 'ca = "nofile.pem"\n');
    const { code, stderr } = await shell.run(shellRun("exit 4"));
    assert.equal(code, 4, stderr);
    assert.match(stderr, /ca of larder.toml .*nofile.pem: there is no such/);
  }));

waits(
  "silent addresses cost 2 s in all, and doctor counts the runs",
  () =>
    withShell(async (shell) => {
      using one = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      using two = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const [LARDER_LOCAL, LARDER_REMOTE] = [one, two].map(({ addr }) =>
        `127.0.0.1:${(addr as Deno.NetAddr).port}`
      ) as [string, string];
      const XDG_STATE_HOME = `${shell.folder}/state`;
      const runs = [
        { LARDER_LOCAL, LARDER_REMOTE, XDG_STATE_HOME },
        { LARDER_LOCAL: "", LARDER_REMOTE, XDG_STATE_HOME },
      ];
      const idle = await timed(shell, {
        LARDER_REMOTE: "127.0.0.1:1",
        XDG_STATE_HOME,
      });
      let withoutCache = 1;
      for (const env of runs) {
        let quickestMs = Infinity;
        // Beside the silence it takes as long as one that is told at once; on a
        // machine that has other things to do, some more, but not each time.
        const mostMs = idle.ms + 3_500;
        for (let tries = 0; tries < 4 && quickestMs >= mostMs; tries++) {
          const { ms, stderr } = await timed(shell, env);
          const silent = [env.LARDER_LOCAL, env.LARDER_REMOTE]
            .filter((address) => address !== "")
            .map((address) => `${address}: .*no (answer|connection) within`);
          assert.match(
            stderr,
            new RegExp(`without the cache: .*${silent.join(".*; ")}`),
          );
          assert.equal(stderr.trim().split("\n").length, 1, stderr);
          quickestMs = Math.min(quickestMs, ms);
          withoutCache++;
        }
        assert(quickestMs < mostMs, `${quickestMs} ms, ${idle.ms} ms`);
      }
      // Whichever answers is asked.
      const env = { LARDER_LOCAL, XDG_STATE_HOME };
      assert.match((await timed(shell, env)).stderr, /stored/);
      const { stdout } = await shell.run(["doctor"], {
        env: { XDG_STATE_HOME },
      });
      const [, counted] =
        /^warn {2}runs +(\d+) without the cache in 7 days/m.exec(stdout) ?? [];
      assert.equal(Number(counted), withoutCache, stdout);
    }),
);

async function timed(shell: Shell, env: Record<string, string>) {
  const startMs = performance.now();
  const ended = await shell.run(shellRun("echo said"), { env });
  assert.deepEqual([ended.code, ended.stdout], [0, "said\n"]);
  return { ...ended, ms: performance.now() - startMs };
}

waits(
  "a daemon that has the command's stdout is not waited for",
  () =>
    withShell(async (shell) => {
      for (
        const daemon of ["sleep 60", "while sleep 0.1; do echo more; done"]
      ) {
        const line = `(${daemon}) & echo $! > pid; echo said; exit 5`;
        const startMs = performance.now();
        // In a process of its own, as it goes on writing where others would read.
        const { code, stdout, stderr } = await shell.run(
          shellRun(line, "--cache-failures"),
          { program: larderCommand() },
        );
        assert(performance.now() - startMs < 30_000);
        assert.equal(code, 5);
        assert.match(stdout, /^said\n/);
        assert.match(stderr, /not kept: a process that the command has left/);
        await outputOf("pkill", ["-P", (await shell.read("pid")).trim()]);
        await outputOf("kill", [(await shell.read("pid")).trim()]);
      }
      // Who reads slowly loses nothing.
      const slow = await inBash(
        shell,
        `$larder run --ns sim -- sh -c "${
          LONG.replaceAll("\\", "\\\\")
        }; echo end" | (sleep 3; tail -c 4)`,
      );
      assert.equal(slow.stdout, "end\n");
      assert.match(slow.stderr, /stored/);
    }),
);

Deno.test("an out that is still being written is not kept", () =>
  withShell(async (shell) => {
    for (const out of ["o", "d/", "d/*"]) {
      const line = `mkdir -p d; (echo half; exec sleep 60) > ${
        out === "o" ? "o" : "d/o"
      } 2> errors & echo $! > pid; until [ -s o ] || [ -s d/o ]; do sleep 0.01; done`;
      const { code, stderr } = await shell.run(shellRun(line, "--out", out));
      const pid = (await shell.read("pid")).trim();
      assert.equal(code, 0);
      assert.equal(
        stderr.replace(/sim \w+…/, "…"),
        `larder: …: not kept: ${out} is still being written, by process ` +
          `number ${pid}\n`,
      );
      await outputOf("kill", [pid]);
      await outputOf("rm", ["-rf", `${shell.folder}/o`, `${shell.folder}/d`]);
    }
    // Who only reads it, and who writes something else, changes nothing of it.
    const line = "echo whole > o; (sleep 60 < o > other 2> errors) & " +
      "echo $! > pid; until [ -e other ]; do sleep 0.01; done";
    const { stderr } = await shell.run(shellRun(line, "--out", "o"));
    assert.match(stderr, /stored/);
    await outputOf("pkill", ["-P", (await shell.read("pid")).trim()]);
  }));

Deno.test("a signal gives the work back at once, while the command still ends", () =>
  withShell(async (shell) => {
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    for (const [signal, code] of [["SIGTERM", 9], ["SIGQUIT", 0]] as const) {
      const line = `trap 'read x < fifo; exit ${code}' TERM QUIT; ` +
        "echo started; while :; do sleep 0.1; done";
      const child = shell.start(shellRun(line));
      const reader = child.stdout.getReader();
      await reader.read();
      child.kill(signal);
      // The lease would last an hour.
      await shell.untilLoading(0);
      await shell.write("fifo", "end\n");
      assert.equal((await child.status).code, code, signal);
      await reader.cancel();
      assert.match(
        await new Response(child.stderr).text(),
        new RegExp(`exit code ${code} after ${signal}, not kept: `),
      );
    }
    // What is for the command goes there, and ends nothing.
    const line = "trap 'echo had; exit 0' USR1; echo started; " +
      "while :; do sleep 0.1; done";
    const child = shell.start(shellRun(line));
    const reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    await reader.read();
    child.kill("SIGUSR1");
    assert.equal((await reader.read()).value, "had\n");
    await reader.cancel();
    assert.match(await new Response(child.stderr).text(), /stored/);
    await child.status;
  }, ["--heartbeat-timeout", "1h"]));

waits(
  "a shell that dies of a signal is not outlived by waiting for its child",
  () =>
    withShell(async (shell) => {
      const child = shell.start(shellRun("echo started; sleep 60; echo never"));
      const reader = child.stdout.getReader();
      await reader.read();
      const startMs = performance.now();
      child.kill("SIGTERM");
      assert.equal((await child.status).code, 143);
      assert(performance.now() - startMs < 30_000);
      await reader.cancel();
      await child.stderr.cancel();
    }),
);

Deno.test("under nohup, a run stays deaf to SIGHUP, and what it runs does", () =>
  withShell(async (shell) => {
    await outputOf("mkfifo", [`${shell.folder}/fifo`]);
    const line = 'nohup $larder run --ns sim -- sh -c "echo started > log; ' +
      'kill -HUP \\$\\$; read x < fifo; echo said" & ' +
      "while [ ! -s log ]; do sleep 0.05; done; kill -HUP $!; sleep 0.2; " +
      "echo go > fifo; wait $!";
    const { code, stdout, stderr } = await inBash(shell, line);
    assert.deepEqual([code, stdout], [0, "said\n"], stderr);
    assert.match(stderr, /stored/);
  }));

Deno.test("Ctrl-C reaches the command once, also where stdin is no terminal", () =>
  withShell(async (shell) => {
    if (await outputOf("script", ["--version"]) === undefined) {
      return console.log("skipped: there is no script(1)");
    }
    const inner =
      "trap 'echo INT >> ints; sleep 0.5; exit 6' INT; echo > started; " +
      "while :; do sleep 0.1; done";
    await shell.write("inner.sh", inner);
    const line = `${PROGRAM} run --ns sim -- sh inner.sh < /dev/null`;
    await shell.write("outer.sh", `${line}; echo $? > code`);
    const child = new Deno.Command("script", {
      args: ["-qc", "sh outer.sh", "/dev/null"],
      cwd: shell.folder,
      env: shell.env,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await shell.wrote("started", "\n");
    await writer.write(new Uint8Array([3]));
    // The shell around it may die of it as well; then nobody says the code.
    let isOver = false;
    void child.status.then(() => isOver = true);
    await until(async () =>
      isOver || (await shell.read("code").catch(() => "")).endsWith("\n")
    );
    await writer.close().catch(() => {});
    await child.status;
    assert.equal(await shell.read("ints"), "INT\n");
  }));

Deno.test("an out that cannot be replaced is written in place at a hit", () =>
  withShell(async (shell) => {
    await Deno.mkdir(`${shell.folder}/d`);
    const args = shellRun(
      "echo ran >> log; echo new > d/o; chmod 600 d/o",
      "--out",
      "d/o",
    );
    assert.match((await shell.run(args)).stderr, /stored/);
    const out = `${shell.folder}/d/o`;
    await shell.write("source", "a longer old one");
    const mounts: [string[], string][] = [
      // A mounted file; then a folder that takes nothing new around one.
      [["--bind", `${shell.folder}/source`, out], out],
    ];
    for (const [mount, path] of mounts) {
      if (await outputOf("mount", mount) === undefined) {
        return console.log("skipped: nothing can be mounted");
      }
      try {
        const { code, stderr } = await shell.run(args);
        assert.equal(code, 0);
        assert.match(stderr, /hit/);
        assert.equal(await shell.read("source"), "new\n");
      } finally {
        await outputOf("umount", ["--lazy", path]);
      }
    }
    assert.equal(await shell.read("log"), "ran\n");
  }));

Deno.test("a local listener of another user's is left for the remote one", () =>
  withShell(async (shell) => {
    if (Deno.uid() !== 0) return console.log("skipped: not root");
    await Deno.chmod(shell.folder, 0o777);
    const env = {
      LARDER_LOCAL: shell.server.local,
      HOME: shell.folder,
      // Ours is not for everybody to read.
      DENO_DIR: `${shell.folder}/deno`,
    };
    const program = [
      ...["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
      ...larderCommand(),
    ];
    const probe = await shell.run(["--version"], { program, env });
    if (probe.code !== 0) {
      return console.log("skipped: another user cannot run this program");
    }
    for (const source of ["computed", "hit"]) {
      const args = shellRun("echo said > o", "--out", "o");
      const { code, stderr } = await shell.run(args, { program, env });
      assert.equal(code, 0, stderr);
      assert.match(stderr, new RegExp(source));
    }
  }));

waits(
  "a home where nothing can be made, or noted, delays no command",
  () =>
    withShell(async (shell) => {
      const nowhere = { LARDER_LOCAL: "", LARDER_REMOTE: "127.0.0.1:1" };
      const state = `${shell.folder}/state`;
      await Deno.mkdir(`${state}/larder`, { recursive: true });
      const fifo = `${state}/larder/uncached.jsonl`;
      assert.ok(await outputOf("mkfifo", [fifo]) !== undefined);
      for (const XDG_STATE_HOME of ["/proc/none", state, "/dev/null"]) {
        const env = { ...nowhere, XDG_STATE_HOME };
        const { code, stdout, stderr } = await shell.run(
          shellRun("echo said"),
          { env },
        );
        assert.deepEqual([code, stdout], [0, "said\n"], stderr);
        assert.match(stderr, /without the cache/);
      }
    }),
);
