/** A stop lets running work be published, and gives out no more. */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { until } from "../support/status.ts";
import { Launched } from "./launched.ts";

/** Far longer than these tests: who needs it has not drained. */
const DRAIN_MS = 20_000;
const LIMIT_MS = 10_000;
const DRAIN = `--drain-timeout=${DRAIN_MS}ms`;

/** Work of both APIs that has been given out. */
async function working({ local, remote }: Launched) {
  using remoteClient = new RemoteClient(remote);
  using localClient = new LocalClient(local);
  const { id } = await remoteClient.assigned("tests", "bytes");
  const file = await localClient.assigned("tests", "file");
  return { id, file };
}

/** Each call on a connection of its own, as one-shot clients make them. */
async function once<T>(
  address: string,
  call: (client: RemoteClient & LocalClient) => Promise<T>,
  Client: typeof RemoteClient | typeof LocalClient = RemoteClient,
): Promise<T> {
  using client = new Client(address);
  return await call(client as RemoteClient & LocalClient);
}

const STOPS = {
  "SIGTERM to the launcher": (launched: Launched) => {
    launched.program.kill("SIGTERM");
  },
  "SIGHUP to the launcher": (launched: Launched) => {
    launched.program.kill("SIGHUP");
  },
  "SIGTERM to the server": async (launched: Launched) => {
    Deno.kill(await launched.serverPid(), "SIGTERM");
  },
  "SIGTERM to the group": (launched: Launched) => {
    launched.program.killGroup("SIGTERM");
  },
  "Ctrl-C, which reaches the group more than once": async (
    launched: Launched,
  ) => {
    launched.program.killGroup("SIGINT");
    await pause(100);
    launched.program.killGroup("SIGINT");
  },
};

for (const [name, stop] of Object.entries(STOPS)) {
  Deno.test(`${name} ends in one drain and exit code 0`, async () => {
    await using folder = await temporaryFolder();
    await using launched = await Launched.start(folder.path, DRAIN);
    const { local, remote, program } = launched;
    const { id, file } = await working(launched);
    await stop(launched);
    // From now on nothing is given out: clients compute for themselves.
    const asked = () =>
      once(remote, (c) => c.get("tests", crypto.randomUUID()));
    await until(asked, ({ entryStatus }) => entryStatus === "unassigned");
    const { entryStatus } = await once(
      local,
      (c) => c.get("tests", "another file"),
      LocalClient,
    );
    assert.equal(entryStatus, "unassigned");
    // What runs is served to its end.
    const startMs = performance.now();
    await once(remote, (c) => c.heartbeat(id));
    await Deno.writeTextFile(file.path, "file");
    await once(local, (c) => c.done(file.id), LocalClient);
    await once(remote, (c) => c.heartbeat(id));
    const ready = await once(remote, (c) => c.value("tests", "file"));
    assert.equal(ready.length, 4);
    await once(remote, (c) => c.set(id, "bytes"));
    assert.equal((await program.exit()).code, 0);
    assert.equal(await launched.complaints(), "");
    const tookMs = performance.now() - startMs;
    assert(tookMs < LIMIT_MS, `the drain took ${tookMs} ms`);

    await using next = await Launched.start(folder.path, DRAIN);
    for (const key of ["bytes", "file"]) {
      const value = await once(next.remote, (c) => c.value("tests", key));
      assert.equal(new TextDecoder().decode(value), key);
    }
  });
}

Deno.test("Ctrl-C twice, a second apart, ends it at once and loses nothing", async () => {
  await using folder = await temporaryFolder();
  const launched = await Launched.start(folder.path, DRAIN);
  await using _ = launched;
  const { id } = await working(launched);
  const startMs = performance.now();
  const timer = setInterval(() => launched.program.killGroup("SIGINT"), 400);
  const { code } = await launched.program.exit();
  clearInterval(timer);
  assert.equal(code, 130);
  assert(performance.now() - startMs < LIMIT_MS);
  await launched.complaints();
  await using next = await Launched.start(folder.path, "--drain-timeout=1ms");
  await once(next.remote, (c) => c.set(id, "still mine"));
});

Deno.test("a stop does not wait longer than the drain timeout for work that nobody finishes", async () => {
  await using folder = await temporaryFolder();
  await using launched = await Launched.start(
    folder.path,
    "--drain-timeout=300ms",
  );
  const { id } = await working(launched);
  const startMs = performance.now();
  assert.equal(await launched.stop(), 0);
  const tookMs = performance.now() - startMs;
  assert(tookMs >= 300 && tookMs < LIMIT_MS, `${tookMs} ms`);
  console.log(`stopped ${Math.round(tookMs)} ms after SIGTERM, drain 300 ms`);
  // It is still its client's after the restart.
  await using next = await Launched.start(folder.path, "--drain-timeout=1ms");
  await once(next.remote, (c) => c.heartbeat(id));
});
