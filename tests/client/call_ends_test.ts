/** Calls and processes end when they should, on Deno and on Node. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { CA } from "../support/certificates.ts";
import { Cache } from "../../src/client/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { lateness } from "./lateness.ts";
import { testAllOnEach, testOnEach } from "./runtimes.ts";
import {
  BUSY_MS,
  NS,
  PROGRAM,
  type Result,
  run,
  runAlone,
} from "./scenarios.ts";
import { Child, withServerHere } from "./support.ts";

/** A system that does not accept a connection of its own by then does not. */
const FULL_MS = 200;

/** How a call ended. */
interface Call extends Pick<Result, "ms" | "lateMs"> {
  readonly error: string;
}

testOnEach(
  "when a deadline passes, or a signal is aborted: calls end at once on a frozen connection",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      const { outages: _, ...calls } = await runAlone(
        command("deadlines", proxy.address),
        () => proxy.still(),
      );
      for (const [name, call] of Object.entries(calls)) {
        const { ms, lateMs, error } = call as Call;
        const expected = name === "throws" ? "failed" : "deadline";
        assert.equal(error, expected, name);
        assert(ms - lateMs < 400 + BUSY_MS, `${name}: ${ms} ms`);
      }
    }),
);

testOnEach(
  "when a deadline passes, or a signal is aborted: no file that is still written holds a call",
  PROGRAM,
  (command) =>
    withServerHere(async ({ local }) => {
      // Its producers keep their files open for as long as the process lives.
      const { calls } = await runAlone(command("stuckFile", local));
      for (const { ms, lateMs, error } of calls as Call[]) {
        assert.equal(error, "deadline");
        assert(ms - lateMs < 400 + BUSY_MS, `${ms} ms`);
      }
    }),
);

testAllOnEach(
  "when the work went to somebody else in the meantime: a stream that is still produced is not waited for",
  PROGRAM,
  ["late", "stuck"],
  (way, { command, allReady }) =>
    withServerHere(async ({ remote }) => {
      await using other = await Cache.connect({ remote });
      await allReady();
      const { isKept, ms, lateMs, value, isStopped, outages } = await run(
        command("lateStream", remote, way),
        async () => assert(await other.set(NS, "k", "theirs")),
      );
      assert.deepEqual({ isKept, value }, {
        isKept: false,
        value: "theirs",
      });
      assert.match(outages.join(), /: the work is not held any more/);
      assert.doesNotMatch(outages.join(), /assignment \d/);
      assert(ms - lateMs < 1_000 + BUSY_MS, `${ms} ms`);
      if (way === "late") assert(isStopped, "it is not asked for more");
    }, [
      ...["--heartbeat-interval", "100ms", "--heartbeat-timeout", "400ms"],
      ...["--max-compute-time", "300ms"],
    ]),
);

testOnEach(
  "when a deadline passes, or a signal is aborted: nothing stays in a signal that lives on",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      const { added, linked } = await runAlone(command("signals", remote));
      assert.deepEqual({ added, linked }, { added: 0, linked: 0 });
    }),
);

testAllOnEach(
  "when the program ends without closing the cache: no half-read stream keeps it alive",
  PROGRAM,
  ["close", "leave"],
  (way, { command, allReady }) =>
    withServerHere(async ({ remote }) => {
      await allReady();
      await using child = new Child(command("halfRead", remote, way));
      // The stream of a cache that was closed says so.
      const said = way === "close" ? /^half closed$/ : /^half $/;
      await endsSoonAfter(said, child);
    }),
);

testOnEach(
  "when the program ends without closing the cache: no call that was called off keeps it alive",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      await using child = new Child(command("callOff", proxy.address));
      assert.equal(await child.line(), "bad");
      proxy.still();
      await endsSoonAfter(/^left$/, child);
    }),
);

testOnEach(
  "when the program ends without closing the cache: no work that has ended keeps it alive",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      await using child = new Child(command("endWork", proxy.address));
      assert.equal(await child.line(), "bad");
      proxy.still();
      const left = await endsSoonAfter(/^left \d+$/, child);
      // Of what is given back, nobody hears.
      const ms = Number(left.split(" ")[1]);
      assert(ms < 3_500 + BUSY_MS, left);
    }),
);

testAllOnEach(
  "when the program ends without closing the cache: no connection that is never made keeps it alive",
  PROGRAM,
  ["close", "leave"],
  async (way, { command, allReady }) => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using full = await fullListener();
    await using folder = await temporaryFolder();
    const ca = `${folder.path}/ca.pem`;
    await Deno.writeTextFile(ca, CA);
    const address = `127.0.0.1:${silent.addr.port}`;
    await allReady();
    await using child = new Child(
      command("neverMade", address, way, ca, full.address, "192.0.2.1:4"),
      { env: { https_proxy: `http://${address}`, no_proxy: "" } },
    );
    await endsSoonAfter(/^left$/, child);
  },
);

/** Where the system answers nobody who wants to connect. */
async function fullListener(): Promise<Disposable & { address: string }> {
  const hostname = "127.0.0.1";
  const listener = Deno.listen({ hostname, port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const sockets: Socket[] = [];
  for (let isFull = false; !isFull;) {
    const socket = connect({ host: hostname, port });
    sockets.push(socket);
    isFull = await Promise.race([
      once(socket, "connect").then(() => false),
      new Promise<true>((resolve) => setTimeout(resolve, FULL_MS, true)),
    ]);
  }
  return {
    address: `${hostname}:${port}`,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

testOnEach(
  "when work is given back while the server is away: that keeps no process alive",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      await using child = new Child(command("leave", proxy.address));
      assert.equal(await child.line(), "bad");
      proxy.down();
      await endsSoonAfter(/^left$/, child);
    }),
);

testOnEach(
  "when the computation blocks the event loop: who waits gets the work when the lease ends",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using other = await Cache.connect({ remote });
      const { source, outages } = await runAlone(
        command("blocks", remote, "5000"),
        async () => assert.equal(await other.generate(NS, "k", () => 2), 2),
      );
      assert.equal(source, "uncached");
      assert.match(outages[0]!, /: the work is not held any more/);
      assert.equal(await other.get(NS, "k"), 2);
    }, ["--heartbeat-interval", "100ms", "--heartbeat-timeout", "400ms"]),
);

async function endsSoonAfter(line: RegExp, child: Child): Promise<string> {
  const said = await child.line() ?? "";
  assert.match(said, line);
  const beganMs = performance.now();
  using late = lateness(child.pid);
  assert.equal((await child.end()).code, 0);
  const tookMs = performance.now() - beganMs;
  assert(tookMs - late.ms < BUSY_MS, `${tookMs} ms`);
  return said;
}
