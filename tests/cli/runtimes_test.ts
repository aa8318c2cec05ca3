/** What must be the same on Deno and on Node, and once was not. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { installedPackage } from "../client/installed_package.ts";
import { outputOf } from "../client/npm_package.ts";
import { inQuotes } from "./bash.ts";
import { HostedLarder } from "./hosted_larder.ts";
import { larderCommand, type Shell, TASK, withShell } from "./support.ts";

const ON_NODE = fileURLToPath(
  new URL("./programs/larder_on_node.mjs", import.meta.url),
);

/** How often a race is given its chance. */
const TRIES = 3;

type Run = (...args: string[]) => ReturnType<Shell["run"]>;

/** What a test does with one of the two programs. */
type Body = (
  run: Run,
  shell: Shell,
  ns: string,
  /** Starts a process for one command, where that is what is looked at. */
  program: readonly string[],
) => Promise<void>;

/** How the commands run on a runtime. */
interface Runtime {
  readonly name: string;
  readonly program: readonly string[];
  readonly hosts: readonly HostedLarder[];
}

/** For the commands that could be run one after the other in one process. */
const RUNTIMES = await runtimes();

async function runtimes(): Promise<readonly Runtime[]> {
  const name = "Deno";
  const hosts = [await HostedLarder.start()];
  const deno = { name, program: larderCommand(), hosts };
  const folder = await Deno.makeTempDir({ prefix: "larder-" });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  const project = await installedPackage(folder);
  if (project.skip !== undefined) {
    console.log(`skipped larder on Node: ${project.skip}`);
    return [deno];
  }
  const modules = `${project.folder}/node_modules`;
  const host = ["node", ON_NODE, `${modules}/@larder/larder`];
  return [deno, {
    name: "Node",
    program: [`${modules}/.bin/larder`],
    hosts: [await HostedLarder.start(host)],
  }];
}

