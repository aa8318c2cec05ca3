/**
 * The blob store in memory: for tests, the simulation, and a server that
 * keeps nothing. It behaves like the one on a folder, local files included,
 * except that its "paths" name nothing; `stage` stands in for the client.
 *
 * @module
 */

import { sha256Hex } from "../../../workers/digest.ts";
import { type Clock, systemClock } from "../../clock.ts";
import type { Digest, Stamp } from "../../table/types.ts";
import {
  BlobError,
  type BlobStore,
  type LocalFiles,
  type Measured,
  type Range,
  type Space,
  type Stored,
} from "../blob_store.ts";
import { stagingPath, valuePath } from "../layout.ts";

/** What lies somewhere; `bytes` absent: something that is no regular file. */
interface File {
  readonly bytes?: Uint8Array;
  readonly ino: number;
  readonly changedMs: number;
}

/** Files up to this are hashed as they are captured. */
const HASH_AT_ONCE_BYTES = 1024 * 1024;
/** Only names something in messages and replies. */
const ROOT = "/memory";

/** Values in memory. */
export class MemoryBlobStore implements BlobStore {
  /** Files of clients, simulated. */
  readonly local: MemoryLocalFiles;
  readonly #clock: Clock;
  readonly #values = new Map<string, File>();
  #inos = 0;
  #closed = false;

  /** Starts empty. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.local = new MemoryLocalFiles({
      file: (bytes) => this.#file(bytes),
      publish: (name, file) => void this.#values.set(name, file),
      nowMs: () => clock.wallMs(),
      check: () => this.#check(),
    });
  }

  /** {@inheritDoc BlobStore.put} */
  async put(name: string, value: Uint8Array): Promise<Stored> {
    await this.#check();
    const file = this.#file(value.slice());
    this.#values.set(name, file);
    return { digest: digestOf(file), stamp: stampOf(file) };
  }

  /** {@inheritDoc BlobStore.read} */
  async read(name: string, digest: Digest): Promise<Uint8Array> {
    await this.#check();
    const { bytes } = this.#whole(name, digest);
    return bytes.slice();
  }

