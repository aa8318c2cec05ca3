/**
 * A file system in memory, as far as the blob workers use one.
 *
 * @module
 */

import { denoFiles } from "../../../workers/deno_files.ts";
import type {
  DiskSpace,
  FileInfo,
  FileSystem,
  FolderEntry,
  ReadableFile,
  Sizes,
  WritableFile,
} from "../../../workers/file_system.ts";

/** An inode: whoever has it open sees what is written to it. */
export interface MemoryNode {
  /** `other`: a FIFO, say. */
  readonly kind: "file" | "folder" | "other";
  readonly ino: number;
  readonly bornMs: number;
  /** Of a file; another array after each write. */
  bytes: Uint8Array;
  /** What it had when it was synced last. */
  synced: Uint8Array;
  /** Of a folder. */
  readonly entries: Map<string, MemoryNode>;
  mode: number;
  /** Whose it is. */
  readonly uid: number;
  gid: number;
  /** Of a file: names that it has outside of the root. */
  readonly otherNames: number;
  /** When its bytes changed, unless somebody has set it. */
  mtimeMs: number;
  /** When anything of it changed. */
  ctimeMs: number;
}

/** Whose a file is, and who may do what with it. */
export type Ownership = Partial<
  Pick<MemoryNode, "uid" | "mode" | "otherNames">
>;

/** An error as the system's calls throw it. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: '${path}'`), { code });
}

const DEVICE = 1;
/** Who the files of the server belong to. */
const USER = 1_000;
/** What lets a user read a file who is neither its owner nor of its group. */
const READ_BY_OTHERS = 0o004;
const FOLDER_MODE = 0o700;
/** More than any test fills. */
const BLOCKS = 2 ** 32;

/** Files of one root. */
export class MemoryFiles implements FileSystem {
  readonly sizes: Sizes;
  readonly nowMs: () => number;
  readonly #top: MemoryNode;
  #inos = 0;

  /** An empty root at `/<root>`. */
  constructor(
    root: string,
    nowMs: () => number,
    sizes: Sizes = denoFiles.sizes,
  ) {
    this.nowMs = nowMs;
    this.sizes = sizes;
    this.#top = this.node("folder");
    this.mkdir(root, FOLDER_MODE);
  }

  /** An inode that lies nowhere yet. */
  node(
    kind: MemoryNode["kind"],
    bytes: Uint8Array = new Uint8Array(),
    ownership: Ownership = {},
  ): MemoryNode {
    const nowMs = this.nowMs();
    return {
      kind,
      ino: ++this.#inos,
      bornMs: nowMs,
      bytes,
      synced: new Uint8Array(),
      entries: new Map(),
      mode: kind === "folder" ? FOLDER_MODE : 0o644,
      uid: USER,
      gid: USER,
      otherNames: 0,
      mtimeMs: nowMs,
      ctimeMs: nowMs,
      ...ownership,
    };
  }

  /** What lies at a path; `undefined`: nothing. */
  at(path: string): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.#top;
    for (const part of path.split("/")) {
      if (part !== "") node = node?.entries.get(part);
    }
    return node;
  }

  /** Puts something at a path, whatever lies there, or nothing, as others do. */
  place(path: string, node: MemoryNode | undefined): void {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!this.at(folder)) this.mkdir(folder, FOLDER_MODE);
    this.#link(path, node);
  }

  /** Gives an inode other bytes. */
  write(node: MemoryNode, bytes: Uint8Array): void {
    node.bytes = bytes;
    node.mtimeMs = node.ctimeMs = this.nowMs();
  }

  lstat(path: string): FileInfo {
    return infoOf(this.#there(path));
  }

  open(path: string): ReadableFile {
    const node = this.#there(path);
    const mayRead = node.uid === USER || (node.mode & READ_BY_OTHERS) !== 0;
    if (!mayRead) throw systemError("EACCES", path);
    return new Reader(this, node, path);
  }

  create(path: string, mode: number): WritableFile {
    if (this.at(path)) throw systemError("EEXIST", path);
    const node = this.node("file");
    node.mode = mode;
    this.#link(path, node);
    return new Writer(this, node);
  }

  append(path: string, mode?: number): WritableFile {
    if (mode !== undefined) return this.create(path, mode);
    return new Writer(this, this.#there(path));
  }

  mkdir(path: string, mode: number): void {
    if (this.at(path)) throw systemError("EEXIST", path);
    const node = this.node("folder");
    node.mode = mode;
    this.#link(path, node);
  }

  chmod(path: string, mode: number): void {
    const node = this.#there(path);
    node.mode = mode;
    node.ctimeMs = this.nowMs();
  }

  rename(from: string, to: string): void {
    const node = this.#there(from);
    const over = this.at(to);
    if (over && over.kind === "folder" && node.kind !== "folder") {
      throw systemError("EISDIR", to);
    }
    if (over && node.kind === "folder") throw systemError("ENOTDIR", to);
    this.#link(to, node);
    this.#link(from, undefined);
    node.ctimeMs = this.nowMs();
  }

  remove(path: string): void {
    const { entries } = this.#there(path);
    if (entries.size > 0) throw systemError("ENOTEMPTY", path);
    this.#link(path, undefined);
  }

  setGroup(path: string, gid: number): void {
    this.#there(path).gid = gid;
  }

  removeLarge(path: string): Promise<void> {
    return attempt(() => this.remove(path));
  }

  removeFlat(path: string): Promise<void> {
    return attempt(() => {
      this.#there(path);
      this.#link(path, undefined);
    });
  }

  list(path: string): Promise<readonly FolderEntry[]> {
    return attempt(() =>
      Array.from(this.#there(path).entries, ([name, { kind }]) => ({
        name,
        isFile: kind === "file",
        isDirectory: kind === "folder",
      }))
    );
  }

  syncFolder(path: string): Promise<void> {
    return attempt(() => void this.#there(path));
  }

  space(): DiskSpace {
    return { bavail: BLOCKS, blocks: BLOCKS, bsize: 4096, ffree: 0, files: 0 };
  }

  #there(path: string): MemoryNode {
    const node = this.at(path);
    if (!node) throw systemError("ENOENT", path);
    return node;
  }

  #link(path: string, node: MemoryNode | undefined): void {
    const slash = path.lastIndexOf("/");
    const folder = this.at(path.slice(0, slash));
    if (!folder) throw systemError("ENOENT", path);
    this.changeName(folder, path.slice(slash + 1), node);
  }

  /** Every change of a folder comes by here. */
  protected changeName(
    { entries }: MemoryNode,
    name: string,
    node: MemoryNode | undefined,
  ): void {
    if (node) entries.set(name, node);
    else entries.delete(name);
  }
}

