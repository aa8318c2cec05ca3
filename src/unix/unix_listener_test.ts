/** A listener on real Unix domain sockets. */

import assert from "node:assert/strict";
import {
  Connections,
  encodeHeaders,
  type RequestHandler,
} from "../http2/mod.ts";
import {
  PREFACE,
  request,
  settings,
  settingsAck,
} from "../http2/testing/frame_bytes.ts";
import { join } from "../http2/testing/octets.ts";
import { SocketTaken } from "./socket_file.ts";
import { OpenUmask, UnixListener } from "./unix_listener.ts";

const HEAD = encodeHeaders([[":status", "200"]]);

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "larder-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

function listen(
  path: string,
  { handler = answering, ...more }: {
    readonly handler?: RequestHandler;
    readonly mode?: number;
    readonly group?: number;
  } = {},
): Promise<UnixListener> {
  const warn = () => {};
  const connections = new Connections({ warn });
  return UnixListener.listen({
    ...{ path, mode: 0o600, handler, connections, warn },
    ...more,
  });
}

const answering: RequestHandler = (stream) => ({
  data() {},
  end: () => stream.headers(HEAD, true),
  closed() {},
});

const taken = (by: SocketTaken["by"]) => (error: unknown) => {
  assert.ok(error instanceof SocketTaken, String(error));
  assert.equal(error.by, by);
  return true;
};

const modeOf = (path: string) => (Deno.lstatSync(path).mode ?? 0) & 0o777;

/** What a server leaves that was killed: closing removes by the name of before. */
function leaveBehind(path: string): void {
  const before = `${path}.before`;
  const listener = Deno.listen({ transport: "unix", path: before });
  Deno.renameSync(before, path);
  listener.close();
  assert.ok(Deno.lstatSync(path).isSocket);
}

Deno.test("a socket answers whoever it lets connect, and goes as the listener is closed", async () => {
  await using tmp = await folder();
  const path = `${tmp.path}/ü mlaut.sock`;
  const peers: string[] = [];
  const listener = await listen(path, {
    handler: (stream) => ({
      data() {},
      end() {
        peers.push(stream.connection.peer);
        stream.headers(HEAD, true);
      },
      closed() {},
    }),
  });
  assert.equal(modeOf(path), 0o600);
  const conn = await Deno.connect({ transport: "unix", path });
  await conn.write(join(PREFACE, settings(), settingsAck(), request(1)));
  const first = new Uint8Array(100);
  assert.ok((await conn.read(first))! > 0);
  const closed = listener.close(10);
  await new Response(conn.readable).arrayBuffer();
  await closed;
  assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
  assert.deepEqual(peers, ["unix"]);
});

Deno.test("a socket has the permission bits and the group that are wanted", async () => {
  await using tmp = await folder();
  for (const mode of [0o600, 0o660, 0o666]) {
    const path = `${tmp.path}/${mode}`;
    const group = Deno.gid() ?? 0;
    const listener = await listen(path, { mode, group });
    assert.equal(modeOf(path), mode);
    assert.equal(Deno.lstatSync(path).gid, group);
    await listener.close(10);
  }
});

Deno.test("a umask that lets others connect for a moment is refused", async () => {
  await using tmp = await folder();
  const path = `${tmp.path}/s`;
  const before = Deno.umask(0o002);
  try {
    await assert.rejects(listen(path, { mode: 0o600 }), OpenUmask);
    assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
    // Its own group is wanted, and not the one that the user has as well.
    const group = Deno.gid() ?? 0;
    await assert.rejects(listen(path, { mode: 0o660, group }), OpenUmask);
    await (await listen(path, { mode: 0o660 })).close(10);
  } finally {
    Deno.umask(before);
  }
});

Deno.test("the socket of a server that was killed is replaced; of one that lives it is not", async () => {
  await using tmp = await folder();
  const path = `${tmp.path}/s`;
  leaveBehind(path);
  const listener = await listen(path);
  await assert.rejects(listen(path), taken("server"));
  const conn = await Deno.connect({ transport: "unix", path });
  conn.close();
  await listener.close(1_000);
});

Deno.test("what is no socket stays, and so does what a link leads to", async () => {
  await using tmp = await folder();
  const path = `${tmp.path}/s`;
  await Deno.writeTextFile(path, "mine");
  await assert.rejects(listen(path), taken("file"));
  assert.equal(await Deno.readTextFile(path), "mine");
  const link = `${tmp.path}/link`;
  for (const target of [path, `${tmp.path}/nowhere`]) {
    await Deno.symlink(target, link);
    await assert.rejects(listen(link), taken("file"));
    assert.ok(Deno.lstatSync(link).isSymlink);
    await Deno.remove(link);
  }
  await Deno.mkdir(link);
  await assert.rejects(listen(link), taken("file"));
  await assert.rejects(
    listen(`${tmp.path}/none/s`),
    (error: { code?: string }) => error.code === "ENOENT",
  );
});

Deno.test("closing removes nothing that has taken the socket's place", {
  // The socket that nobody can reach any more ends with the process.
  sanitizeResources: false,
  sanitizeOps: false,
}, async () => {
  await using tmp = await folder();
  const path = `${tmp.path}/s`;
  const first = await listen(path);
  Deno.chmodSync(path, 0o666);
  Deno.removeSync(path);
  const second = await listen(path);
  await first.close(10);
  // Deno would remove it in the turns that follow.
  for (let turn = 0; turn < 3; turn++) {
    (await Deno.connect({ transport: "unix", path })).close();
  }
  Deno.removeSync(path);
  await Deno.writeTextFile(path, "somebody's");
  await second.close(10);
  for (let turn = 0; turn < 3; turn++) await Deno.lstat(path);
  assert.equal(await Deno.readTextFile(path), "somebody's");
});

Deno.test("a socket whose permission bits were changed by hand goes all the same", async () => {
  await using tmp = await folder();
  const path = `${tmp.path}/s`;
  const listener = await listen(path);
  Deno.chmodSync(path, 0o666);
  await listener.close(10);
  assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
  const gone = await listen(path);
  Deno.removeSync(path);
  await gone.close(10);
});
