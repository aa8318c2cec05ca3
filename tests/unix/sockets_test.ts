/** The real server on Unix domain sockets, and all our clients of it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Cache } from "../../src/client/mod.ts";
import { parseToml } from "../../src/toml.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { larderCommand, withShell } from "../cli/support.ts";
import { HEALTH, ServiceClient } from "../ops/client.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { Launched } from "../supervision/launched.ts";
import { CacheClient } from "../v1/client.ts";

/** A folder whose name has what a command line has to bear. */
async function within(
  run: (at: { readonly root: string; readonly socket: string }) => Promise<
    void
  >,
): Promise<void> {
  await withRoot(async (folder) => {
    const at = join(folder, "a Ümlaut");
    await Deno.mkdir(at);
    await run({ root: join(folder, "root"), socket: join(at, "l sock") });
  });
}

const here = { patienceMs: 20_000, onOutage: () => assert.fail("an outage") };

Deno.test("files are handed over by a socket, which only the user may connect to", () =>
  within(async ({ root, socket }) => {
    const remote = `${socket}.remote`;
    await using server = await ServerProcess.start(root, {
      args: ["-l", `unix:${socket}`, "-r", `unix:${remote}`],
    });
    assert.equal(server.local, `unix:${socket}`);
    assert.equal(server.remote, `unix:${remote}`);
    for (const path of [socket, remote]) {
      assert.equal((await Deno.lstat(path)).mode! & 0o777, 0o600);
    }
    const said = parseToml(await Deno.readTextFile(join(root, "Cache.toml")));
    assert.deepEqual(
      [said["local_addr"], said["local_socket"], said["remote_socket"]],
      [undefined, socket, remote],
    );
    {
      using local = new LocalClient(server.local);
      const { id, path } = await local.assigned("ns", "k");
      assert.ok(path.startsWith(join(root, ".staging")), path);
      await Deno.writeTextFile(path, "from a file");
      await local.call("Done", { id });
      using other = new RemoteClient(server.remote);
      const { ready } = await other.get("ns", "k");
      assert.equal(
        new TextDecoder().decode(ready as Uint8Array),
        "from a file",
      );
      using health = new ServiceClient(server.local, HEALTH);
      const service = "local.LocalCache";
      const { status } = await health.call<{ status: string }>("Check", {
        service,
      });
      assert.equal(status, "SERVING");
    }
    const forms = [`unix:${socket}`, `unix://${socket}`];
    // The server's other listeners may speak TLS; a socket never does.
    const ca = join(root, "none.pem");
    for (const [at, local] of forms.entries()) {
      await using cache = await Cache.connect({ local, ca, ...here });
      const { source } = await cache.generateDetailed("sim", "a", () => 42);
      assert.equal(source, ["computed", "local"][at]);
    }
    assert.equal(await server.stop(), 0, server.stderr);
    for (const path of [socket, remote]) {
      await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
    }
  }));

Deno.test("a killed server leaves its socket behind, and the next one answers there", () =>
  within(async ({ root, socket }) => {
    await using launched = Launched.spawn(root, "-l", `unix:${socket}`);
    await launched.ready();
    await using cache = await Cache.connect({ local: launched.local, ...here });
    assert.equal(await cache.generate("sim", "a", () => 42), 42);
    await launched.killServer("SIGKILL");
    await launched.ready();
    const { value, source } = await cache.generateDetailed(
      "sim",
      "a",
      () => 0,
    );
    assert.deepEqual([value, source], [42, "local"]);
    await cache.close();
    launched.program.killGroup("SIGKILL");
    await launched.program.exit();
    assert.ok((await Deno.lstat(socket)).isSocket);
    await using again = await ServerProcess.start(root, {
      args: ["-l", `unix:${socket}`],
    });
    assert.equal(await again.stop(), 0, again.stderr);
  }));

