/**
 * The disk refuses: real system calls of the real server fail. Clients are told
 * clearly, what can be read is read, and afterwards all is as it was.
 */

import assert from "node:assert/strict";
import type { status } from "@grpc/grpc-js";
import { probePath } from "../../workers/quota_probe.ts";
import {
  bytesOf,
  LocalClient,
  RemoteClient,
  textOf,
} from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { writeSlowFile } from "../support/slow_file.ts";
import { rejectsWith, until } from "../support/status.ts";
import { whyNoTracer } from "../support/strace.ts";
import { whileFailing } from "../support/syscalls.ts";
import { CacheClient } from "../v1/client.ts";

const NS = "tests.trouble";
const MIB = 1024 * 1024;
const ARGS = [
  // Nothing is answered from memory: each Get looks at the file.
  "--memory-cache-bytes=0",
  // The disk is to be filled to the brim.
  "--min-free=0",
  ...["--heartbeat-interval", "10s", "--heartbeat-timeout", "60s"],
];

/** A server with one value that is ready, and work for both APIs. */
class Scene {
  readonly root: string;
  readonly local: LocalClient;
  readonly remote: RemoteClient;
  readonly server: ServerProcess;

  constructor(server: ServerProcess) {
    this.root = server.root;
    this.server = server;
    this.local = new LocalClient(server.local);
    this.remote = new RemoteClient(server.remote);
  }

  /** Publishes a value; where it lies. */
  async publish(key: string): Promise<string> {
    const { id } = await this.remote.assigned(NS, key);
    await this.remote.set(id, key);
    const { id: handle, path } = await this.local.handle(NS, key);
    await this.local.drop(handle);
    return path;
  }

  /** The work that is to be handed in during the trouble. */
  async work(): Promise<{ set: string; done: string }> {
    const { id: set } = await this.remote.assigned(NS, crypto.randomUUID());
    const assigned = await this.local.assigned(NS, crypto.randomUUID());
    await Deno.mkdir(this.root + "/.staging", { recursive: true });
    await Deno.writeTextFile(assigned.path, "file");
    return { set, done: assigned.id };
  }

  /** Lets system calls fail meanwhile. */
  async failing(
    names: readonly string[],
    fault: { error: string; paths?: readonly string[] },
    run: () => Promise<void>,
  ): Promise<void> {
    const pid = await this.server.serverPid();
    await whileFailing(pid, { names, ...fault }, run);
  }

  /** Get in both APIs, which are told nothing but this. */
  async assertGets(key: string, expected: string): Promise<void> {
    for (const client of [this.remote, this.local]) {
      const { entryStatus } = await client.settled(NS, key, { assign: false });
      assert.equal(entryStatus, expected, key);
    }
  }

  /** The trouble has ended: work is given out, taken and read again. */
  async assertServes(work: { set: string; done: string }): Promise<void> {
    const key = crypto.randomUUID();
    const { assign } = await until(
      () => this.remote.get(NS, key),
      ({ entryStatus }) => entryStatus === "assign",
    );
    await this.remote.set(assign!.id, "after");
    assert.equal(textOf(await this.remote.value(NS, key)), "after");
    await this.remote.set(work.set, "again");
    await this.local.done(work.done);
    await this.assertGets("ready", "ready");
    assert.deepEqual([...Deno.readDirSync(`${this.root}/.quarantine`)], []);
  }
}

async function withScene(
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  await withRoot((base) => serving(`${base}/root`, run));
}

async function serving(
  root: string,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  {
    await using server = await ServerProcess.start(root, { args: ARGS });
    const pid = await server.serverPid();
    const scene = new Scene(server);
    try {
      await scene.publish("ready");
      await run(scene);
      assert.equal(await server.serverPid(), pid, "it never died");
    } finally {
      scene.local.close();
      scene.remote.close();
    }
  }
}

/** What needs strace, one after the other on one server. */
const TRACED: [name: string, run: (scene: Scene) => Promise<void>][] = [];

function traced(name: string, run: (scene: Scene) => Promise<void>): void {
  TRACED.push([name, run]);
}

