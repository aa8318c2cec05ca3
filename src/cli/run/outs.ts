/**
 * What `--out` names, as it stands.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { kindOf, leadsInside, type OutKind } from "./inside.ts";
import { idOf } from "./owner.ts";
import { Pattern } from "./pattern.ts";
import { linkAt, ownPlace, placeOf } from "./places.ts";

/** A file, a folder or a pattern of `--out`, as it stands. */
export interface Out {
  /** As it was named. */
  readonly name: string;
  readonly kind: OutKind;
  /** Of a pattern. */
  readonly pattern: Pattern | undefined;
  /**
   * Its own place: the real path of its folder, and its name; of a pattern, the
   * real path of the folder below which its files are.
   */
  readonly path: string;
  /** Where what is written to it goes: elsewhere, if it is a link. */
  readonly place: string;
  /** What tells a link that is there from one that is made later. */
  readonly link: string | undefined;
}

/**
 * Looks where the outs are. A link is followed, except one to another out: that
 * is itself what a command has made.
 *
 * @param names As they were named.
 */
export async function outsOf(
  names: readonly string[],
): Promise<readonly Out[]> {
  const outs: Out[] = [];
  for (const name of names) {
    const kind = kindOf(name);
    const pattern = Pattern.of(name);
    if (pattern) {
      const path = await placeOf(pattern.base);
      outs.push({ name, kind, pattern, path, place: path, link: undefined });
      continue;
    }
    const path = await ownPlace(name);
    const link = await linkAt(path);
    const isInside = link !== undefined &&
      await leadsInside(name, link.target, names);
    outs.push({
      name,
      kind,
      pattern,
      path,
      place: link === undefined || isInside ? path : await placeOf(path),
      link: isInside ? undefined : link?.id,
    });
  }
  return outs;
}

/**
 * The name of an out that leads to another folder than the one in which it was
 * made ready, since a link on the way was turned; `undefined`: there is none.
 */
export async function turnedOf(
  outs: readonly Out[],
): Promise<string | undefined> {
  for (const { name, pattern, path, place, link } of outs) {
    const pairs = pattern
      ? [[pattern.base, path]]
      : [[dirname(name), dirname(path)]];
    if (link !== undefined && (await linkAt(path))?.id === link) {
      pairs.push([dirname(await placeOf(path)), dirname(place)]);
    }
    for (const [now, before] of pairs) {
      if (await idOf(now!) !== await idOf(before!)) return name;
    }
  }
  return undefined;
}

/** Where the lock of an out is: a pattern has one of its own. */
export function lockPlaceOf({ place, pattern }: Out): string {
  return pattern ? join(place, pattern.text.replaceAll("/", "+")) : place;
}

/** Names an out of many files among all those of this machine. */
export function markedPlace({ place, pattern }: Out): string {
  return pattern ? `${place} ${pattern.text}` : place;
}

/** How a file of an out of many files is named by the command. */
export function nameBelow({ name, pattern }: Out, below: string): string {
  if (!pattern) return `${name}${below}`;
  const { base } = pattern;
  return base === "." ? below : `${base.replace(/\/$/, "")}/${below}`;
}
