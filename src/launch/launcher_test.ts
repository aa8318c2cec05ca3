import assert from "node:assert/strict";
import { completeConfig } from "../config.ts";
import { Hangups } from "./hangups.ts";
import { launch } from "./launcher.ts";
import { thisInstallation } from "./permissions.ts";
import { StopRequests } from "./stop_requests.ts";
import {
  FAKE_PROGRAM,
  Program,
  temporaryFolder,
  within,
} from "./testing/program.ts";
import {
  type Behaviour,
  BEHAVIOUR_FILE,
  DRAINS_FILE,
} from "./testing/fake_program.ts";

const ON_FREE_PORT = ["-l", "127.0.0.1:0"];

async function started(program: Program): Promise<string> {
  const [, address] = await program.stdout.next(/LocalCache on (.+)$/);
  await program.stdout.next(/^larder: ready$/);
  return address!;
}

async function connect(address: string): Promise<Deno.TcpConn> {
  const [hostname, port] = address.split(":");
  return await Deno.connect({ hostname: hostname!, port: Number(port) });
}

/** The id of the process that answers. */
async function ask(address: string): Promise<number> {
  using connection = await connect(address);
  await connection.write(new TextEncoder().encode("?"));
  const bytes = new Uint8Array(32);
  const length = await within("answer", connection.read(bytes)) ?? 0;
  return Number(new TextDecoder().decode(bytes.subarray(0, length)));
}

async function setBehaviour(root: string, behaviour: Behaviour): Promise<void> {
  await Deno.writeTextFile(`${root}/${BEHAVIOUR_FILE}`, behaviour);
}

async function drains(root: string): Promise<string> {
  return await Deno.readTextFile(`${root}/${DRAINS_FILE}`);
}

Deno.test("the launcher prints where it serves and creates the root for its user only", async () => {
  await using folder = await temporaryFolder();
  const root = `${folder.path}/deep/root`;
  await using program = Program.launch(root, ...ON_FREE_PORT, "-r", "[::1]:0");
  await program.stdout.next(/^larder: LocalCache on 127\.0\.0\.1:[1-9]\d*$/);
  await program.stdout.next(/^larder: RemoteCache on \[::1\]:[1-9]\d*$/);
  const [line] = await program.stdout.next(/^larder: root .*$/);
  await program.stdout.next(/^larder: ready$/);
  assert.equal(line, `larder: root ${root}`);
  assert.equal((await Deno.stat(root)).mode! & 0o777, 0o700);
  program.kill("SIGTERM");
  assert.equal((await program.exit()).code, 0);
  assert.equal(await program.stderr.toEnd(), "");
});

