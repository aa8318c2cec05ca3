import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { StartError } from "../errors.ts";
import { parseToml } from "../toml.ts";
import { lockRoot } from "./root_lock.ts";

const FIELDS = { heartbeatIntervalMs: 2_000, heartbeatTimeoutMs: 4_200 };
const THIS_FILE = fileURLToPath(import.meta.url);

async function temporaryRoot(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "larder-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

function refusal(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof StartError, `${error}`);
    assert.equal(error.exitCode, 1);
    assert.match(error.message, message);
    return true;
  };
}

/** A process of its own that locks a root until its stdin ends. */
async function lockElsewhere(root: string): Promise<{
  answer: string;
  end: () => Promise<void>;
}> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      `--allow-read=${root}`,
      `--allow-write=${root}`,
      THIS_FILE,
      root,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = process.stdout
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .getReader();
  const { value = "" } = await reader.read();
  return {
    answer: value.trim(),
    async end() {
      await process.stdin.close();
      await process.status;
      await reader.cancel();
    },
  };
}

Deno.test("lockRoot writes what is served, where the original server looks for it", async () => {
  await using root = await temporaryRoot();
  using lock = await lockRoot(root.path);
  const path = `${root.path}/Cache.toml`;
  await lock.update(FIELDS);
  assert.equal(parseToml(await Deno.readTextFile(path)).local_addr, undefined);
  const { ino } = await Deno.stat(path);
  await lock.update({ ...FIELDS, localAddress: "127.0.0.1:28055" });
  assert.deepEqual(
    structuredClone(parseToml(await Deno.readTextFile(path))),
    {
      local_addr: "127.0.0.1:28055",
      heartbeat_interval: { secs: 2, nanos: 0 },
      heartbeat_timeout: { secs: 4, nanos: 200_000_000 },
    },
  );
  assert.equal((await Deno.stat(path)).ino, ino, "the lock is on the inode");
});

Deno.test("lockRoot says where sockets are by names that the original does not read", async () => {
  await using root = await temporaryRoot();
  using lock = await lockRoot(root.path);
  await lock.update({
    ...FIELDS,
    localAddress: 'unix:/run/a "b" ü.sock',
    remoteAddress: "127.0.0.1:28056",
  });
  const text = await Deno.readTextFile(`${root.path}/Cache.toml`);
  const { local_addr, local_socket, remote_addr } = parseToml(text);
  assert.deepEqual(
    [local_addr, local_socket, remote_addr],
    [undefined, '/run/a "b" ü.sock', "127.0.0.1:28056"],
  );
  await assert.rejects(
    lockRoot(root.path),
    /in use .*LocalCache on unix:\/run\/a "b" ü\.sock, RemoteCache on 127/,
  );
});

Deno.test("a lock writes nothing until it is told, and takes away only a file that it made", async () => {
  await using root = await temporaryRoot();
  const path = `${root.path}/Cache.toml`;
  const made = await lockRoot(root.path);
  assert.equal(await Deno.readTextFile(path), "");
  await made.discard();
  await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);

  await Deno.writeTextFile(path, "somebody's");
  const found = await lockRoot(root.path);
  await found.discard();
  assert.equal(await Deno.readTextFile(path), "somebody's");
  using _again = await lockRoot(root.path);
});

Deno.test("lockRoot leaves nothing of a longer file", async () => {
  await using root = await temporaryRoot();
  const path = `${root.path}/Cache.toml`;
  await Deno.writeTextFile(path, `# ${"x".repeat(100_000)}\nbroken = \n`);
  using lock = await lockRoot(root.path);
  await lock.update(FIELDS);
  assert.deepEqual(Object.keys(parseToml(await Deno.readTextFile(path))), [
    "heartbeat_interval",
    "heartbeat_timeout",
  ]);
});

Deno.test("a second server is refused and leaves the first one's file untouched", async () => {
  await using root = await temporaryRoot();
  const path = `${root.path}/Cache.toml`;
  const first = await lockElsewhere(root.path);
  assert.equal(first.answer, "locked");
  const before = await Deno.readTextFile(path);
  await assert.rejects(
    lockRoot(root.path),
    refusal(
      /^root .* is in use by another server \(LocalCache on 127\.0\.0\.1:1, RemoteCache on \[::1\]:2\): stop it or serve another root$/,
    ),
  );
  assert.equal(await Deno.readTextFile(path), before);
  // It is this process that is refused, and then that one.
  await first.end();
  using lock = await lockRoot(root.path);
  await lock.update(FIELDS);
  const second = await lockElsewhere(root.path);
  assert.match(second.answer, /in use by another server: stop it/);
  await second.end();
});

Deno.test("a released root can be locked again, by a server in the same process too", async () => {
  await using root = await temporaryRoot();
  const lock = await lockRoot(root.path);
  await assert.rejects(lockRoot(root.path), refusal(/is in use/));
  lock.release();
  lock.release();
  using _again = await lockRoot(root.path);
});

Deno.test("lockRoot follows no link and writes into no other folder's file", async () => {
  for (const link of [Deno.symlink, Deno.link]) {
    await using root = await temporaryRoot();
    await using outside = await temporaryRoot();
    const target = `${outside.path}/target`;
    await Deno.writeTextFile(target, "mine");
    await link(target, `${root.path}/Cache.toml`);
    await assert.rejects(
      lockRoot(root.path),
      refusal(/not a file of its own but a link or something else: remove it/),
    );
    assert.equal(await Deno.readTextFile(target), "mine");
  }
});

Deno.test("lockRoot refuses a folder, a dangling link and a missing root without waiting", async () => {
  await using root = await temporaryRoot();
  const path = `${root.path}/Cache.toml`;
  await Deno.mkdir(path);
  await assert.rejects(lockRoot(root.path), refusal(/remove it/));
  await Deno.remove(path);
  await Deno.symlink("nowhere", path);
  await assert.rejects(lockRoot(root.path), refusal(/remove it/));
  await assert.rejects(
    lockRoot(`${root.path}/missing`),
    refusal(/^cannot open .*Cache\.toml: No such file or directory: let/),
  );
});

if (import.meta.main && Deno.args[0] !== undefined) {
  try {
    using lock = await lockRoot(Deno.args[0]);
    await lock.update({
      ...FIELDS,
      localAddress: "127.0.0.1:1",
      remoteAddress: "[::1]:2",
    });
    console.log("locked");
    for await (const _ of Deno.stdin.readable);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
  }
}
