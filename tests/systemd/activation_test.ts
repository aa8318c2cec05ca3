/** The confined server on sockets that its parent has made, as systemd does it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Cache } from "../../src/client/mod.ts";
import { parseToml } from "../../src/toml.ts";
import { Scrape } from "../ops/scrape.ts";
import { SERVER } from "../support/certificates.ts";
import { LocalClient, RemoteClient, textOf } from "../support/clients.ts";
import { hasPython } from "../support/python.ts";
import { withRoot } from "../support/root.ts";
import { rejectsWith } from "../support/status.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";
import { Parent, serverCommand } from "./parent.ts";

const ignore = !await hasPython();
if (ignore) console.log("skipped: no python3 that could be the parent");

/** A test with a folder of its own. */
function test(name: string, run: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => withRoot(run) });
}

test("sockets that were handed on answer, of every kind, and stay when the server stops", async (folder) => {
  const path = join(folder, "l.sock");
  const root = join(folder, "root");
  await using parent = await Parent.of(
    "http=tcp:127.0.0.1",
    "remote=tcp:::1",
    `local=unix:${path}`,
  );
  const [http, remote] = parent.ports;
  const args = ["-l", "fd:local", "-r", "fd:remote", "--http", "fd:http"];
  const { pid, addresses } = await parent.serve(root, ...args);
  assert.deepEqual(Object.fromEntries(addresses), {
    LocalCache: "fd:local",
    RemoteCache: `[::1]:${remote}`,
    HTTP: `127.0.0.1:${http}`,
  });
  const said = parseToml(await Deno.readTextFile(join(root, "Cache.toml")));
  // Nobody knows the path of a socket that was made elsewhere.
  assert.deepEqual(
    [said["local_addr"], said["local_socket"], said["remote_addr"]],
    [undefined, undefined, `[::1]:${remote}`],
  );
  {
    using local = new LocalClient(`unix:${path}`);
    const { id, path: staged } = await local.assigned("ns", "k");
    await Deno.writeTextFile(staged, "from a file");
    await local.done(id);
    using other = new RemoteClient(`[::1]:${remote}`);
    assert.equal(textOf(await other.value("ns", "k")), "from a file");
    const big = "x".repeat(3_000_000);
    const { id: work } = await other.assigned("ns", "big");
    await other.set(work, big);
    assert.equal(textOf(await other.value("ns", "big")), big);
    const scrape = await Scrape.of(`127.0.0.1:${http}`);
    assert.equal(scrape.value("larder_connections"), 2);
  }
  Deno.kill(pid, "SIGTERM");
  assert.equal(await parent.ended(), 0);
  assert.ok((await Deno.lstat(path)).isSocket);
  assert.match(parent.stderr, /fd:local is a Unix domain socket: who may/);
});

test("a server over TLS knows its clients on a socket that was handed on", async (folder) => {
  const certificates = join(folder, "tls");
  await Deno.mkdir(certificates);
  const path = await writeTlsFiles(certificates, { server: SERVER });
  await using parent = await Parent.of("remote=tcp:0.0.0.0");
  const remote = `127.0.0.1:${parent.ports[0]}`;
  const root = join(folder, "root");
  const { pid, addresses } = await parent.serve(
    root,
    ...["-l", "off", "-r", "fd:remote", ...tlsArgs(path)],
  );
  assert.equal(addresses.get("RemoteCache"), `0.0.0.0:${parent.ports[0]}`);
  {
    const ca = path("ca.pem");
    await using cache = await Cache.connect({ remote, ca });
    assert.equal(await cache.generate("tls", "a", () => 42), 42);
    await using again = await Cache.connect({ remote, ca });
    assert.equal(await again.generate("tls", "a", () => 0), 42);
  }
  Deno.kill(pid, "SIGTERM");
  assert.equal(await parent.ended(), 0);
  assert.match(parent.stderr, /fd:remote \(0\.0\.0\.0:\d+\) is every address/);
});

test("what a socket says of its address decides what may be done there", async (folder) => {
  const access = join(folder, "access.toml");
  const somebody = `name = "a"\nsha256 = "${"0".repeat(64)}"\nread = ["*"]`;
  await Deno.writeTextFile(access, `[[token]]\n${somebody}\n`);
  const root = join(folder, "root");
  const args = ["-l", "off", "-r", "fd:remote", "--drain-timeout", "50ms"];
  {
    await using parent = await Parent.of("remote=tcp:0.0.0.0");
    const [port] = parent.ports;
    await parent.start(await serverCommand(root, ...args));
    assert.equal(await parent.ended(), 2);
    assert.match(
      parent.stderr,
      new RegExp(`fd:remote \\(0\\.0\\.0\\.0:${port}\\) can be reached from`),
    );
    const { pid } = await parent.serve(
      root,
      ...args,
      "--insecure",
      ...["--access", access],
    );
    using client = new RemoteClient(`127.0.0.1:${port}`);
    await rejectsWith("UNAUTHENTICATED", client.get("ns", "k"), /token/);
    Deno.kill(pid, "SIGTERM");
    assert.equal(await parent.ended(), 0);
  }
  // As ever on this machine alone.
  for (const host of ["127.0.0.1", "::ffff:127.0.0.1"]) {
    await using parent = await Parent.of(`remote=tcp:${host}`);
    const { pid } = await parent.serve(root, ...args, "--access", access);
    using client = new RemoteClient(`127.0.0.1:${parent.ports[0]}`);
    await client.assigned("ns", `by ${host}`);
    Deno.kill(pid, "SIGTERM");
    assert.equal(await parent.ended(), 0);
  }
});

test("a socket that cannot be had is refused with what to do", async (folder) => {
  const root = join(folder, "root");
  await using parent = await Parent.of("a=udp:127.0.0.1", "b=tcp:127.0.0.1");
  const refused = async (command: readonly string[], message: RegExp) => {
    await parent.start(command);
    const code = await parent.ended();
    assert.match(parent.stderr, message);
    return code;
  };
  const named = (name: string) =>
    serverCommand(root, "-l", "off", "-r", `fd:${name}`);
  assert.equal(await refused(await named("c"), /handed on, but a, b:/), 2);
  assert.equal(await refused(await named("a"), /is no socket to listen on/), 2);
  // What stands between is another process.
  const between = ["sh", "-c", '"$@"; exit $?', "sh", ...await named("b")];
  assert.equal(await refused(between, /are for process \d+ \(LISTEN_PID\)/), 2);
});