const REFUSED: readonly (readonly [string, keyof typeof status, RegExp])[] = [
  ["ENOSPC", "RESOURCE_EXHAUSTED", /free some space/],
  ["EDQUOT", "RESOURCE_EXHAUSTED", /free some space/],
  ["EIO", "UNAVAILABLE", /the server's log says/],
  ["EROFS", "UNAVAILABLE", /the server's log says/],
  ["EACCES", "UNAVAILABLE", /the server's log says/],
];

for (const [error, code, message] of REFUSED) {
  traced(
    `while writes fail with ${error} work is refused, and what is there is read`,
    async (scene) => {
      const { local, remote } = scene;
      const work = await scene.work();
      await scene.failing(["rename"], { error }, async () => {
        await rejectsWith(code, remote.set(work.set, "value"), message);
        await rejectsWith(code, local.done(work.done), message);
        await scene.assertGets("ready", "ready");
      });
      await scene.assertServes(work);
    },
  );
}

traced(
  "without file descriptors nothing is taken for damaged, and no work is given out",
  async (scene) => {
    const { local, remote } = scene;
    const work = await scene.work();
    await scene.failing(["openat"], { error: "EMFILE" }, async () => {
      await rejectsWith("UNAVAILABLE", remote.set(work.set, "value"));
      await rejectsWith("UNAVAILABLE", local.done(work.done));
      const { entryStatus } = await remote.settled(NS, "ready", {
        assign: false,
      });
      assert.equal(entryStatus, "unassigned");
      for (const client of [remote, local]) {
        const { entryStatus } = await client.settled(NS, "something new");
        assert.equal(entryStatus, "unassigned", "nobody computes for nothing");
      }
    });
    await scene.assertServes(work);
  },
);

traced(
  "a value that cannot be read for EIO is Unassigned, the others are read",
  async (scene) => {
    const work = await scene.work();
    const path = await scene.publish("unreadable");
    await scene.failing(["read"], { error: "EIO", paths: [path] }, async () => {
      const { entryStatus } = await scene.remote.settled(NS, "unreadable", {
        assign: false,
      });
      assert.equal(entryStatus, "unassigned");
      await scene.assertGets("ready", "ready");
    });
    await scene.assertGets("unreadable", "ready");
    await scene.assertServes(work);
  },
);

for (
  const [error, code, told] of [
    ["ENOSPC", "RESOURCE_EXHAUSTED", /^the disk of ROOT is full: make room/],
    [
      "EDQUOT",
      "RESOURCE_EXHAUSTED",
      /^the quota for ROOT is used up: make room/,
    ],
    [
      "EIO",
      "UNAVAILABLE",
      /^ROOT: the manifest takes no .* mounted read-only$/,
    ],
  ] as const
) {
  traced(
    `a manifest that fails with ${error} goes on when that ends`,
    async (scene) => {
      const { local, remote, root, server } = scene;
      using client = new CacheClient(server.remote);
      const trouble = async () =>
        (await client.call<{ readonly trouble: string }>("Status")).trouble;
      const work = await scene.work();
      const paths = [`${root}/cache.sqlite-wal`, probePath(root)];
      await scene.failing(["pwrite64", "write"], { error, paths }, async () => {
        await rejectsWith(code, remote.set(work.set, "value"));
        await rejectsWith(code, local.done(work.done));
        await scene.assertGets("ready", "ready");
        const { entryStatus } = await remote.settled(NS, "something new");
        assert.equal(entryStatus, "unassigned");
        assert.match((await trouble()).replace(root, "ROOT"), told);
      });
      // Nobody has to ask for work for it to be noticed.
      await until(trouble, (text) => text === "");
      await scene.assertServes(work);
    },
  );
}

Deno.test("system calls of the server that fail", async (test) => {
  const missing = await whyNoTracer();
  if (missing !== undefined) return console.log(`skipped: ${missing}`);
  await withScene(async (scene) => {
    for (const [name, run] of TRACED) await test.step(name, () => run(scene));
  });
});

Deno.test("a value that is larger than a file may be is refused, and the server lives", async () => {
  await withScene(async (scene) => {
    const { local, remote, server } = scene;
    using client = new CacheClient(server.remote);
    const large = new Uint8Array(5 * MIB);
    const set = await remote.assigned(NS, "set");
    const pieces = await client.assigned(NS, "pieces");
    const linked = await local.assigned(NS, "linked");
    await Deno.writeFile(linked.path, large);
    // It has two names, so that it is copied.
    await Deno.link(linked.path, `${linked.path}.too`);
    const pid = String(await server.serverPid());
    const args = ["--pid", pid, `--fsize=${4 * MIB}:`];
    const { success } = await new Deno.Command("prlimit", { args }).output();
    if (!success) return console.log("skipped: no prlimit");
    const refused = (publishing: Promise<unknown>) =>
      rejectsWith("RESOURCE_EXHAUSTED", publishing, /may make a file/);
    await refused(remote.set(set.id, large));
    // It is no trouble of the disk: work is given out all the time.
    await remote.assigned(NS, "next");
    await refused(
      client.publish(pieces.id, Array(20).fill(large.subarray(0, MIB / 4))),
    );
    await refused(local.done(linked.id));
    await remote.assigned(NS, "after it");
    for (const { id } of [set, pieces, linked]) await remote.set(id, "small");
    for (const key of ["set", "pieces", "linked"]) {
      assert.equal(textOf(await remote.value(NS, key)), "small");
    }
    assert.deepEqual([...Deno.readDirSync(`${scene.root}/.private`)], []);
  });
});

Deno.test("nobody waits for a file whose Done was answered and that cannot be kept", () =>
  withRoot(async (root) => {
    const args = ["--heartbeat-interval=300ms", "--heartbeat-timeout=1s"];
    await using server = await ServerProcess.start(root, { args });
    using client = new CacheClient(server.remote);
    using local = new LocalClient(server.local);
    await Deno.writeTextFile(`${root}/${NS}`, "no folder");
    const { id, path } = await local.assigned(NS, "key");
    // Hashing it takes longer than its Done may.
    await writeSlowFile(path);
    await local.done(id);
    const { last } = await client.fetched(NS, "key");
    assert.match(last.unassigned?.reason ?? "", /keep it now/);
    assert.equal((await local.get(NS, "key")).entryStatus, "unassigned");
    await rejectsWith(
      "FAILED_PRECONDITION",
      client.call("Delete", { namespace: NS, key: bytesOf("key") }),
      /was accepted, and cannot be written now/,
    );
    assert.equal([...Deno.readDirSync(`${root}/.private`)].length, 1);
  }));

Deno.test("a root that vanishes costs nothing once it is back", async () => {
  await withScene(async (scene) => {
    const { root, local, remote } = scene;
    const work = await scene.work();
    await Deno.rename(root, `${root}.away`);
    for (const decoy of [false, true]) {
      // What a lost mount leaves: an empty folder.
      if (decoy) await Deno.mkdir(root);
      await rejectsWith("UNAVAILABLE", remote.set(work.set, "value"));
      await rejectsWith("UNAVAILABLE", local.done(work.done));
      await scene.assertGets("ready", "unassigned");
      const { entryStatus } = await remote.settled(NS, "something new");
      assert.equal(entryStatus, "unassigned");
    }
    assert.deepEqual([...Deno.readDirSync(root)], [], "nothing is made there");
    await Deno.remove(root);
    await Deno.rename(`${root}.away`, root);
    await scene.assertServes(work);
  });
});

Deno.test("no work is given out once it is seen that the root has vanished, though nobody has written", async () => {
  await withScene(async (scene) => {
    const { root, remote, server } = scene;
    using client = new CacheClient(server.remote);
    const work = await scene.work();
    await Deno.rename(root, `${root}.away`);
    await Deno.mkdir(root);
    // It looks every 10 s, and when it is told to.
    await client.call("Sweep");
    assert.equal((await remote.get(NS, "new")).entryStatus, "unassigned");
    await Deno.remove(root);
    await Deno.rename(`${root}.away`, root);
    await scene.assertServes(work);
  });
});

Deno.test("folders that are removed while it serves are made again", async () => {
  await withScene(async (scene) => {
    const { root, local, remote } = scene;
    const names = [".private", ".staging", ".quarantine", NS];
    const { id } = await remote.assigned(NS, "set");
    const file = await local.assigned(NS, "done");
    for (const name of names) {
      await Deno.remove(`${root}/${name}`, { recursive: true });
    }
    await remote.set(id, "set");
    await rejectsWith("FAILED_PRECONDITION", local.done(file.id));
    await Deno.writeTextFile(file.path, "done");
    await local.done(file.id);
    for (const key of ["set", "done"]) await scene.assertGets(key, "ready");
    for (const name of names.slice(0, 2)) {
      assert.equal((await Deno.stat(`${root}/${name}`)).mode! & 0o777, 0o700);
    }
    // Its value went with the folder: it is computed again.
    await scene.assertGets("ready", "unassigned");
    await scene.publish("ready");
  });
});

Deno.test("a disk that is really full: nobody computes for nothing until there is room", async () => {
  await withRoot(async (disk) => {
    const mount = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk],
      stderr: "null",
    });
    if (!(await mount.output()).success) {
      return console.log("skipped: no mount");
    }
    try {
      await serving(disk, async (scene) => {
        const { remote } = scene;
        const work = await scene.work();
        await fillUp(`${disk}/filler`);
        await rejectsWith(
          "RESOURCE_EXHAUSTED",
          remote.set(work.set, new Uint8Array(100_000)),
          /free some space/,
        );
        for (const client of [remote, scene.local]) {
          const { entryStatus } = await client.settled(NS, "something new");
          assert.equal(entryStatus, "unassigned");
        }
        await scene.assertGets("ready", "ready");
        await Deno.remove(`${disk}/filler`);
        await scene.assertServes(work);
      });
    } finally {
      await new Deno.Command("umount", { args: ["--lazy", disk] }).output();
    }
  });
});

/** Writes until there is no room for another byte. */
async function fillUp(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const bytes = new Uint8Array(4096);
  await assert.rejects(async () => {
    for (;;) await file.write(bytes);
  }, /No space/);
}
