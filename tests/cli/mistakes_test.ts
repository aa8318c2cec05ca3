/** What people get wrong is answered with what to do. */

import assert from "node:assert/strict";
import { Edge, listenRemedy } from "../../src/rpc/edge.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { hostedShells } from "./hosted_larder.ts";
import { larderCommand, type Shell, withShellAndProcess } from "./support.ts";

const withShell = await hostedShells();
const waits = sideBySide("what takes long to tell");

/** Takes connections, and answers the first bytes of each with a text, or not. */
class Stranger implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  constructor(answer?: string) {
    this.#accepting = this.#accept(answer);
  }

  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #accept(answer: string | undefined): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      if (answer !== undefined) void this.#answer(connection, answer);
    }
  }

  async #answer(connection: Deno.Conn, answer: string): Promise<void> {
    try {
      await connection.read(new Uint8Array(1024));
      await connection.write(new TextEncoder().encode(answer));
      this.#connections.delete(connection);
      connection.close();
    } catch {
      // The client has gone.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection.close();
  }
}

/** A command that cannot do without the server, and one that can. */
async function ask(shell: Shell, remote: string) {
  const env = { LARDER_REMOTE: remote };
  const ls = await shell.run(["ls"], { env });
  assert.equal(ls.stdout, "");
  const run = ["run", "--ns", "a", "--", "echo", "said"];
  const ran = await shell.run(run, { env });
  assert.deepEqual([ran.code, ran.stdout], [0, "said\n"], ran.stderr);
  return { ls, ran };
}

waits(
  "an HTTP server on the port is called one",
  () =>
    withShell(async (shell) => {
      await using http = new Stranger("HTTP/1.1 400 Bad Request\r\n\r\n");
      const { ls, ran } = await ask(shell, http.address);
      const words = `${http.address}: an HTTP server answers there, and no ` +
        "Larder, so it may be the wrong port";
      assert.equal(ls.code, 3);
      assert(ls.stderr.startsWith(`larder: ${words}`), ls.stderr);
      assert(ran.stderr.includes(`without the cache: ${words}\n`), ran.stderr);
    }),
);