Deno.test("who has the work is called unix, since the system does not say more", () =>
  within(async ({ root, socket }) => {
    await using server = await ServerHere.start(root, {
      args: ["-l", `unix:${socket}`],
    });
    using client = new CacheClient(server.local);
    await client.assigned("sim", "a");
    const fetching = client.fetch("sim", "a", { assign: false, wait: true });
    for await (const { waiting } of fetching) {
      assert.equal((waiting as { holder: string }).holder, "unix");
      break;
    }
  }));

Deno.test("rights hold on a socket, where who has no token may all unless the file says otherwise", () =>
  within(async ({ root, socket }) => {
    const access = `${socket}.toml`;
    const token = "a".repeat(43);
    const sha256 = sha256Hex(token);
    const reader =
      `[[token]]\nname = "r"\nsha256 = "${sha256}"\nread = ["*"]\n`;
    await Deno.writeTextFile(access, reader);
    await using server = await ServerHere.start(root, {
      args: ["-l", `unix:${socket}`, "--access", access],
    });
    const { local } = server;
    await using anyone = await Cache.connect({ local, ...here });
    assert.equal(await anyone.generate("sim", "a", () => 1), 1);
    // Told in plain text, which nobody else can read there.
    await using told = await Cache.connect({ local, token, ...here });
    assert.equal(await told.get("sim", "a"), 1);
    await assert.rejects(told.delete("sim", "a"), /the right to admin/);
    await Deno.writeTextFile(access, `${reader}[anyone.local]\n`);
    await server.reload();
    await assert.rejects(anyone.delete("sim", "a"), /needs a token/);
    assert.equal(await told.get("sim", "a"), 1);
  }));

Deno.test("the command line finds a server by its socket, however that is named", () =>
  within(async ({ root, socket }) => {
    await using server = await ServerHere.start(root, {
      args: ["-l", `unix:${socket}`, "-r", "off"],
    });
    await withShell(async (shell) => {
      await Deno.symlink(join(socket, ".."), join(shell.folder, "run"));
      const line = "echo ran >> log; echo 42 > out";
      const args = ["--ns", "demo", "--out", "out", "--", "sh", "-c", line];
      const none = { LARDER_REMOTE: "" };
      const run = async (local: string[], env = {}) => {
        const { stderr, code } = await shell.run(
          ["run", "--json", ...local, ...args],
          { env: { ...none, ...env } },
        );
        assert.equal(code, 0, stderr);
        return JSON.parse(stderr.trim().split("\n").at(-1)!).source;
      };
      assert.equal(await run(["--local=unix:run/l sock"]), "computed");
      // Neither TLS nor a proxy is for it.
      const http_proxy = "http://127.0.0.1:1";
      const LARDER_LOCAL = `unix://${socket}`;
      assert.equal(await run([], { http_proxy, LARDER_LOCAL }), "hit");
      assert.equal(await shell.read("log"), "ran\n");
      await shell.write("larder.toml", 'local = "unix:run/l sock"\n');
      await Deno.mkdir(join(shell.folder, "below"));
      const below = ["sh", "-c", 'cd below && exec "$0" "$@"'];
      const ls = await shell.run(["ls"], {
        env: none,
        program: [...below, ...larderCommand()],
      });
      assert.match(ls.stdout, /demo/, ls.stderr);
      const served = await shell.run(["doctor", root], { env: none });
      assert.match(served.stdout, /^ok +server +unix:.*l sock: larder /m);
      assert.match(served.stdout, /^ok +served +.*on unix:/m);
      await server.stop();
      // As a server leaves it that is killed.
      const before = Deno.listen({ transport: "unix", path: `${socket}.1` });
      await Deno.rename(`${socket}.1`, socket);
      before.close();
      const away = await shell.run(["doctor", root], { env: none });
      assert.match(away.stdout, /no Larder answers on unix:.*l sock/);
      assert.match(
        away.stdout,
        /^ok +port +unix:.* is free: a server left it/m,
      );
    });
  }));
