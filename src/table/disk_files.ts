/**
 * Of a disk that holds only so many files (inodes): each value is one of them,
 * and its last bytes may be free when its last file has been made.
 *
 * @module
 */

import type { Disk, DiskFiles } from "./types.ts";

/** Whether a file more can be made for each of so many values. */
export function holdsFiles({ files }: Disk, values: number): boolean {
  return !files || values <= files.roomFiles;
}

/** Whether not even one file more could be made if all that is kept went. */
export function areOthers({ roomFiles }: DiskFiles, kept: number): boolean {
  return 1 - roomFiles > kept;
}

/** The same, for people. */
export function filesOfOthers(
  { roomFiles, keptFiles }: DiskFiles,
  kept: number,
): string {
  return `only ${Math.max(0, keptFiles + roomFiles)} files can still be made ` +
    `on the disk (inodes), and Larder leaves ${keptFiles} of them free; all ` +
    `values together are ${kept}, too few to make up for it, so none is ` +
    "removed: the rest is not Larder's";
}

/** What the disk still holds, for people. */
export function leftFiles({ roomFiles, keptFiles }: DiskFiles): string {
  return `only ${Math.max(0, roomFiles)} files can still be made on the disk ` +
    `(inodes) beside ${keptFiles} that Larder leaves free`;
}