const TESTS: Record<string, Body> = {
  "run works in folders of its own whatever the umask is": async (
    _run,
    shell,
    ns,
    program,
  ) => {
    // Deno would leave files in its cache that nobody can read.
    if (program.length > 1) return;
    const script = `
      umask 022; mkdir tmp home
      run() {
        ${program[0]} run --ns ${ns} --out q --out d/ -- sh -c '
          mkdir -p d/e; echo 1 > q; echo 2 > d/e/f; head -c 600000 /dev/zero'
      }
      run | wc -c
      for mask in 277 377 477 777; do
        rm -rf q d; umask $mask; run | wc -c; cat q d/e/f; umask 022
      done
      find . -name '*larder-*' -not -path './home/*'`;
    const { code, stdout, stderr } = await new Deno.Command("setpriv", {
      args: [
        ...["--bounding-set", "-dac_override,-dac_read_search", "--"],
        ...["bash", "-c", script],
      ],
      cwd: shell.folder,
      env: {
        ...shell.env,
        TMPDIR: `${shell.folder}/tmp`,
        XDG_STATE_HOME: `${shell.folder}/home`,
      },
    }).output();
    const said = new TextDecoder().decode(stderr);
    assert.equal(code, 0, said);
    const kept = "600000\n1\n2\n";
    const text = new TextDecoder().decode(stdout);
    assert.equal(text, `600000\n${kept.repeat(4)}`, said);
    assert.equal(said.match(/larder: hit/g)?.length, 4, said);
  },
  "run hands the job slots of make -j on": async (
    _run,
    shell,
    ns,
    program,
  ) => {
    const run = `${inQuotes(program)} run --ns ${ns} --key`;
    await shell.write(
      "Makefile",
      `all: with without\nwith:\n\t+${run} 1 -- $(MAKE) -f sub.mk\n` +
        // Told of the slots, and not given them: nothing else comes in their place.
        `without:\n\t${run} 2 -- sh -c 'ls -l /proc/self/fd'\n`,
    );
    // Each waits for the other.
    await shell.write(
      "sub.mk",
      "all: a b\na:\n\t@echo > $@; until [ -e b ]; do sleep 0.02; done\n" +
        "b:\n\t@echo > $@; until [ -e a ]; do sleep 0.02; done\n",
    );
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", "command -v make >&2 || exit 9; timeout 30 make -j4"],
      cwd: shell.folder,
      env: shell.env,
    }).output();
    if (code === 9) return console.log("skipped: no make");
    const text = new TextDecoder();
    const said = text.decode(stderr);
    assert.equal(code, 0, said);
    assert.doesNotMatch(said, /jobserver unavailable/);
    assert.equal(said.match(/larder: computed/g)?.length, 2, said);
    assert.doesNotMatch(text.decode(stdout), /anon_inode/);
  },
  "run keeps nothing of a key file that changes, nor old outs": async (
    run,
    shell,
    ns,
  ) => {
    await shell.write("in", "A");
    await shell.write("out", "old");
    const args = ["run", "--ns", ns, "--key-file", "in", "--out", "out", "--"];
    const line = "cat in >> out; [ -e go ] || { echo B > in; touch go; }";
    const changed = await run(...args, "sh", "-c", line);
    assert.match(changed.stderr, /not kept: in changed while the command ran/);
    for (const source of ["computed", "hit"]) {
      const { stderr } = await run(...args, "sh", "-c", line);
      assert.match(stderr, new RegExp(source));
      assert.equal(await shell.read("out"), "B\n");
    }
    const failed = await run(...args, "sh", "-c", "exit 3");
    assert.equal(failed.code, 3);
    assert.equal(await shell.read("out"), "B\n");
    const refused = await run(
      ...args.slice(0, -1),
      "--out",
      "in",
      "--",
      "true",
    );
    assert.equal(refused.code, 2);
    for (const name of ["in", "out", "go"]) {
      await Deno.remove(`${shell.folder}/${name}`);
    }
  },
  "run breaks no command where its surroundings are broken": async (
    _run,
    shell,
    ns,
    program,
  ) => {
    const args = ["run", "--ns", ns, "--", "sh", "-c", "echo said; exit 4"];
    const env = { LARDER_REMOTE: "http://x", TMPDIR: "/dev/null" };
    const { code, stdout, stderr } = await shell.run(args, { program, env });
    assert.deepEqual([code, stdout], [4, "said\n"]);
    assert.match(
      stderr,
      /LARDER_REMOTE http:\/\/x: .* without http:\/\/; write x\n$/,
    );
    const full = new Deno.Command("sh", {
      args: ["-c", 'exec "$0" "$@" > /dev/full', ...program, ...args],
      cwd: shell.folder,
      env: shell.env,
    });
    const ended = await full.output();
    assert.equal(ended.code, 4);
    const said = new TextDecoder().decode(ended.stderr);
    assert.match(said, /cannot write what the command says: .*no space left/i);
  },
  "a limit of the size of files that run meets breaks no command": async (
    _run,
    shell,
    ns,
    program,
  ) => {
    const line = "command -v prlimit || exit 9; " +
      "prlimit --pid $PPID --fsize=1048576: && truncate -s 3M limited";
    const { code, stderr } = await shell.run(
      ["run", "--ns", ns, "--out", "limited", "--", "sh", "-c", line],
      {
        program,
        env: { LARDER_REMOTE: "", LARDER_LOCAL: shell.server.local },
      },
    );
    if (code === 9) return console.log("skipped: no prlimit");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /not kept: .*no room for the value/);
  },
  "run leaves a daemon alone that has the command's stdout": async (
    _run,
    shell,
    ns,
    program,
  ) => {
    const line = "sleep 30 & echo $!";
    const { code, stdout, stderr } = await shell.run(
      ["run", "--ns", ns, "--", "sh", "-c", line],
      { program },
    );
    assert.equal(code, 0);
    assert.match(stderr, /not kept: a process that the command has left/);
    Deno.kill(Number(stdout));
  },
  "all that a short command says is kept": async (
    _run,
    shell,
    ns,
    program,
  ) => {
    for (let at = 0; at < TRIES; at++) {
      const args = ["run", "--ns", ns, "--key", `${at}`, "--"];
      const command = ["printf", "%s", "said"];
      for (const source of ["computed", "hit"]) {
        const { code, stdout, stderr } = await shell.run(
          [...args, ...command],
          { program },
        );
        assert.deepEqual([code, stdout], [0, "said"], stderr);
        assert.match(stderr, new RegExp(`^larder: ${source} `));
      }
    }
  },
  "what cannot be run is said in a line, and has the code of a shell": async (
    run,
    shell,
    ns,
  ) => {
    await shell.write("plain", "no program");
    const cases: [string, number, RegExp][] = [
      ["no-such-one", 127, /^larder: cannot run no-such-one: not found\n/],
      ["./plain", 126, /^larder: cannot run \.\/plain: .*EACCES\n/],
      ["", 2, /^larder: the command has no name\n$/],
    ];
    for (const [program, expected, message] of cases) {
      const { code, stderr } = await run("run", "--ns", ns, "--", program);
      assert.equal(code, expected, stderr);
      assert.match(stderr, message);
    }
  },
  "-o writes through links and into what is no file": async (
    run,
    shell,
    ns,
  ) => {
    await shell.write("value", "kept\n");
    await run("put", "--ns", ns, "k", "value");
    const get = ["get", "--ns", ns, "k", "-q", "-o"];
    await shell.write("file", "before");
    await Deno.symlink("file", `${shell.folder}/link`);
    assert.equal((await run(...get, "link")).code, 0);
    assert.equal(await shell.read("file"), "kept\n");
    assert((await Deno.lstat(`${shell.folder}/link`)).isSymlink);
    await Deno.remove(`${shell.folder}/file`);
    assert.equal((await run(...get, "link")).code, 0);
    assert.equal(await shell.read("file"), "kept\n");

    // A pipe with a name stands for all that must not be replaced.
    const fifo = `${shell.folder}/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    const reading = Deno.readTextFile(fifo);
    assert.equal((await run(...get, "fifo")).code, 0);
    assert.equal(await reading, "kept\n");
    assert((await Deno.lstat(fifo)).isFifo);
    for (const name of ["link", "file", "fifo"]) {
      await Deno.remove(`${shell.folder}/${name}`);
    }
  },
  "files that cannot be used are named in one line": async (run, shell, ns) => {
    await shell.write("file", "");
    const missing = "no such file or directory";
    const key = ["--ns", ns, "k"];
    await run("put", ...key, "file");
    const cases: [string[], number, string][] = [
      [["put", ...key, "none"], 2, `cannot read none: ${missing}`],
      [["put", ...key, "."], 2, "cannot read .: it is a folder"],
      [["get", "--ns", ns, "--key-file", "none"], 2, `none: ${missing}`],
      [["run", "--ns", ns, "--key-file", "none", "--", "true"], 2, missing],
      [["get", ...key, "-o", "."], 1, "cannot write .: it is a folder"],
      [["get", ...key, "-o", "file/x"], 1, "cannot write file/x: not a dir"],
    ];
    for (const [args, expected, message] of cases) {
      const { code, stderr } = await run(...args);
      assert.equal(code, expected, `${args}: ${stderr}`);
      assert(stderr.includes(message), stderr);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
  },
  "doctor tries what the permissions only promise": async (run, shell) => {
    const disk = await readOnlyDisk(`${shell.folder}/disk`);
    if (!disk) return;
    await using _disk = disk;
    const { code, stdout } = await run("doctor", "disk");
    assert.equal(code, 1);
    assert.match(stdout, /^fail {2}writable .*read-only\n +mount it /m);
    assert.match(stdout, /^fail {2}disk .* 50\.0 MiB free\n +make room/m);
    const below = await run("doctor", "disk/not/there");
    assert.equal(below.code, 1);
    assert.match(below.stdout, /^fail {2}root .* is not there\n +mount it /m);
    assert.match(below.stdout, /^fail {2}disk .* 50\.0 MiB free$/m);
  },
  "an empty key is a key for whoever says so": async (run, shell, ns) => {
    await shell.write("empty", "");
    await shell.write("value", "of nothing");
    await run("put", "--ns", ns, "--key-hex", "", "value");
    for (const key of [["--key-file", "empty"], [""]]) {
      assert.equal((await run("get", "--ns", ns, ...key)).code, 2);
    }
    for (const key of [["--key-hex", ""], ["hex:"]]) {
      const { code, stdout, stderr } = await run("get", "--ns", ns, ...key);
      assert.deepEqual([code, stdout], [0, "of nothing"], stderr);
    }
  },
  "an address that is none is a wrong use, and a server that is away is not":
    async (run) => {
      for (const address of ["foo", "127.0.0.1:99999", ":1"]) {
        const { code, stderr } = await run("usage", "--remote", address);
        assert.deepEqual(
          [code, stderr.startsWith(`larder: --remote ${address}: `)],
          [2, true],
          stderr,
        );
      }
      const { code, stderr } = await run("usage", "--remote", "127.0.0.1:1");
      assert.equal(code, 3);
      assert.match(stderr, /ECONNREFUSED .*: start it, or say where it is/);
    },
};

Deno.test("larder is the same on Deno and on Node", async (test) => {
  for (const { name: runtime, program, hosts } of RUNTIMES) {
    await withShell(
      async (shell) => {
        for (const [name, body] of Object.entries(TESTS)) {
          await test.step(`${runtime}: ${name}`, async () => {
            const run: Run = (...args) => shell.run(args);
            await body(run, shell, runtime, program);
          });
        }
      },
      [],
      hosts,
    );
  }
});

/** A small file system; `undefined`, with a line on stdout: none can be mounted. */
async function readOnlyDisk(
  path: string,
): Promise<AsyncDisposable | undefined> {
  await Deno.mkdir(path, { recursive: true });
  const options = "ro,size=50m,mode=0700";
  const mount = ["-t", "tmpfs", "-o", options, "larder", path];
  if (await outputOf("mount", mount) === undefined) {
    return void console.log("skipped: no file system can be mounted");
  }
  return {
    [Symbol.asyncDispose]: async () =>
      void await outputOf("umount", ["--lazy", path]),
  };
}

Deno.test("the task works where it is called, with all that its user may read", () =>
  withShell(async (shell) => {
    const program = [...TASK, "larder"];
    await shell.write("file", "from here");
    const key = ["--ns", "task", "--key-file", "/proc/version"];
    const stdin = new TextEncoder().encode("piped");
    for (const path of ["file", "-"]) {
      const args = ["put", ...key, path, "--replace"];
      const { code, stderr } = await shell.run(args, { program, stdin });
      assert.equal(code, 0, stderr);
    }
    assert.equal(await shell.ok("get", ...key), "piped");
  }));
