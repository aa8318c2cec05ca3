/**
 * The simulated disk, as one worker sees it: any call may fail, take its time,
 * do a part of what it should, or be the worker's last.
 *
 * @module
 */

import type {
  FileInfo,
  FileSystem,
  ReadableFile,
  WritableFile,
} from "../../workers/file_system.ts";

/** What goes wrong with a worker's calls. */
export interface Gate {
  /** Before each call: throws where it fails, or the worker dies over it. */
  readonly pass: (call: string, path: string) => void;
  /** Does something when its time has come, which may be never. */
  readonly later: <T>(call: string, act: () => Promise<T>) => Promise<T>;
  /** How much of a write the system takes at once. */
  readonly part: (length: number) => number;
}

/** Passes each call on through its gate. */
export class SimFiles implements FileSystem {
  readonly sizes: FileSystem["sizes"];
  readonly nowMs: () => number;
  readonly #inner: FileSystem;
  readonly #gate: Gate;

  /** A worker's view of a disk. */
  constructor(inner: FileSystem, gate: Gate) {
    this.#inner = inner;
    this.#gate = gate;
    this.sizes = inner.sizes;
    this.nowMs = () => inner.nowMs();
  }

  lstat(path: string): FileInfo {
    this.#gate.pass("lstat", path);
    return this.#inner.lstat(path);
  }

  open(path: string): ReadableFile {
    this.#gate.pass("open", path);
    return new SimReader(this.#inner.open(path), path, this.#gate);
  }

  create(path: string, mode: number): WritableFile {
    this.#gate.pass("create", path);
    return new SimWriter(this.#inner.create(path, mode), path, this.#gate);
  }

  append(path: string, mode?: number): WritableFile {
    this.#gate.pass("append", path);
    return new SimWriter(this.#inner.append(path, mode), path, this.#gate);
  }

  mkdir(path: string, mode: number): void {
    this.#gate.pass("mkdir", path);
    this.#inner.mkdir(path, mode);
  }

  chmod(path: string, mode: number): void {
    this.#gate.pass("chmod", path);
    this.#inner.chmod(path, mode);
  }

  rename(from: string, to: string): void {
    this.#gate.pass("rename", to);
    this.#inner.rename(from, to);
  }

  remove(path: string): void {
    this.#gate.pass("remove", path);
    this.#inner.remove(path);
  }

  setGroup(path: string, gid: number): void {
    this.#gate.pass("chmod", path);
    this.#inner.setGroup(path, gid);
  }

  removeLarge(path: string): Promise<void> {
    return this.#gate.later("remove", () => {
      this.#gate.pass("remove", path);
      return this.#inner.removeLarge(path);
    });
  }

  removeFlat(path: string): Promise<void> {
    return this.#gate.later("remove", () => {
      this.#gate.pass("remove", path);
      return this.#inner.removeFlat(path);
    });
  }

  list(path: string): ReturnType<FileSystem["list"]> {
    return this.#gate.later("list", () => {
      this.#gate.pass("list", path);
      return this.#inner.list(path);
    });
  }

  syncFolder(path: string): Promise<void> {
    return this.#gate.later("sync", () => {
      this.#gate.pass("sync", path);
      return this.#inner.syncFolder(path);
    });
  }

  space(path: string): ReturnType<FileSystem["space"]> {
    this.#gate.pass("space", path);
    return this.#inner.space(path);
  }
}

/** What both kinds of open files have. */
class SimFile<F extends ReadableFile | WritableFile> implements Disposable {
  protected readonly inner: F;
  protected readonly path: string;
  protected readonly gate: Gate;

  constructor(inner: F, path: string, gate: Gate) {
    this.inner = inner;
    this.path = path;
    this.gate = gate;
  }

  sync(): Promise<void> {
    return this.gate.later("sync", () => {
      this.gate.pass("sync", this.path);
      return this.inner.sync();
    });
  }

  close(): void {
    this.inner.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class SimReader extends SimFile<ReadableFile> implements ReadableFile {
  stat(): ReturnType<ReadableFile["stat"]> {
    this.gate.pass("stat", this.path);
    return this.inner.stat();
  }

  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number {
    this.gate.pass("read", this.path);
    return this.inner.read(into, offset, this.gate.part(length), position);
  }

  chmod(mode: number): void {
    this.gate.pass("chmod", this.path);
    this.inner.chmod(mode);
  }

  setTime(seconds: number): void {
    this.gate.pass("chmod", this.path);
    this.inner.setTime(seconds);
  }
}

class SimWriter extends SimFile<WritableFile> implements WritableFile {
  statSync(): FileInfo {
    this.gate.pass("stat", this.path);
    return this.inner.statSync();
  }

  utimeSync(usedS: number, changedS: number): void {
    this.gate.pass("chmod", this.path);
    this.inner.utimeSync(usedS, changedS);
  }

  writeSync(bytes: Uint8Array): number {
    this.gate.pass("write", this.path);
    return this.inner.writeSync(
      bytes.subarray(0, this.gate.part(bytes.length)),
    );
  }
}