Deno.test("a stop before there is a server leaves no folder behind", async () => {
  await using folder = await temporaryFolder();
  const config = completeConfig({ root: `${folder.path}/deep/root` });
  const stop = new StopRequests();
  const hangups = new Hangups(stop, { config, hasTerminal: false });
  const installation = thisInstallation(import.meta.url);
  stop.request();
  assert.equal(await launch(config, { installation, stop, hangups }), 0);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

for (const signal of ["SIGKILL", "SIGABRT", "SIGSEGV"] as const) {
  Deno.test(`a server that ends by ${signal} comes back on the port it had picked`, async () => {
    await using folder = await temporaryFolder();
    await using program = Program.launch(folder.path, ...ON_FREE_PORT);
    const address = await started(program);
    const firstPid = await ask(address);
    assert.notEqual(firstPid, program.pid);
    Deno.kill(firstPid, signal);
    const died = program.stderr.next(new RegExp(`server died \\(${signal}\\)`));
    // V8 swallows the first SIGSEGV from outside: it looks whether WebAssembly
    // caused it, and leaves the next one to the system.
    const timer = setInterval(() => {
      try {
        if (signal === "SIGSEGV") Deno.kill(firstPid, signal);
      } catch {
        // It has died.
      }
    }, 100);
    await died.finally(() => clearInterval(timer));
    assert.equal(await started(program), address);
    assert.notEqual(await ask(address), firstPid);
    program.kill("SIGTERM");
    assert.equal((await program.exit()).code, 0);
  });
}

Deno.test("a server that exits with 1 after it answered is started again", async () => {
  await using folder = await temporaryFolder();
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  const address = await started(program);
  using connection = await connect(address);
  await connection.write(new TextEncoder().encode("x"));
  await program.stderr.next(/server died \(exit code 1\)/);
  assert.equal(await started(program), address);
});

Deno.test("a server that dies once before it answers is started again", async () => {
  await using folder = await temporaryFolder();
  await setBehaviour(folder.path, "die-once-at-start");
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  await program.stderr.next(/server died \(SIGABRT\); it is started again now/);
  await started(program);
});

Deno.test("a server that always dies before it answers is given up", async () => {
  await using folder = await temporaryFolder();
  await setBehaviour(folder.path, "die-at-start");
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  assert.equal((await program.exit()).code, 1);
  assert.match(await program.stderr.toEnd(), /died 5 times before it answered/);
});

Deno.test("a start that is refused is final and keeps its one line", async () => {
  await using folder = await temporaryFolder();
  await setBehaviour(folder.path, "refuse-start");
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  assert.equal((await program.exit()).code, 1);
  assert.equal(await program.stderr.toEnd(), "larder: the fake refuses\n");
});

Deno.test("a server that claims another address does not get it when it is started again", async () => {
  await using folder = await temporaryFolder();
  await setBehaviour(folder.path, "claim-other-address");
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  const [, pid] = await program.stdout.next(/^fake: (\d+) prompt$/);
  assert.equal(await started(program), "0.0.0.0:1");
  Deno.kill(Number(pid), "SIGKILL");
  await program.stdout.next(/^fake: \d+ prompt$/);
  await started(program);
});

Deno.test("a launcher that is killed takes its server with it", async () => {
  await using folder = await temporaryFolder();
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  await started(program);
  program.kill("SIGKILL");
  await program.exit();
  // They share stderr: it ends when the server has gone as well.
  await program.stderr.toEnd();
  assert.equal(await drains(folder.path), "drain\n");
});

Deno.test("Ctrl-C reaches the whole group, twice in a moment, and counts once", async () => {
  await using folder = await temporaryFolder();
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  await started(program);
  program.killGroup("SIGINT");
  program.killGroup("SIGINT");
  assert.equal((await program.exit()).code, 0);
  assert.equal(await drains(folder.path), "drain\n");
  // Said on a machine that is so loaded that the stop takes a second.
  const said = (await program.stderr.toEnd()).replace(
    /^.*still stopping.*\n/,
    "",
  );
  assert.equal(said, "");
});

Deno.test("a second Ctrl-C ends a server that does not drain", async () => {
  await using folder = await temporaryFolder();
  await setBehaviour(folder.path, "never-drain");
  await using program = Program.launch(folder.path, ...ON_FREE_PORT);
  await started(program);
  program.killGroup("SIGINT");
  const timer = setInterval(() => program.killGroup("SIGINT"), 400);
  try {
    assert.equal((await program.exit()).code, 130);
  } finally {
    clearInterval(timer);
  }
  assert.equal(await drains(folder.path), "drain\n");
});

Deno.test("a server that does not drain is killed after its limit", async () => {
  await using folder = await temporaryFolder();
  await setBehaviour(folder.path, "never-drain");
  await using program = Program.launch(
    folder.path,
    ...ON_FREE_PORT,
    "--drain-timeout=1ms",
  );
  await started(program);
  program.kill("SIGTERM");
  assert.equal((await program.exit()).code, 1);
  assert.match(await program.stderr.toEnd(), /did not stop within 5001 ms/);
});

Deno.test("a second server on a root is refused and says where the first one is", async () => {
  await using folder = await temporaryFolder();
  await using first = Program.launch(folder.path, ...ON_FREE_PORT);
  await started(first);
  await using second = Program.launch(folder.path, ...ON_FREE_PORT);
  assert.equal((await second.exit()).code, 1);
  assert.equal(
    await second.stderr.toEnd(),
    `larder: root ${folder.path} is in use by another server: ` +
      "stop it or serve another root\n",
  );
});

Deno.test("the printed command serves without a launcher until SIGTERM, whatever stdin is", async () => {
  await using folder = await temporaryFolder();
  await using printer = Program.launch(
    folder.path,
    ...ON_FREE_PORT,
    "--print-command",
  );
  assert.equal((await printer.exit()).code, 0);
  const line = (await printer.stdout.toEnd()).trim();
  const words = line.split(" ");
  const deno = words.indexOf(Deno.execPath());
  assert(words[0] === "env" && words[deno + 1] === "run", line);
  assert(line.includes(`${FAKE_PROGRAM} serve --confined ${folder.path}`));
  await using server = new Program(words.slice(deno + 1));
  const address = await started(server);
  assert.equal(await ask(address), server.pid);
  server.kill("SIGTERM");
  assert.equal((await server.exit()).code, 0);
});
