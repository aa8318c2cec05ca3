/**
 * Killed while something is taken away: a damaged value, work whose client is
 * silent, the server itself.
 *
 * @module
 */

import assert from "node:assert/strict";
import { bytesOf } from "../support/clients.ts";
import { rejectsWith, until } from "../support/status.ts";
import { CacheClient } from "../v1/client.ts";
import { flipBit } from "./damage.ts";
import {
  expectAssigned,
  expectText,
  expectValue,
  KEY,
  type Prepared,
  type Site,
} from "./kill_site.ts";
import { blobPath } from "./ledger.ts";
import { valueOf } from "./values.ts";

/** A damaged value is found, and its entry is computed again. */
export async function prepareDamage(site: Site): Promise<Prepared> {
  const { namespace, remote, server: { root } } = site;
  const { id } = await remote.assigned(namespace, KEY);
  await remote.set(id, valueOf(3, 1_000));
  const path = blobPath(root, { namespace, key: KEY });
  await Deno.chmod(path, 0o644);
  await flipBit(path, 500);
  const next: { id?: string } = {};
  return {
    // What lies in memory is still whole: only a local client meets the file.
    async act() {
      next.id = await expectAssigned(site.local, namespace);
    },
    async look({ remote }, told) {
      if (told) await rejectsWith("INVALID_ARGUMENT", remote.set(id, "late"));
      next.id ??= await expectAssigned(remote, namespace);
      await remote.set(next.id, "computed again");
      await expectText(remote, namespace, "computed again");
    },
  };
}

/** A whole value is taken away, as to keep a limit. */
export async function prepareDelete(site: Site): Promise<Prepared> {
  const { namespace, remote, server } = site;
  const { id } = await remote.assigned(namespace, KEY);
  await remote.set(id, valueOf(4, 1_000));
  return {
    async act() {
      using admin = new CacheClient(server.remote);
      await admin.call("Delete", { namespace, key: bytesOf(KEY) });
    },
    async look({ remote }, told) {
      const { assign } = await until(
        () => remote.get(namespace, KEY),
        ({ assign, ready }) => assign !== undefined || ready !== undefined,
      );
      // It is whole as long as it is there, and gone for good once that was said.
      if (!assign) {
        assert(!told, "it was deleted");
        return await expectValue(remote, namespace, valueOf(4, 1_000));
      }
      await rejectsWith("INVALID_ARGUMENT", remote.set(id, "late"));
      await remote.set(assign.id, "computed again");
      await expectText(remote, namespace, "computed again");
    },
  };
}

/** Work whose lease has ended is given to the next who asks. */
export async function prepareTakeover(site: Site): Promise<Prepared> {
  const first = await expired(site);
  const second: { id?: string } = {};
  return {
    async act() {
      second.id = await expectAssigned(site.remote, site.namespace);
    },
    async look({ namespace, local, remote }, told) {
      assert.equal(second.id !== undefined, told);
      if (told) {
        await rejectsWith("INVALID_ARGUMENT", local.done(first.id));
        await remote.set(second.id!, "second");
        return await expectText(remote, namespace, "second");
      }
      await goOn({ local, remote, namespace }, first);
    },
  };
}

/** Work whose lease has ended is removed when somebody looks who wants none. */
export async function prepareAbandon(site: Site): Promise<Prepared> {
  const first = await expired(site);
  const { namespace } = site;
  return {
    async act() {
      await until(
        () => site.remote.get(namespace, KEY, { assign: false }),
        ({ entryStatus }) => entryStatus === "unassigned",
      );
    },
    async look({ local, remote }, told) {
      if (!told) return await goOn({ local, remote, namespace }, first);
      await rejectsWith("INVALID_ARGUMENT", local.done(first.id));
      await remote.set(await expectAssigned(remote, namespace), "second");
    },
  };
}

/** A stop closes everything, and a start finds it again. */
export async function prepareStop(site: Site): Promise<Prepared> {
  const { namespace, remote, local, server } = site;
  const value = valueOf(4, 1_000);
  const { id } = await remote.assigned(namespace, KEY);
  await remote.set(id, value);
  const work = await local.assigned(namespace, "in progress");
  await Deno.writeTextFile(work.path, "half");
  return {
    async act() {
      site[Symbol.dispose]();
      if (await server.stop() !== 0) throw new Error("the server was killed");
    },
    async look({ remote, local }) {
      await expectValue(remote, namespace, value);
      await Deno.writeTextFile(work.path, "whole");
      await local.done(work.id);
      await expectText(remote, namespace, "whole", "in progress");
    },
  };
}

/** An assignment of a local client that has been silent for too long. */
async function expired(
  { local, namespace }: Site,
): Promise<{ readonly id: string; readonly path: string }> {
  const work = await local.assigned(namespace, KEY);
  await Deno.writeTextFile(work.path, "half");
  // A changed file counts as a heartbeat: this one changed a minute ago.
  const thenS = Date.now() / 1_000 - 60;
  await Deno.utime(work.path, thenS, thenS);
  return work;
}

/** The work is the first one's still, or is given to the next who asks. */
async function goOn(
  { local, remote, namespace }: Pick<Site, "local" | "remote" | "namespace">,
  first: { readonly id: string; readonly path: string },
): Promise<void> {
  const held = await local.heartbeat(first.id).then(() => true, () => false);
  if (held) {
    await Deno.writeTextFile(first.path, "first");
    await local.done(first.id);
  } else {
    const id = await expectAssigned(remote, namespace);
    await remote.set(id, "third");
  }
  await expectText(remote, namespace, held ? "first" : "third");
}
