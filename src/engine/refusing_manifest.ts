/**
 * A cache that cannot keep a value says so at Get, not at Set: while the disk
 * takes no values, no work is given out. What is there is found as ever.
 *
 * @module
 */

import { LarderError } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";

/**
 * Refuses assignments while there is trouble; passes everything else on.
 *
 * @param manifest The manifest behind.
 * @param trouble Why no value can be kept now, if so; asked each time.
 * @returns The same manifest, but for claims.
 */
export function refuseInTrouble(
  manifest: Manifest,
  trouble: () => Error | undefined,
): Manifest {
  const guarded: Pick<Manifest, "claim" | "reassign"> = {
    async claim(entry, assignment) {
      const why = trouble();
      if (!why) return await manifest.claim(entry, assignment);
      const row = await manifest.find(entry);
      if (row) return row;
      throw refusal(why);
    },
    async reassign(entry, expected, assignment) {
      const why = trouble();
      if (why) throw refusal(why);
      return await manifest.reassign(entry, expected, assignment);
    },
  };
  return new Proxy(manifest, {
    get(target, property) {
      if (property in guarded) return Reflect.get(guarded, property);
      const value = Reflect.get(target, property, target);
      // Its private fields are found on itself only.
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The message is the same each time, whatever the name of the file that failed. */
function refusal(why: Error): LarderError {
  const [reason] = why.message.split(": ");
  return new LarderError("storage-failed", "The cache cannot keep values now", {
    cause: new Error(
      `no work is given out while the disk takes no values (${reason})`,
    ),
  });
}
