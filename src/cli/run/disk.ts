/**
 * The calls by which files are set aside and put back; each of them may be the
 * last one of this process, or fail.
 *
 * @module
 */

import { mkdir, rename, rmdir, symlink, unlink } from "node:fs/promises";
import { permit } from "../make_folder.ts";

/** What a test replaces, to be killed at each step or to have no room. */
export interface Disk {
  /** Makes a link; fails with EEXIST where something is. */
  symlink(target: string, path: string): Promise<void>;
  /** Moves a file within a file system. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a link. */
  unlink(path: string): Promise<void>;
  /** Makes a folder, with these permissions. */
  mkdir(path: string, mode: number): Promise<void>;
  /** Removes a folder in which nothing is. */
  rmdir(path: string): Promise<void>;
}

/** The real one. */
export const DISK: Disk = {
  symlink,
  rename,
  unlink,
  async mkdir(path, mode) {
    await mkdir(path, mode);
    permit(path, mode);
  },
  rmdir,
};

/** Whether it is an error of the system with one of these codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as { code?: string } | undefined)?.code ?? "");
}
