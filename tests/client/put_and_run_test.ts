/** `larder put FILE` and `larder run` publish again what was cut on the way. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { HostedLarder } from "../cli/hosted_larder.ts";
import { Shell } from "../cli/support.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import type { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/waiting.ts";
import { testLarderOnEach } from "./runtimes.ts";
import { withLauncher, withServerHere } from "./support.ts";

/** For the commands that look at what was published. */
const HOSTS = [await HostedLarder.start()];
const SIZE = 4_000_000;
const HALF = 1_500_000;

const VALUE = new Uint8Array(SIZE).fill(7);

/** What publishes `SIZE` bytes under a namespace, and how it is seen. */
interface Publisher {
  readonly args: (ns: string) => readonly string[];
  readonly said: RegExp;
  /** Afterwards, from another process. */
  readonly check: (shell: Shell, ns: string) => Promise<void>;
}

const PUBLISHERS: Record<string, Publisher> = {
  "put FILE": {
    args: (ns) => ["put", "--ns", ns, "put", "file"],
    said: /3\.8 MiB stored/,
    async check(shell, ns) {
      const { bytes } = await shell.run(["get", "--ns", ns, "put"]);
      assert.deepEqual(bytes, VALUE);
    },
  },
  "run": {
    args: runArgs,
    said: /computed .*stored/,
    async check(shell, ns) {
      const { stderr, stdout } = await shell.run(runArgs(ns));
      assert.match(stderr, /hit/);
      assert.equal(stdout, "x".repeat(SIZE));
      assert.equal(await shell.read(ns), "ran\n");
    },
  },
};

function runArgs(ns: string): string[] {
  const line = `echo ran >> ${ns}; head -c ${SIZE} /dev/zero | tr '\\0' x`;
  return ["run", "--ns", ns, "--", "sh", "-c", line];
}

/** Machines of tests are busy. */
const AT_MOST_MS = 120_000;

/** What happens to a publish when half of it has come through, until it is over. */
const WAYS: Record<
  string,
  (proxy: FaultProxy, server: ServerProcess) => unknown
> = {
  "its connection is reset": (proxy) => proxy.cut("resetAndDestroy"),
  // The launcher starts another one.
  async "the server is killed"(_, server) {
    const pid = await server.serverPid();
    Deno.kill(pid, "SIGKILL");
    await until(async () => await server.serverPid() !== pid, AT_MOST_MS);
    const port = Number(server.remote.split(":").at(-1));
    const answers = () =>
      Deno.connect({ port }).then((connection) => {
        connection.close();
        return true;
      }, () => false);
    await until(answers, AT_MOST_MS);
  },
};
/** The commands wait for 10 s, and are as late as everything else is. */
const SOON_BACK_MS = 4_000;
const MOST_TRIES = 5;

testLarderOnEach(
  "when the server restarts: what put and run publish is published again",
  async (program) => {
    await using folder = await temporaryFolder();
    await withLauncher(async (server) => {
      const shell = new Shell(folder.path, server, HOSTS);
      await shell.write("file", VALUE);
      for (const [at, strike] of Object.values(WAYS).entries()) {
        for (const publisher of Object.values(PUBLISHERS)) {
          const ns = `way_${at}`;
          const struck = (proxy: FaultProxy) => strike(proxy, server);
          await publishTwice(shell, publisher, { ns, program, strike: struck });
        }
      }
    });
  },
);

testLarderOnEach(
  "when the connection breaks while a stream is produced: put from a pipe says what to do",
  async (program) => {
    await using folder = await temporaryFolder();
    await withServerHere(async (server) => {
      const shell = new Shell(folder.path, server, HOSTS);
      const reset = { toServer: { afterBytes: HALF, then: "reset" } } as const;
      await using proxy = await FaultProxy.start(server.remote, [
        reset,
        {},
        {},
      ]);
      const child = shell.start(
        ["put", "--ns", "a", "k", "-"],
        { program, stdin: VALUE, env: { LARDER_REMOTE: proxy.address } },
      );
      // It reads no more of it than it can send.
      const piped = ReadableStream.from([VALUE]).pipeTo(child.stdin);
      const [ended] = await Promise.all([
        child.output(),
        piped.catch(() => {}),
      ]);
      const { code } = ended;
      const stderr = new TextDecoder().decode(ended.stderr);
      assert.equal(code, 1, stderr);
      assert.equal(
        stderr,
        "larder: a k: not kept: the connection to the server broke, and what " +
          "came through the pipe is gone: put it again, or put a FILE, which " +
          "is sent anew by itself\n",
      );
      assert.equal((await shell.run(["get", "--ns", "a", "k"])).code, 1);
    });
  },
);

async function publishTwice(
  shell: Shell,
  { args, said, check }: Publisher,
  { ns, program, strike }: {
    readonly ns: string;
    readonly program: readonly string[];
    readonly strike: (proxy: FaultProxy) => unknown;
  },
): Promise<void> {
  for (let left = MOST_TRIES; left > 0; left--) {
    const half = Promise.withResolvers<void>();
    let sent = 0;
    const spoil = (bytes: Uint8Array) => {
      sent += bytes.length;
      if (sent >= HALF) half.resolve();
    };
    await using proxy = await FaultProxy.start(shell.server.remote, {
      toServer: { bytesPerSecond: 3_000_000, spoil },
    });
    const struck = half.promise.then(async () => {
      const beganMs = performance.now();
      await strike(proxy);
      return performance.now() - beganMs;
    });
    const env = { LARDER_REMOTE: proxy.address };
    const each = `${ns}_${left}`;
    const words = args(each);
    const { code, stderr } = await shell.run(words, { program, env });
    const awayMs = await struck;
    const isKept = code === 0 && said.test(stderr);
    // On a busy machine a server may take longer to start than anybody waits.
    if (!isKept && left > 1 && awayMs > SOON_BACK_MS) continue;
    const what = `${words.join(" ")}: ${awayMs} ms away: ${stderr}`;
    assert.equal(code, 0, what);
    assert.match(stderr, said, what);
    assert(sent > SIZE + HALF / 2, `${what}: ${sent} bytes: not sent again`);
    return await check(shell, each);
  }
}
