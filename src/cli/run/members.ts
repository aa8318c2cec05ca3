/**
 * What an archive holds of the outs: each thing once, nothing that was not asked
 * for, and everything in a folder that was there before it.
 *
 * @module
 */

import { dirname } from "node:path";
import { Malformed, type Member, memberOf } from "./archive.ts";
import { kindOf, type OutKind } from "./inside.ts";
import { Pattern } from "./pattern.ts";

/** What an entry is. */
export type MemberKind = "file" | "link" | "folder";

/** One out, and what has come of it. */
interface Asked {
  readonly name: string;
  readonly kind: OutKind;
  readonly pattern: Pattern | undefined;
  readonly folders: Set<string>;
  readonly others: Set<string>;
}

/** The entries of an archive, as they come. */
export class Members {
  readonly #outs: readonly Asked[];

  /** Knows what was asked for, by the names of the outs. */
  constructor(outs: readonly string[]) {
    this.#outs = outs.map((name) => ({
      name,
      kind: kindOf(name),
      pattern: Pattern.of(name),
      folders: new Set(),
      others: new Set(),
    }));
  }

  /**
   * Adds an entry.
   *
   * @throws {Malformed} It has no place here.
   */
  add(name: string, kind: MemberKind): Member {
    const member = memberOf(name, this.#outs.length);
    const out = this.#outs[member.index]!;
    const below = member.below ?? "";
    if (!isAsked(out, member, kind)) {
      throw new Malformed(`it holds ${name}, a ${kind} that is no out`);
    }
    if (out.others.has(below) || out.folders.has(below)) {
      throw new Malformed(`it holds ${name} twice`);
    }
    if (out.kind === "pattern") this.#implyFolders(out, below);
    else if (below !== "" && !out.folders.has(folderOf(below))) {
      throw new Malformed(`it holds ${name} in no folder`);
    }
    (kind === "folder" ? out.folders : out.others).add(below);
    return member;
  }

  /** How the command would name an entry. */
  nameOf({ index, below = "" }: Member): string {
    const { name, pattern } = this.#outs[index]!;
    return pattern ? `${pattern.base}/${below}` : `${name}${below}`;
  }

  /** Throws {@linkcode Malformed} if there is nothing of some out. */
  checkComplete(): void {
    for (const { others, folders } of this.#outs) {
      if (others.size + folders.size === 0) {
        throw new Malformed("an out is missing");
      }
    }
  }

  /** Patterns have no folders of their own: those of their files are made. */
  #implyFolders({ folders, others }: Asked, below: string): void {
    for (let at = folderOf(below); at !== ""; at = folderOf(at)) {
      if (others.has(at)) throw new Malformed(`it holds ${at} twice`);
      folders.add(at);
    }
  }
}

function isAsked(
  { kind: out, pattern }: Asked,
  { below }: Member,
  kind: MemberKind,
): boolean {
  if (out === "file") return below === undefined && kind !== "folder";
  if (out === "folder") return below !== undefined || kind === "folder";
  return below !== undefined && kind !== "folder" && pattern!.matches(below);
}

function folderOf(below: string): string {
  const folder = dirname(below);
  return folder === "." ? "" : folder;
}
