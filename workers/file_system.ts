/**
 * The calls of a file system that the blob workers make: a few, each as small
 * as the system's own. What does them is handed in, so that the simulation
 * runs the same operations on a disk that fails, and ends them between any two
 * calls.
 *
 * Errors are as Deno throws them: what went wrong is in `code`.
 *
 * @module
 */

/** What a file or folder says of itself. */
export type FileInfo = Pick<
  Deno.FileInfo,
  | "isFile"
  | "isDirectory"
  | "size"
  | "mtime"
  | "ctime"
  | "birthtime"
  | "ino"
  | "dev"
  | "uid"
  | "gid"
  | "nlink"
  | "mode"
>;

/** A name in a folder. */
export type FolderEntry = Pick<
  Deno.DirEntry,
  "name" | "isFile" | "isDirectory"
>;

/** A file that is read. */
export interface ReadableFile {
  /** What it is now. */
  stat(): {
    isFile(): boolean;
    readonly size: number;
    readonly ino: number;
    readonly dev: number;
  };
  /**
   * Reads up to `length` bytes to `offset` of `into`, from a position or, with
   * `null`, from where the last read ended; how many there were.
   */
  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number;
  chmod(mode: number): void;
  /** Sets the time of its last change, in seconds. */
  setTime(seconds: number): void;
  /** Puts the bytes on the disk; other threads wait, this one does not. */
  sync(): Promise<void>;
  close(): void;
}

/** A file that is written, from its start or where it ended. */
export interface WritableFile extends Disposable {
  statSync(): FileInfo;
  /** Sets the times of its last use and change, in seconds. */
  utimeSync(usedS: number, changedS: number): void;
  /** Takes as much as the system does at once; how much. */
  writeSync(bytes: Uint8Array): number;
  /** Puts the bytes on the disk; other threads wait, this one does not. */
  sync(): Promise<void>;
  close(): void;
}

/** How a disk's room is told. */
export interface DiskSpace {
  readonly bavail: number;
  readonly blocks: number;
  readonly bsize: number;
  readonly ffree: number;
  readonly files: number;
}

/** What is done at once, and what in pieces. */
export interface Sizes {
  /** Work above `atOnceBytes` is done in slices of this size. */
  readonly sliceBytes: number;
  /** Work above this lets others in before it begins. */
  readonly atOnceBytes: number;
  /** Files up to this are hashed when they are captured, and always copied. */
  readonly copyBytes: number;
}

/** A disk, and the clock that its files are stamped by. */
export interface FileSystem {
  readonly sizes: Sizes;
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** What lies at a path, itself. */
  lstat(path: string): FileInfo;
  /** Opens for reading; a FIFO does not block it. */
  open(path: string): ReadableFile;
  /** Makes a file where nothing lies. */
  create(path: string, mode: number): WritableFile;
  /** Opens a file to write where it ends; with a mode, it makes it. */
  append(path: string, mode?: number): WritableFile;
  mkdir(path: string, mode: number): void;
  chmod(path: string, mode: number): void;
  /** Gives something to a group. */
  setGroup(path: string, gid: number): void;
  /** Renames, over a file that lies there. */
  rename(from: string, to: string): void;
  /** Removes a file, or a folder that is empty. */
  remove(path: string): void;
  /** Removes a file that takes long. */
  removeLarge(path: string): Promise<void>;
  /** Removes a folder with the files that are in it. */
  removeFlat(path: string): Promise<void>;
  /** What is in a folder. */
  list(path: string): Promise<readonly FolderEntry[]>;
  /** Puts the names in a folder on the disk. */
  syncFolder(path: string): Promise<void>;
  space(path: string): DiskSpace;
}
