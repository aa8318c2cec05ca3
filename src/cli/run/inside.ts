/**
 * Which names are inside the outs, by their words: those of links that a command
 * has made, and those of an archive, which anybody can have written.
 *
 * @module
 */

import { dirname, isAbsolute, normalize, relative } from "node:path";
import { Pattern } from "./pattern.ts";
import { ownPlace } from "./places.ts";

/** What an out is, by its name. */
export type OutKind = "file" | "folder" | "pattern";

/** What an out of this name is. */
export function kindOf(name: string): OutKind {
  if (Pattern.of(name)) return "pattern";
  return name.endsWith("/") ? "folder" : "file";
}

/**
 * Whether the link of an out is one that can be made again elsewhere: it is
 * relative, and leads to something of the outs, by its words and in the files as
 * they are.
 *
 * @param name The link, as it was named.
 * @param target What it says.
 * @param names All the outs.
 */
export async function leadsInside(
  name: string,
  target: string,
  names: readonly string[],
): Promise<boolean> {
  const place = insideAt(name, target, names);
  if (place === undefined) return false;
  const folder = dirname(await ownPlace(name));
  return await ownPlace(`${folder}/${target}`) === await ownPlace(place);
}

/**
 * The place inside the outs where a link leads by its words, wherever the
 * folders are; `undefined`: elsewhere.
 */
export function insideAt(
  name: string,
  target: string,
  names: readonly string[],
): string | undefined {
  if (target === "" || isAbsolute(target)) return undefined;
  // After another link, `..` is not what its words say.
  const isUpLater = /(?:^|\/)(?!\.\.\/)[^/]+\/(?:.*\/)?\.\.(?:\/|$)/s;
  if (isUpLater.test(target)) return undefined;
  const place = normalize(`${dirname(name)}/${target}`).replace(/\/$/, "");
  const isInside = names.some((out) => out !== name && holds(out, place));
  return isInside ? place : undefined;
}

function holds(out: string, place: string): boolean {
  const pattern = Pattern.of(out);
  if (pattern) {
    const below = relative(normalize(pattern.base), place);
    return !below.startsWith("../") && pattern.matches(below);
  }
  const path = normalize(out).replace(/\/$/, "");
  return place === path ||
    (out.endsWith("/") && place.startsWith(`${path}/`));
}
