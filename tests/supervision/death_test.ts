/** The server dies in mid-traffic, in every way there is, and comes back. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { Launched } from "./launched.ts";
import { retry, Traffic, Watch } from "./traffic.ts";

/** Short, so that work whose Get was cut off is given away again in the test. */
const LEASE = [
  "--heartbeat-interval=300ms",
  "--heartbeat-timeout=1s",
  "--restart-grace=2s",
];

for (const signal of ["SIGKILL", "SIGABRT", "SIGSEGV"] as const) {
  Deno.test(`a server that dies of ${signal} in mid-traffic comes back, and clients that retry lose nothing`, async () => {
    await using folder = await temporaryFolder();
    await using launched = await Launched.start(folder.path, ...LEASE);
    const { local, remote } = launched;
    using worker = new RemoteClient(remote);
    const { id } = await worker.assigned("work", "in progress");
    using fileWorker = new LocalClient(local);
    const file = await fileWorker.assigned("work", "file in progress");
    const firstPid = await launched.serverPid();

    using traffic = new Traffic(launched);
    await traffic.more(60);
    const watch = new Watch(remote);
    const said = await launched.killServer(signal);
    assert(
      said.endsWith(
        ` warn  the server died (${signal}); it is started again now`,
      ),
      said,
    );
    await launched.ready();
    assert.deepEqual([launched.local, launched.remote], [local, remote]);
    assert.notEqual(await launched.serverPid(), firstPid);

    // The ids from before it died, first of all: nobody else may have them.
    await retry(() => worker.heartbeat(id));
    await retry(() => worker.set(id, "computed before and after"));
    await Deno.writeTextFile(file.path, "written after");
    await retry(() => fileWorker.done(file.id));
    const windowMs = await watch.stop();
    await traffic.more(60);
    await traffic.stop();
    assert.deepEqual(await traffic.lost(), []);
    assert.equal((await worker.value("work", "in progress")).length, 25);
    assert.equal((await worker.value("work", "file in progress")).length, 13);

    // GOAWAY aborts Deno's own HTTP/2 client now and then: nobody is to get it.
    for (const client of [worker, fileWorker]) client.close();
    traffic[Symbol.dispose]();
    assert.equal(await launched.stop(), 0);
    assert.equal(await launched.complaints(), "");
    console.log(
      `${signal}: new connections failed for ${windowMs} ms; ` +
        `${traffic.acknowledged.length} values acknowledged, none lost; ` +
        `failed calls: ${JSON.stringify(traffic.failures.counts)}`,
    );
  });
}

Deno.test("a server that dies again and again is started later each time, on the same ports", async () => {
  await using folder = await temporaryFolder();
  await using launched = await Launched.start(folder.path, ...LEASE);
  const { local, remote } = launched;
  using traffic = new Traffic(launched);
  const windows: number[] = [];
  for (const wait of ["now", "in 100 ms", "in 200 ms"]) {
    await traffic.more(20);
    const watch = new Watch(remote);
    const said = await launched.killServer("SIGKILL");
    assert(said.endsWith(`started again ${wait}`), said);
    await launched.ready();
    assert.deepEqual([launched.local, launched.remote], [local, remote]);
    windows.push(await watch.stop());
  }
  await traffic.more(20);
  await traffic.stop();
  assert.deepEqual(await traffic.lost(), []);
  console.log(`deaths in a row: calls failed for ${windows.join(", ")} ms`);
});

/** Lets a process have little more memory than it has. */
async function starve(pid: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kib = Number(/^VmSize:\s+(\d+)/m.exec(status)![1]);
  const limit = `--as=${(kib + 16 * 1024) * 1024}`;
  try {
    const args = ["--pid", `${pid}`, limit];
    return (await new Deno.Command("prlimit", { args }).output()).success;
  } catch {
    return false;
  }
}

Deno.test("a server that runs out of memory is started again, and nothing is lost", async () => {
  await using folder = await temporaryFolder();
  await using launched = await Launched.start(folder.path, ...LEASE);
  if (!await starve(await launched.serverPid())) {
    return console.log("skipped: no prlimit");
  }
  using traffic = new Traffic(launched);
  const [said] = await launched.program.stderr.next(/the server died .*$/);
  assert.match(said, /died \(SIG\w+\); it is started again now$/);
  await launched.ready();
  await traffic.more(60);
  await traffic.stop();
  assert.deepEqual(await traffic.lost(), []);
  console.log(`out of memory: ${said}`);
});
