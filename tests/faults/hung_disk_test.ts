/** A disk that stands still for a while, under values and manifest alike. */

import assert from "node:assert/strict";
import type { Stores } from "../../src/serve.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { until } from "../support/status.ts";
import { CacheClient } from "../v1/client.ts";
import { hashOf, valueOf } from "./values.ts";

const NS = "tests.hung";
/** It is not in memory, and one in many pieces. */
const LARGE = valueOf(1, 5 * 1024 * 1024);
const SMALL = valueOf(2, 1_000);

/** Stores of which none answers for a while. */
class HungDisk {
  #going: PromiseWithResolvers<void> | undefined;

  /** From now on, nothing is answered. */
  hang(): void {
    this.#going = Promise.withResolvers();
  }

  /** What was asked meanwhile is done now. */
  goOn(): void {
    this.#going?.resolve();
    this.#going = undefined;
  }

  /** The same stores on this disk. */
  wrap({ manifest, blobs }: Stores): Stores {
    return { manifest: this.#on(manifest), blobs: this.#on(blobs) };
  }

  #on<T extends object>(store: T): T {
    return new Proxy(store, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member === "object" && member) return this.#on(member);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const call = () => member.apply(target, args);
          return this.#going ? this.#going.promise.then(call) : call();
        };
      },
    });
  }
}

Deno.test("while the disk hangs the server answers what needs none, and then does all that was asked", async () => {
  const disk = new HungDisk();
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
      args: ["--heartbeat-interval=10s", "--heartbeat-timeout=60s"],
      wrap: (stores) => disk.wrap(stores),
    });
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    using client = new CacheClient(server.remote);
    await remote.set((await remote.assigned(NS, "hot")).id, SMALL);
    await remote.set((await remote.assigned(NS, "cold")).id, LARGE);
    await remote.value(NS, "hot");
    const set = await remote.assigned(NS, "set");
    const done = await local.assigned(NS, "done");
    await Deno.writeFile(done.path, LARGE);

    disk.hang();
    const ending = {
      set: remote.set(set.id, LARGE),
      fetch: client.fetched(NS, "cold"),
      abandoned: remote.get(NS, "given up", { deadlineMs: 100 })
        .catch(() => {}),
    };
    // Each of these would be waited for until its deadline.
    assert.equal(hashOf(await remote.value(NS, "hot")), hashOf(SMALL));
    for (const { id } of [set, done]) await remote.heartbeat(id);
    const keys = ["set", "cold", "new"];
    const told = await Promise.all(keys.map((key) => remote.get(NS, key)));
    assert.deepEqual(
      told.map(({ entryStatus }) => entryStatus),
      keys.map(() => "loading"),
    );
    await ending.abandoned;
    assert.equal(server.stderr, "", "nobody can do anything about it");

    disk.goOn();
    await ending.set;
    assert.equal(hashOf((await ending.fetch).bytes), hashOf(LARGE));
    await local.done(done.id);
    for (const key of ["cold", "set", "done"]) {
      const found = await until(
        () => remote.get(NS, key),
        ({ entryStatus }) => entryStatus !== "loading",
      );
      assert.equal(hashOf(found.ready as Uint8Array), hashOf(LARGE), key);
    }
    // Whoever has gone meanwhile has no work.
    for (const key of ["new", "given up"]) await remote.assigned(NS, key);
    assert.equal(server.stderr, "");
  });
});