waits(
  "nobody is told to start a server that answers, and whose manifest fails",
  () =>
    withShellAndProcess(async (shell) => {
      await shell.write("value", "hello");
      await shell.ok("put", "--ns", "a", "k", "value");
      // It may not make a file longer, its log of rows neither.
      const pid = String(await shell.server.serverPid());
      const args = ["--pid", pid, "--fsize=0:"];
      const limited = await new Deno.Command("prlimit", { args }).output();
      if (!limited.success) return console.log("skipped: no prlimit");
      for (const which of ["k", "--all"]) {
        const { code, stderr } = await shell.run(["rm", "--ns", "a", which]);
        assert.equal(code, 3);
        assert.match(stderr, /: the manifest fails now: .*status` says why\n$/);
      }
      const status = await shell.run(["status"]);
      assert.equal(status.code, 1);
      assert.match(status.stdout, /^trouble .*manifest takes no writes/m);
    }),
);

waits(
  "a server in plain text is called one where TLS was spoken",
  () =>
    withShell(async (shell) => {
      const env = { LARDER_REMOTE: shell.server.remote, LARDER_CA: "system" };
      for (
        const args of [["ls"], ["doctor"], ["run", "--ns", "a", "--", "true"]]
      ) {
        const { stdout, stderr } = await shell.run(args, { env });
        assert.match(
          stdout + stderr,
          /speaks plain text, .*leave LARDER_CA out/,
        );
      }
      const help = await shell.ok("run", "--help");
      assert.match(help, /--key-files-from FILE +the names/);
      const rm = ["rm", "--ns", "a", "--all", "--prefix", "x"];
      assert.equal((await shell.run(rm)).code, 2);
    }),
);

waits(
  "a program on the port that speaks neither HTTP nor gRPC is no Larder",
  () =>
    withShell(async (shell) => {
      await using ssh = new Stranger("SSH-2.0-OpenSSH_9.2p1\r\n");
      const { ls, ran } = await ask(shell, ssh.address);
      assert.equal(ls.code, 3);
      for (const { stderr } of [ls, ran]) {
        assert.match(
          stderr,
          /what answers there is no Larder, and no gRPC server/,
        );
      }
    }),
);

Deno.test("another gRPC server on the port is told from a Larder", () =>
  withShell(async (shell) => {
    const edge = new Edge({
      warn: () => {},
      maxMessageBytes: 1_000_000,
    });
    const other = edge.listen("127.0.0.1:0", []);
    try {
      const { ls, ran } = await ask(shell, other.address);
      assert.equal(ls.code, 1);
      for (const { stderr } of [ls, ran]) {
        assert.match(
          stderr,
          /: a gRPC server answers there that does not know this call: an original server, .*, or no Larder/,
        );
      }
    } finally {
      await other.close(0);
    }
  }));

waits(
  "a server that hangs is not somebody who runs the same",
  () =>
    withShell(async (shell) => {
      await using hung = new Stranger();
      const { ls, ran } = await ask(shell, hung.address);
      assert.equal(ls.code, 3);
      assert.match(
        ls.stderr,
        /connections are accepted there, and nothing answers: the server hangs, or it is no Larder/,
      );
      assert.match(
        ran.stderr,
        /running without the cache: .*no (answer|connection)/,
      );
      assert(!ran.stderr.includes("waiting for"), ran.stderr);
    }),
);

Deno.test("local and remote listener swapped: it is said which is which", () =>
  withShell(async (shell) => {
    const swapped = { LARDER_REMOTE: "", LARDER_LOCAL: shell.server.remote };
    await shell.write("value", "v");
    for (
      const args of [["get", "--ns", "a", "k"], [
        "put",
        "--ns",
        "a",
        "k",
        "value",
      ]]
    ) {
      const { code, stderr } = await shell.run(args, { env: swapped });
      assert.equal(code, 1);
      assert.match(
        stderr,
        /this is the server's remote listener, .*: give its address as remote/,
      );
    }
    // The other way round there is nothing wrong.
    const other = { LARDER_REMOTE: shell.server.local };
    const put = ["put", "--ns", "a", "k", "value"];
    assert.equal((await shell.run(put, { env: other })).code, 0);
  }));

Deno.test("an address that is written otherwise is written out", () =>
  withShell(async (shell) => {
    const wrong: [string, string][] = [
      [
        "http://cache:28056",
        "an address is host:port, without http://; write cache:28056",
      ],
      ["https://cache:1/x", "without https://; write cache:1"],
      ["grpc://cache:1", "without grpc://; write cache:1"],
      ["cache:28056/", "an address is host:port; write cache:28056"],
      ["cache", "not host:port, such as cache:28056"],
      ["cache:", "not host:port, such as cache:28056"],
      ["28056", "not host:port, such as cache.internal:28056"],
      ["cache:99999", "its port is above 65535"],
    ];
    for (const [address, words] of wrong) {
      const { code, stderr } = await shell.run(["ls", "--remote", address]);
      assert.deepEqual(
        [
          code,
          stderr.includes(`--remote ${address}: `),
          stderr.includes(words),
        ],
        [2, true, true],
        stderr,
      );
    }
  }));

Deno.test("serve says why it cannot listen, and what to do", () =>
  withShell(async (shell) => {
    // Of the addresses for documents, which no machine has.
    const serve = ["serve", "r", "-l", "off", "-r", "192.0.2.1:28056"];
    serve.push("--insecure");
    const { code, stderr } = await shell.run(serve);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /cannot listen on 192\.0\.2\.1:28056 \(EADDRNOTAVAIL\): 192\.0\.2\.1 is no address of this machine/,
    );
    const at = (port: number) => ({ hostname: "127.0.0.1", port });
    assert.match(
      listenRemedy("EACCES", at(80)),
      /^ports below 1024 are for root: choose another address with -l or -r$/,
    );
    for (
      const remedy of [
        listenRemedy("EACCES", at(1024)),
        listenRemedy("EADDRINUSE", at(80)),
      ]
    ) {
      assert.match(
        remedy,
        /^stop what uses the port, or choose another address/,
      );
    }
  }));

Deno.test("serve warns where everybody may read and write", () =>
  withRoot(async (root) => {
    await Deno.chmod(root, 0o777);
    await using server = await ServerProcess.start(root, {
      args: ["-l", "off", "-r", "0.0.0.0:0", "--insecure"],
    });
    assert.equal(await server.stop(), 0);
    const said = server.stderr;
    assert.match(
      said,
      /warn {2}0\.0\.0\.0:0 is every address .*everybody who reaches it may read and write/,
    );
    assert.match(said, /warn {2}other users .* \(mode 0777\), .*chmod 700/);
  }));

Deno.test("run says of an out that was not written no more than that, and refuses slips", () =>
  withShell(async (shell) => {
    for (const out of ["never", "no/such/folder/never"]) {
      const { code, stderr } = await shell.run([
        ...["run", "--ns", "a", "--out", out, "--", "true"],
      ]);
      assert.equal(code, 0);
      assert.match(
        stderr,
        new RegExp(`^larder: a \\w+…: not kept: ${out} was not written\n$`),
      );
    }
    const wrong: [string[], RegExp][] = [
      [
        ["--env", "A=b"],
        /--env A=b: write the name alone, --env A; .* A=b before larder sets/,
      ],
      [["--out="], /--out is empty, as of a variable that is not set/],
      [["--key-file="], /--key-file is empty/],
      [["--env="], /--env is empty/],
      [["--keyfile", "x"], /unknown flag --keyfile: did you mean --key-file\?/],
      [["--outs", "x"], /unknown flag --outs: did you mean --out\?/],
    ];
    for (const [words, message] of wrong) {
      const args = ["run", "--ns", "a", ...words, "--", "echo", "said"];
      const { code, stdout, stderr } = await shell.run(args);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, message);
    }
  }));

waits(
  "run --json ends with a line that says what became of it, and why nothing is kept",
  () =>
    withShell(async (shell) => {
      const args = ["run", "--json", "--ns", "a", "--", "echo", "said"];
      const last = async (remote: string) => {
        const env = { LARDER_REMOTE: remote };
        const { stdout, stderr } = await shell.run(args, { env });
        assert.equal(stdout, "said\n");
        const lines = stderr.trim().split("\n");
        const { key_hex: _, ...line } = JSON.parse(lines.pop()!);
        for (const each of lines) assert.match(each, /^larder: /);
        return line;
      };
      const { bytes, ...computed } = await last(shell.server.remote);
      assert.deepEqual(computed, {
        source: "computed",
        namespace: "a",
        exit_code: 0,
      });
      const { saved_ms: savedMs, ...hit } = await last(shell.server.remote);
      assert.deepEqual(hit, { ...computed, source: "hit", bytes });
      assert(savedMs >= 0);
      const { reason, ...uncached } = await last("127.0.0.1:1");
      assert.deepEqual(uncached, { ...computed, source: "uncached" });
      assert.match(reason, /ECONNREFUSED/);
    }),
);

waits(
  "get sends no binary value to a terminal, unless it is told to",
  async () => {
    if (!await hasScript()) {
      console.log("skipped the terminal: script is missing");
      return;
    }
    await withShell(async (shell) => {
      const put = (key: string, value: Uint8Array) =>
        shell.run(["put", "--ns", "a", key], { stdin: value });
      await put("text", new TextEncoder().encode("value of text\n"));
      await put("binary", Uint8Array.of(0x41, 0, 0xff, 0x42));
      const onTerminal = async (...args: string[]) => {
        const words = larderCommand("get", "--ns", "a", ...args);
        const { stdout } = await new Deno.Command("script", {
          args: [
            "-qec",
            words.map((word) => `'${word}'`).join(" "),
            "/dev/null",
          ],
          cwd: shell.folder,
          env: shell.env,
          stdin: "null",
        }).output();
        return new TextDecoder().decode(stdout);
      };
      assert.match(await onTerminal("text"), /value of text/);
      const refused = await onTerminal("binary");
      assert.match(
        refused,
        /the value is no text, and stdout is a terminal: write it with -o FILE/,
      );
      assert(!refused.includes("\0"));
      assert((await onTerminal("binary", "-o", "-")).includes("A\0"));
      assert.deepEqual(
        (await shell.run(["get", "--ns", "a", "binary"])).bytes,
        Uint8Array.of(0x41, 0, 0xff, 0x42),
      );
    });
  },
);

async function hasScript(): Promise<boolean> {
  try {
    const args = ["-qec", "true", "/dev/null"];
    return (await new Deno.Command("script", { args, stdin: "null" }).output())
      .success;
  } catch {
    return false;
  }
}
