/**
 * What a start makes in a root that has no manifest, and takes away again when
 * it fails: a folder that could not be served is left as it was found.
 *
 * @module
 */

import { join } from "node:path";
import {
  hasManifest,
  rootContents,
  TAG_SIGNATURE,
} from "../../workers/root_contents.ts";
import {
  MANIFEST_FILE,
  MANIFEST_SUFFIXES,
  PRIVATE_FOLDER,
  QUARANTINE_FOLDER,
  STAGING_FOLDER,
  TAG_FILE,
} from "../../workers/root_names.ts";
import { isDiskFull, StartError, systemReason } from "../errors.ts";
import { diskFull } from "./full_disk.ts";

/**
 * In the order in which they go. The manifest comes after its log, which SQLite
 * would not miss, and before the tag, which was there first.
 */
const MADE: readonly string[] = [
  ...[STAGING_FOLDER, PRIVATE_FOLDER, QUARANTINE_FOLDER],
  ...MANIFEST_SUFFIXES.map((suffix) => MANIFEST_FILE + suffix),
  ...[MANIFEST_FILE, TAG_FILE],
];

/**
 * Tells backups that what is in the folder can be made again
 * (https://bford.info/cachedir/). Made before the manifest and never again, so
 * that whoever wants the root in a backup removes it once.
 */
const TAG = `${TAG_SIGNATURE}
# Larder, a cache server, made this file: backups may leave the folder out.
# Remove it to have the folder backed up; Larder does not make it again.
`;

/** The start of a server on a root, until it answers. */
export class FirstStart {
  readonly #root: string;
  /** What is not there before; none of it counts where a manifest is. */
  readonly #missing: readonly string[];

  /** Looks at the root before anything is made in it. */
  constructor(root: string) {
    this.#root = root;
    this.#missing = hasManifest(root)
      ? []
      : MADE.filter((name) => !isThere(join(root, name)));
  }

  /** Marks a root that is being made, once it is locked. */
  tag(): void {
    try {
      this.#tag();
    } catch (error) {
      if (isDiskFull(error)) throw diskFull(this.#root, error);
      throw new StartError(
        1,
        `cannot use root ${this.#root}: ${systemReason(error)}: let this ` +
          "user read and write what is in it",
        { cause: error },
      );
    }
  }

  #tag(): void {
    const path = join(this.#root, TAG_FILE);
    const isOurs = rootContents(this.#root).kind === "fresh";
    if (this.#missing.length === 0 || !isOurs) return;
    // What is there is a tag; of a start that was killed, perhaps without text.
    if (!isThere(path) || Deno.lstatSync(path).size === 0) {
      Deno.writeTextFileSync(path, TAG);
      // Once the manifest is there it is not made again.
      using file = Deno.openSync(path);
      file.syncSync();
    }
  }

  /** Removes what has been made since, once nobody has it open any more. */
  undo(): void {
    if (this.#missing.length === 0) return;
    // Whoever was answered for a moment may have left a value, or a file.
    if (rootContents(this.#root).kind !== "fresh") return;
    for (const name of this.#missing) {
      const path = join(this.#root, name);
      if (isThere(path)) Deno.removeSync(path);
    }
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
