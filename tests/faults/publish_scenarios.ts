/**
 * Killed while work is given out and published.
 *
 * @module
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import {
  expectAssigned,
  expectText,
  expectValue,
  KEY,
  type Prepared,
  type Site,
} from "./kill_site.ts";
import { hashOf, valueOf } from "./values.ts";

/** An entry is given to a client. */
export function prepareGet(site: Site): Prepared {
  const work: { id?: string } = {};
  return {
    async act() {
      work.id = (await site.remote.assigned(site.namespace, KEY)).id;
    },
    async look({ namespace, remote }) {
      // An assignment that nobody was told of is given away after the grace.
      work.id ??= await expectAssigned(remote, namespace);
      await remote.set(work.id, "computed");
      await expectText(remote, namespace, "computed");
    },
  };
}

/** A value is set. */
export async function prepareSet(
  site: Site,
  sizeBytes: number,
): Promise<Prepared> {
  const { id } = await site.remote.assigned(site.namespace, KEY);
  const value = valueOf(1, sizeBytes);
  return {
    act: async () => void await site.remote.set(id, value),
    async look({ namespace, remote }, told) {
      if (told) await expectValue(remote, namespace, value);
      // Its client has not heard, and says it again.
      await remote.set(id, value);
      await expectValue(remote, namespace, value);
    },
  };
}

/** A file is published. */
export async function prepareDone(
  site: Site,
  sizeBytes: number,
): Promise<Prepared> {
  const { id, path } = await site.local.assigned(site.namespace, KEY);
  const value = valueOf(2, sizeBytes);
  await writeFile(path, value);
  return {
    act: async () => void await site.local.done(id),
    async look({ namespace, local, remote }, told) {
      if (told) await expectValue(remote, namespace, value);
      await local.done(id);
      await expectValue(remote, namespace, value);
      const handle = await local.handle(namespace, KEY);
      assert.equal(hashOf(await Deno.readFile(handle.path)), hashOf(value));
      await local.drop(handle.id);
    },
  };
}
