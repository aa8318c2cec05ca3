/**
 * Looks for what runs that were killed have left, wherever this one works.
 *
 * @module
 */

import { dirname } from "node:path";
import { say } from "../output.ts";
import { recoverFolder } from "./aside.ts";
import { Pattern } from "./pattern.ts";
import { ownPlace, placeOf } from "./places.ts";
import { foldersFor } from "./tree.ts";

/** Puts back what runs that were killed have set aside around here. */
export async function recoverAround(
  { outs, keyFiles }: {
    readonly outs: readonly string[];
    readonly keyFiles: readonly string[];
  },
): Promise<void> {
  const folders = new Set<string>();
  // The first one stands for the working folder.
  for (const name of ["./x", ...outs, ...keyFiles]) {
    if (Pattern.of(name)) continue;
    for (const find of [ownPlace, placeOf]) {
      // What is wrong with it is said where it is used.
      const place = await find(name).catch(() => undefined);
      if (place === undefined) continue;
      folders.add(dirname(place));
      if (name.endsWith("/")) folders.add(place);
    }
  }
  for (const name of outs) {
    const pattern = Pattern.of(name);
    if (!pattern) continue;
    const base = await placeOf(pattern.base).catch(() => undefined);
    if (base === undefined) continue;
    for (const folder of foldersFor(base, pattern)) folders.add(folder);
  }
  const onRecovered = (place: string) =>
    say(`put back ${place}, which a run that was killed had set aside`);
  for (const folder of folders) await recoverFolder(folder, { onRecovered });
}
