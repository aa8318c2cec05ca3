/**
 * What stands in an out of many files before others are put there.
 *
 * @module
 */

import { isOwnName } from "./aside_names.ts";
import type { Pattern } from "./pattern.ts";
import { markOf, type Marks } from "./record.ts";
import { type Leaf, leafAt, leavesOf } from "./tree.ts";

/** Something that cannot be replaced. */
export interface InTheWay {
  readonly below: string;
  readonly what: "a folder" | "no folder" | "no file";
}

/** What stands there. */
export class Standing {
  /** The files and links that runs have put there, as they were. */
  readonly own: readonly string[];
  /** All other ones. */
  readonly others: readonly string[];
  readonly #place: string;

  private constructor(
    place: string,
    { own, others }: Pick<Standing, "own" | "others">,
  ) {
    this.#place = place;
    this.own = own;
    this.others = others;
  }

  /**
   * Looks at a folder.
   *
   * @param place Its real path.
   * @param how Which files are meant, and what is recorded of them.
   */
  static async at(
    place: string,
    { pattern, marks }: {
      readonly pattern: Pattern | undefined;
      readonly marks: Marks;
    },
  ): Promise<Standing> {
    const own: string[] = [];
    const others: string[] = [];
    for await (const { below, info } of leavesOf(place, pattern)) {
      if (info.isDirectory() || below.split("/").some(isOwnName)) continue;
      (marks.get(below) === markOf(info) ? own : others).push(below);
    }
    return new Standing(place, { own, others });
  }

  /**
   * The first thing that would have to go for others to come, and that no run
   * has put there; `undefined`: there is none.
   */
  inTheWay({ folders, others }: {
    readonly folders: Iterable<string>;
    readonly others: Iterable<string>;
  }): InTheWay | undefined {
    const own = new Set(this.own);
    // The folders in which something is to stay.
    const kept = new Set<string>();
    for (const below of this.others) {
      for (let at = below; at.includes("/");) {
        at = at.slice(0, at.lastIndexOf("/"));
        kept.add(at);
      }
    }
    for (const below of folders) {
      const leaf = below === "" ? undefined : leafAt(this.#place, below);
      if (!leaf || leaf.info.isDirectory() || own.has(below)) continue;
      return { below, what: "no folder" };
    }
    for (const below of others) {
      const leaf = leafAt(this.#place, below);
      if (!leaf || isReplaceable(leaf)) continue;
      if (!leaf.info.isDirectory()) return { below, what: "no file" };
      if (kept.has(below)) return { below, what: "a folder" };
    }
    return undefined;
  }
}

function isReplaceable({ info }: Leaf): boolean {
  return info.isFile() || info.isSymbolicLink();
}
