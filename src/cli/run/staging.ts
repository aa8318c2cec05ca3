/**
 * Folders in which files wait for their places, on the same file system as
 * these. One that a killed process has left behind is removed by the next one.
 *
 * @module
 */

import { readlink, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../make_folder.ts";
import { DISK } from "./disk.ts";
import { isDead, thisOwner } from "./owner.ts";

/** What their names begin with. */
export const STAGING = ".larder-new-";
const OWNER = "owner";
const PRIVATE_FOLDER = 0o700;

/** A folder that is gone when it is disposed of. */
export class Staging implements AsyncDisposable {
  /** Where files can wait. */
  readonly path: string;
  readonly #top: string;
  #files = 0;

  private constructor(top: string) {
    this.#top = top;
    this.path = join(top, "files");
  }

  /** Makes one in a folder, which is made as well. */
  static async in(folder: string): Promise<Staging> {
    await makeFolder(folder);
    const top = join(folder, `${STAGING}${crypto.randomUUID()}`);
    await DISK.mkdir(top, PRIVATE_FOLDER);
    const staging = new Staging(top);
    try {
      // Not every disk has links. There, what a killed process leaves stays.
      await symlink(await thisOwner(), join(top, OWNER)).catch(() => {});
      await DISK.mkdir(staging.path, PRIVATE_FOLDER);
      return staging;
    } catch (error) {
      await staging[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A path in it where nothing is. */
  file(): string {
    return join(this.path, String(this.#files++));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#top, { recursive: true, force: true }).catch(() => {});
  }
}

/** Whether a folder is one whose process has died. */
export async function isStale(path: string): Promise<boolean> {
  const line = await readlink(join(path, OWNER)).catch(() => undefined);
  return line !== undefined && await isDead(line);
}