  /** {@inheritDoc BlobStore.readRange} */
  async readRange(
    name: string,
    { offset, length }: Range,
    stamp: Stamp,
  ): Promise<Uint8Array> {
    await this.#check();
    const file = regular(this.#values.get(name), name);
    if (JSON.stringify(stamp) !== JSON.stringify(stampOf(file))) {
      throw new BlobError("damaged", `'${name}' is not what was verified`);
    }
    return file.bytes.slice(offset, offset + length);
  }

  /** {@inheritDoc BlobStore.verify} */
  async verify(
    name: string,
    digest?: Digest,
    stamp?: Stamp,
  ): Promise<Stored> {
    await this.#check();
    const file = this.#values.get(name);
    const fits = digest && stamp && file?.bytes &&
      JSON.stringify(stamp) === JSON.stringify(stampOf(file));
    if (fits && digest.size === stamp.size) return { digest, stamp };
    const whole = this.#whole(name, digest);
    return { digest: digestOf(whole), stamp: stampOf(whole) };
  }

  /** {@inheritDoc BlobStore.remove} */
  async remove(name: string): Promise<void> {
    await this.#check();
    this.#values.delete(name);
  }

  /** {@inheritDoc BlobStore.quarantine} */
  quarantine(name: string): Promise<void> {
    return this.remove(name);
  }

  /** {@inheritDoc BlobStore.measure} */
  async measure(name: string): Promise<Measured | undefined> {
    await this.#check();
    const file = this.#values.get(name);
    if (!file?.bytes) return undefined;
    return { size: file.bytes.length, modifiedMs: file.changedMs };
  }

  /** {@inheritDoc BlobStore.space} */
  async space(): Promise<Space | undefined> {
    await this.#check();
    return undefined;
  }

  /** {@inheritDoc BlobStore.namespaces} */
  async namespaces(): Promise<readonly string[]> {
    await this.#check();
    const names = this.#values.keys().map((name) => name.split("/")[0] ?? "");
    return [...new Set(names)];
  }

  /** {@inheritDoc BlobStore.list} */
  async list(namespace: string): Promise<readonly string[]> {
    await this.#check();
    const prefix = `${namespace}/`;
    return [...this.#values.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
  }

  /** {@inheritDoc BlobStore.sweep} */
  async sweep(name: string, minAgeMs: number): Promise<boolean> {
    await this.#check();
    const file = this.#values.get(name);
    if (!file || this.#clock.wallMs() - file.changedMs < minAgeMs) return false;
    return this.#values.delete(name);
  }

  /** {@inheritDoc BlobStore.close} */
  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  /** Closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Changes a value behind the store's back, as a failing disk does. */
  tamper(name: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const { bytes } = this.#whole(name);
    this.#values.set(name, this.#file(change(bytes.slice())));
  }

  #check(): Promise<void> {
    return this.#closed
      ? Promise.reject(new BlobError("failed", "The blob store was closed"))
      : Promise.resolve();
  }

  #file(bytes: Uint8Array | undefined): File {
    this.#inos += 1;
    const changedMs = this.#clock.wallMs();
    return { ino: this.#inos, changedMs, ...bytes && { bytes } };
  }

  #whole(name: string, digest?: Digest): File & { readonly bytes: Uint8Array } {
    const file = regular(this.#values.get(name), name);
    const { size, sha256 } = digestOf(file);
    if (digest && (digest.size !== size || digest.sha256 !== sha256)) {
      throw new BlobError("damaged", `The bytes of '${name}' have changed`);
    }
    return file;
  }
}

/** What the local half needs of the store. */
interface Host {
  readonly file: (bytes: Uint8Array | undefined) => File;
  readonly publish: (name: string, file: File) => void;
  readonly nowMs: () => number;
  readonly check: () => Promise<void>;
}

/** Files of clients, simulated. */
export class MemoryLocalFiles implements LocalFiles {
  readonly #host: Host;
  readonly #staged = new Map<string, File>();
  readonly #captured = new Map<string, File>();

  /** Made by {@linkcode MemoryBlobStore}. */
  constructor(host: Host) {
    this.#host = host;
  }

  /** What a client does at a staging path; without bytes: no regular file. */
  stage(staging: string, bytes?: Uint8Array): void {
    this.#staged.set(staging, this.#host.file(bytes?.slice()));
  }

  /** {@inheritDoc LocalFiles.path} */
  path(name: string): string {
    return valuePath(ROOT, name);
  }

  /** {@inheritDoc LocalFiles.stagingPath} */
  stagingPath(staging: string): string {
    return stagingPath(ROOT, staging);
  }

  /** {@inheritDoc LocalFiles.probe} */
  async probe(staging: string): Promise<number | undefined> {
    await this.#host.check();
    const file = this.#staged.get(staging);
    const agoMs = file && this.#host.nowMs() - file.changedMs;
    return agoMs !== undefined && agoMs >= 0 ? agoMs : undefined;
  }

  /** {@inheritDoc LocalFiles.capture} */
  async capture(staging: string): Promise<Digest | undefined> {
    await this.#host.check();
    const staged = this.#staged.get(staging);
    if (!this.#captured.has(staging) && staged) {
      this.#staged.delete(staging);
      if (staged.bytes) this.#captured.set(staging, staged);
      else regular(staged, staging);
    }
    const file = regular(this.#captured.get(staging), staging);
    return file.bytes.length > HASH_AT_ONCE_BYTES ? undefined : digestOf(file);
  }

  /** {@inheritDoc LocalFiles.hash} */
  async hash(staging: string): Promise<Digest> {
    await this.#host.check();
    return digestOf(regular(this.#captured.get(staging), staging));
  }

  /** {@inheritDoc LocalFiles.install} */
  async install(staging: string, name: string): Promise<Stamp> {
    await this.#host.check();
    const file = regular(this.#captured.get(staging), staging);
    this.#captured.delete(staging);
    this.#host.publish(name, file);
    return stampOf(file);
  }

  /** {@inheritDoc LocalFiles.append} */
  async append(
    staging: string,
    offset: number,
    bytes: Uint8Array,
  ): Promise<void> {
    await this.#host.check();
    const before = this.#captured.get(staging)?.bytes;
    if ((before?.length ?? 0) !== offset || (before && offset === 0)) {
      throw new BlobError("failed", `'${staging}' is not what was written`);
    }
    const all = new Uint8Array(offset + bytes.length);
    all.set(before ?? []);
    all.set(bytes, offset);
    this.#captured.set(staging, this.#host.file(all));
  }

  /** {@inheritDoc LocalFiles.discard} */
  async discard(staging: string): Promise<void> {
    await this.#host.check();
    this.#staged.delete(staging);
    this.#captured.delete(staging);
  }

  /** {@inheritDoc LocalFiles.leftovers} */
  async leftovers(): Promise<
    {
      readonly staging: readonly string[];
      readonly captured: readonly string[];
    }
  > {
    await this.#host.check();
    return {
      staging: [...this.#staged.keys()],
      captured: [...this.#captured.keys()],
    };
  }

  /** {@inheritDoc LocalFiles.sweepPrivate} */
  sweepPrivate(): Promise<void> {
    return this.#host.check();
  }
}

function regular(
  file: File | undefined,
  name: string,
): File & { readonly bytes: Uint8Array } {
  const { bytes } = file ?? {};
  if (!file) throw new BlobError("missing", `There is no '${name}'`);
  if (!bytes) throw new BlobError("not-a-file", `'${name}' is no regular file`);
  return { ...file, bytes };
}

function digestOf(file: File): Digest {
  const bytes = file.bytes ?? new Uint8Array();
  return { size: bytes.length, sha256: sha256Hex(bytes) };
}

function stampOf(file: File): Stamp {
  const size = file.bytes?.length ?? 0;
  return { size, mtimeMs: file.changedMs, ino: String(file.ino) };
}
