/** What a start on a socket is refused for, and what is never removed. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { printedCommand, run } from "../confinement/support.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { LocalClient } from "../support/clients.ts";

const start = (root: string, socket: string) =>
  ServerHere.start(root, { args: ["-l", `unix:${socket}`, "-r", "off"] });

Deno.test("a path that is taken is left as it is, and the error says by what", () =>
  withRoot(async (folder) => {
    const path = join(folder, "s");
    await using first = await start(join(folder, "a"), path);
    const second = join(folder, "b");
    await assert.rejects(start(second, path), {
      name: "StartError",
      message: `cannot listen on unix:${path}: another server answers there: ` +
        "stop it, or choose another path with -l or -r",
    });
    // It goes on as if nobody had asked.
    using client = new LocalClient(first.local);
    await client.assigned("ns", "k");
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "mine");
    await assert.rejects(start(second, file), /what is there is no socket/);
    assert.equal(await Deno.readTextFile(file), "mine");
    const none = join(folder, "none", "s");
    await assert.rejects(
      start(second, none),
      new RegExp(`there is no folder ${join(folder, "none")}: make it`),
    );
    await assert.rejects(
      ServerHere.start(second, {
        args: ["-l", `unix:${path}`, "--socket-group", "no-such-group-here"],
      }),
      /--confined needs the number of --socket-group/,
    );
  }));

Deno.test("the launcher makes a socket that is never open to others, whatever the umask is", () =>
  withRoot(async (folder) => {
    const socket = join(folder, "s");
    const group = `${Deno.gid()}`;
    const before = Deno.umask(0);
    try {
      await using server = await ServerProcess.start(join(folder, "root"), {
        args: ["-l", `unix:${socket}`, "--socket-group", group],
      });
      const { mode, gid } = await Deno.lstat(socket);
      assert.deepEqual([mode! & 0o777, `${gid}`], [0o660, group]);
      assert.equal(await server.stop(), 0, server.stderr);
      await assert.rejects(
        ServerProcess.start(join(folder, "root"), {
          args: ["-l", `unix:${socket}`],
          confined: true,
        }),
        /the umask would let others connect .*: start the server with umask 022/,
      );
    } finally {
      Deno.umask(before);
    }
    await assert.rejects(
      ServerProcess.start(join(folder, "other"), {
        args: ["-l", `unix:${socket}`, "--socket-group", "no-such-group-here"],
      }),
      /no-such-group-here: \/etc\/group has no such group/,
    );
    await assert.rejects(Deno.lstat(join(folder, "other")));
  }));

Deno.test("a confined server has its socket, and nothing beside it", () =>
  withRoot(async (folder) => {
    const root = join(folder, "root");
    await Deno.mkdir(root);
    const socket = join(folder, "run", "s ü");
    await Deno.mkdir(join(folder, "run"));
    const words = await printedCommand(root, "-l", `unix:${socket}`);
    const main = words.indexOf("serve") - 1;
    const probe = join(root, "probe.ts");
    await Deno.writeTextFile(
      probe,
      `const [own, other] = Deno.args;
      const tried = [
        () => Deno.listen({ transport: "unix", path: other }),
        () => Deno.connect({ transport: "unix", path: other }),
        () => Deno.stat(own + "/.."),
        () => Deno.remove(other),
        () => Deno.rename(own, other),
        () => Deno.listen({ port: 0 }),
      ];
      const said = [];
      const listener = Deno.listen({ transport: "unix", path: own });
      for (const each of tried) {
        try { await each(); said.push("done"); }
        catch (error) { said.push(error.name); }
      }
      listener.close();
      console.log(said.join());`,
    );
    const args = [...words.slice(1, main), probe, socket, `${socket}.other`];
    const { stdout, stderr } = await run(words[0]!, args);
    assert.equal(stdout.trim(), Array(6).fill("NotCapable").join(), stderr);
  }));
