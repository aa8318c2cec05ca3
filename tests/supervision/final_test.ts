/** What ends for good, and what goes with the launcher. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { RemoteClient } from "../support/clients.ts";
import { Launched } from "./launched.ts";
import { Traffic } from "./traffic.ts";

/** Work that nobody finishes must not hold these tests up. */
const DRAIN = "--drain-timeout=500ms";

Deno.test("a wrong setting is said in one line and not tried again", async () => {
  await using folder = await temporaryFolder();
  const wrong = ["--heartbeat-interval=2s", "--heartbeat-timeout=1s"];
  await using launched = Launched.spawn(folder.path, ...wrong);
  assert.equal((await launched.program.exit()).code, 2);
  assert.match(await launched.complaints(), /^larder: [^\n]+\n$/);
});

Deno.test("a file or size that a flag names and that cannot be is a wrong setting, too", async () => {
  await using folder = await temporaryFolder();
  const root = `${folder.path}/root`;
  const file = async (name: string, text: string) => {
    // A key that others may read is a warning.
    await Deno.writeTextFile(`${folder.path}/${name}`, text, { mode: 0o600 });
    return `${folder.path}/${name}`;
  };
  const comments = await file("comments.toml", "# tokens come later\n");
  const typo = await file("typo.toml", "[[tokens]]\n");
  const garbage = await file("garbage.pem", "no PEM\n");
  const cases: [flags: string[], says: RegExp][] = [
    [["--access", "/nowhere/access"], /--access .*: there is no such file/],
    [["--access", folder.path], /--access .*: is a folder, and no file/],
    [["--access", comments], /--access .*: it is empty: larder token new/],
    [["--access", typo], /--access .*: no such key: tokens/],
    [["--tls-cert", "/nowhere/c", "--tls-key", garbage], /cannot speak TLS/],
    [["--tls-cert", garbage, "--tls-key", garbage], /cannot speak TLS/],
    [["--min-free", "5000TiB"], /--min-free asks for 4\.9 PiB/],
    [["--config", typo], /typo\.toml: unknown key tokens/],
  ];
  for (const [flags, says] of cases) {
    await using launched = Launched.spawn(root, ...flags);
    const { code } = await launched.program.exit();
    const said = await launched.complaints();
    assert.match(said, says);
    assert.match(said, /^larder: [^\n]+\n$/);
    assert.equal(code, 2, said);
  }
});

Deno.test("a port that is taken is said and not tried again", async () => {
  await using folder = await temporaryFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  await using launched = Launched.spawn(folder.path, "-l", address);
  assert.equal((await launched.program.exit()).code, 1);
  const said = await launched.complaints();
  assert.match(said, /^larder: cannot listen on [^\n]+\n$/);
  assert(said.includes(address), said);
  assert(!said.includes("started again"), said);
});

Deno.test("a root that is served already is refused, and its server goes on", async () => {
  await using folder = await temporaryFolder();
  await using first = await Launched.start(folder.path, DRAIN);
  await using second = Launched.spawn(folder.path);
  assert.equal((await second.program.exit()).code, 1);
  const said = await second.complaints();
  assert.match(said, /in use by another server \(LocalCache on 127\./);
  assert(said.includes(first.remote), said);
  using client = new RemoteClient(first.remote);
  await client.assigned("tests", "key");
});

Deno.test("a server that was asked to stop by itself is not started again", async () => {
  await using folder = await temporaryFolder();
  await using launched = await Launched.start(folder.path, DRAIN);
  Deno.kill(await launched.serverPid(), "SIGTERM");
  assert.equal((await launched.program.exit()).code, 0);
  assert.equal(await launched.complaints(), "");
});

Deno.test("a launcher that is killed in mid-traffic takes its server along, and the root is free", async () => {
  await using folder = await temporaryFolder();
  const drain = "--drain-timeout=2s";
  await using launched = await Launched.start(folder.path, drain);
  using worker = new RemoteClient(launched.remote);
  const { id } = await worker.assigned("work", "in progress");
  const traffic = new Traffic(launched);
  await traffic.more(60);
  const startMs = performance.now();
  launched.program.kill("SIGKILL");
  await launched.program.exit();
  // It drains: what runs is finished, and the work in progress waited for.
  await traffic.stop();
  await worker.heartbeat(id);
  // GOAWAY aborts Deno's own HTTP/2 client now and then: nobody is to get it.
  traffic[Symbol.dispose]();
  worker.close();
  // The server shares stderr: it ends when the server has ended.
  assert.equal(await launched.complaints(), "");
  const freeMs = performance.now() - startMs;
  const ports = ["-l", launched.local, "-r", launched.remote];
  await using next = await Launched.start(folder.path, DRAIN, ...ports);
  const backMs = performance.now() - startMs;
  assert.deepEqual(await traffic.lost(), []);
  using again = new RemoteClient(next.remote);
  await again.set(id, "in spite of all");
  console.log(
    `launcher killed: drained for 2 s, root free after ${Math.round(freeMs)} ` +
      `ms, served again by another after ${Math.round(backMs)} ms`,
  );
});