class Reader implements ReadableFile {
  readonly #files: MemoryFiles;
  readonly #node: MemoryNode;
  readonly #path: string;
  #position = 0;

  constructor(files: MemoryFiles, node: MemoryNode, path: string) {
    this.#files = files;
    this.#node = node;
    this.#path = path;
  }

  stat() {
    const { kind, bytes, ino } = this.#node;
    const isFile = () => kind === "file";
    return { isFile, size: bytes.length, ino, dev: DEVICE };
  }

  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number {
    const from = position ?? this.#position;
    const part = this.#node.bytes.subarray(from, from + length);
    into.set(part, offset);
    if (position === null) this.#position += part.length;
    return part.length;
  }

  chmod(mode: number): void {
    this.#mustBeOurs();
    this.#node.mode = mode;
    this.#node.ctimeMs = this.#files.nowMs();
  }

  setTime(seconds: number): void {
    this.#mustBeOurs();
    this.#node.mtimeMs = seconds * 1000;
    this.#node.ctimeMs = this.#files.nowMs();
  }

  sync(): Promise<void> {
    return attempt(() => void (this.#node.synced = this.#node.bytes));
  }

  close(): void {}

  #mustBeOurs(): void {
    if (this.#node.uid !== USER) throw systemError("EPERM", this.#path);
  }
}

class Writer implements WritableFile {
  readonly #files: MemoryFiles;
  readonly #node: MemoryNode;

  constructor(files: MemoryFiles, node: MemoryNode) {
    this.#files = files;
    this.#node = node;
  }

  statSync(): FileInfo {
    return infoOf(this.#node);
  }

  utimeSync(_usedS: number, changedS: number): void {
    this.#node.mtimeMs = changedS * 1000;
    this.#node.ctimeMs = this.#files.nowMs();
  }

  writeSync(bytes: Uint8Array): number {
    const before = this.#node.bytes;
    const all = new Uint8Array(before.length + bytes.length);
    all.set(before);
    all.set(bytes, before.length);
    this.#files.write(this.#node, all);
    return bytes.length;
  }

  sync(): Promise<void> {
    return attempt(() => void (this.#node.synced = this.#node.bytes));
  }

  close(): void {}

  [Symbol.dispose](): void {}
}

function infoOf(node: MemoryNode): FileInfo {
  return {
    isFile: node.kind === "file",
    isDirectory: node.kind === "folder",
    size: node.bytes.length,
    mtime: new Date(node.mtimeMs),
    // As Deno has it, cut to the second.
    ctime: new Date(Math.floor(node.ctimeMs / 1000) * 1000),
    birthtime: new Date(node.bornMs),
    ino: node.ino,
    dev: DEVICE,
    uid: node.uid,
    gid: node.gid,
    nlink: linksOf(node),
    mode: node.mode,
  };
}

/** Does it now, and tells it later. */
function attempt<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => resolve(act()));
}

/** As most systems count them: a folder has one for each folder in it. */
function linksOf({ kind, entries, otherNames }: MemoryNode): number {
  if (kind !== "folder") return 1 + otherNames;
  return 2 + entries.values().filter(({ kind }) => kind === "folder").toArray()
    .length;
}
