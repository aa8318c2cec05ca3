/**
 * The folders of a root, as the blob workers see them: which there are, that
 * each is a real folder of ours, and names for temporary files.
 *
 * @module
 */

import type { WorkerConfig } from "./blob_protocol.ts";
import { lookAt, OpError, systemCode } from "./blob_files.ts";
import type { FileInfo, FileSystem } from "./file_system.ts";
import { removeAny } from "./removal.ts";
import { type Steps, wait } from "./blob_steps.ts";
import {
  isHex,
  isNamespace,
  PRIVATE_FOLDER,
  QUARANTINE_FOLDER,
  STAGING_FOLDER,
} from "./root_names.ts";
import {
  type GroupNumber,
  groupOf,
  isOpened,
  OWN_FOLDER_MODE,
  SHARED_STAGING_MODE,
  wantedModes,
} from "./shared_modes.ts";

/** Folders that are known to be on the disk. */
const MAX_SYNCED = 10_000;
/** A capture whose bytes are on the disk. */
const KEPT = "captured-";
/** One whose bytes may be in memory only; which memory comes next. */
const TAKEN = "taken-";
/** The same, and a copy: nobody but us has ever had it open. */
const COPIED = "copied-";
const TEMPORARY = "tmp-";

/** Whether a private file is a temporary one of a worker whose tag begins like one of these. */
export function isTemporaryOf(file: string, tags: readonly string[]): boolean {
  return tags.some((tag) => file.startsWith(`${TEMPORARY}${tag}-`));
}

/** The names that a staging file has in the private folder. */
export interface Captures {
  /** In memory, for all we know; its client may still write to it. */
  readonly taken: string;
  /** A whole copy of it, in memory, for all we know. */
  readonly copied: string;
  /** Its bytes are on the disk: given after the sync. */
  readonly kept: string;
}

/** What has been captured of a staging file. */
export interface Capture {
  readonly path: string;
  readonly info: FileInfo;
}

/** The folders of one root. */
export class Folders {
  /** What they lie on. */
  readonly fs: FileSystem;
  readonly root: string;
  readonly strict: boolean;
  /** Whether captures have to be on the disk before they count. */
  readonly keepCaptures: boolean;
  /** Who files of our own belong to: whoever owns the private folder. */
  readonly uid: number | null;
  /** Their group. */
  readonly #gid: number | null;
  /** The groups of namespaces, where other users are served. */
  readonly #shared: readonly GroupNumber[] | undefined;
  readonly #tag: string;
  readonly #taken: string;
  readonly #copied: string;
  readonly #ino: string;
  /** Which folders' names are on the disk. */
  readonly #synced = new Map<string, string>();
  /** Folders that the work of this turn has found to be ours. */
  #checked: Set<string> | undefined;
  #temporaries = 0;

  /** Makes what is missing; throws where something else lies in its place. */
  constructor(fs: FileSystem, config: WorkerConfig) {
    this.fs = fs;
    this.root = config.root;
    this.strict = config.strict;
    this.keepCaptures = config.keepCaptures;
    this.#taken = `${TAKEN}${config.memory}-`;
    this.#copied = `${COPIED}${config.memory}-`;
    this.#tag = config.tag;
    this.#ino = config.ino;
    this.checkRoot();
    const path = `${this.root}/${PRIVATE_FOLDER}`;
    // The first of them: whom it belongs to is not known before.
    this.#make(path);
    fs.chmod(path, OWN_FOLDER_MODE);
    const { uid, gid } = fs.lstat(path);
    this.uid = uid;
    this.#gid = gid;
    this.#shared = config.shared;
    this.staging();
    this.quarantine();
  }

  /**
   * Does what one message asks for. A look at a folder, 4 us, is a fifth of a small
   * put, so what is done in a row looks at each once; what goes on in a later turn
   * looks again.
   */
  inOneTurn(work: () => void): void {
    this.#checked = new Set();
    try {
      work();
    } finally {
      this.#checked = undefined;
    }
  }

  /** Whether other users of the machine are served. */
  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  /** The private folder, checked. */
  private(): string {
    return this.#own(PRIVATE_FOLDER);
  }

  /** The staging folder, checked. */
  staging(): string {
    return this.#own(STAGING_FOLDER);
  }

  /** The quarantine, checked. */
  quarantine(): string {
    return this.#own(QUARANTINE_FOLDER);
  }

  /**
   * The path of a value, its folder checked. The check is one lstat a turn: a link
   * that is put there later is not followed.
   *
   * @param create For a new value: makes the folder where it is missing, and
   *   throws where another folder has taken the root's place.
   */
  value(name: string, { create = false } = {}): string {
    const slash = name.indexOf("/");
    const namespace = name.slice(0, slash);
    if (!isNamespace(namespace) || !isHex(name.slice(slash + 1))) {
      throw new OpError("failed", `'${name}' is no name of a value`);
    }
    if (create) {
      // The row would be in another manifest than the one that lies there.
      this.#once(this.root, () => this.checkRoot());
      this.#own(namespace);
    } else if (!this.namespace(namespace)) {
      throw new OpError("missing", `There is no folder '${namespace}'`);
    }
    return `${this.root}/${name}`;
  }

  /** A namespace's folder, checked; `undefined`: there is none. */
  namespace(namespace: string): string | undefined {
    if (!isNamespace(namespace)) {
      throw new OpError("failed", `'${namespace}' is no namespace`);
    }
    const path = `${this.root}/${namespace}`;
    const isThere = this.#once(path, () => {
      const info = lookAt(this.fs, path);
      if (info && !info.isDirectory) throw notOurs(path);
      if (info) this.#open(namespace, path, info);
      return info !== undefined;
    });
    return isThere ? path : undefined;
  }

  /** Where an assignment's client writes. */
  staged(staging: string): string {
    return `${this.staging()}/${onePart(staging)}`;
  }

  /**
   * What has been captured of a staging file: of several, what was taken, for it
   * goes when it has been copied, so the others may be of a file before it.
   *
   * @param isCopy That has gone: what there is, is a copy.
   */
  captured(staging: string, isCopy = false): Capture | undefined {
    const { copied, kept, taken } = this.captures(staging);
    const copy = this.keepCaptures ? kept : copied;
    // To look for what is not there costs twice as much as to rename a file.
    const places = isCopy ? [copy, taken, kept] : [taken, copied, kept];
    for (const path of places) {
      const info = lookAt(this.fs, path);
      if (info) return { path, info };
    }
    return undefined;
  }

  /** Where a staging file may lie once it is not its client's any more. */
  captures(staging: string): Captures {
    const folder = this.private();
    const name = onePart(staging);
    return {
      taken: `${folder}/${this.#taken}${name}`,
      copied: `${folder}/${this.#copied}${name}`,
      kept: `${folder}/${KEPT}${name}`,
    };
  }

  /** A fresh path for a temporary file. */
  temporary(): string {
    this.#temporaries += 1;
    return `${this.private()}/${TEMPORARY}${this.#tag}-${this.#temporaries}`;
  }

  /**
   * Which staging file a private file was captured from; `undefined` also where
   * its bytes may have been lost since, so that it is nothing any more.
   */
  capturedFrom(file: string): string | undefined {
    const prefix = [KEPT, this.#taken, this.#copied].find((each) =>
      file.startsWith(each)
    );
    return prefix === undefined ? undefined : file.slice(prefix.length);
  }

  /** Whether a folder is as `#own` makes them. */
  isOurs(path: string): boolean {
    const info = lookAt(this.fs, path);
    const mode = info?.mode ?? 0;
    if (info?.uid !== this.uid) return false;
    if ((mode & 0o777) === OWN_FOLDER_MODE) return true;
    return this.isShared && isOpened(mode);
  }

  /**
   * Renames to a value's path, over whatever lies there: if that is a folder, it
   * is not ours and gives way. The namespace's folder may have been removed, for
   * it was empty, since the path was asked for.
   */
  *rename(from: string, to: string): Steps<void> {
    const folder = to.slice(0, to.lastIndexOf("/"));
    try {
      if (this.strict) yield* this.#syncName(folder);
      this.fs.rename(from, to);
    } catch (error) {
      if (systemCode(error) === "ENOENT" && lookAt(this.fs, from)) {
        this.#checked?.clear();
        this.#own(folder.slice(this.root.length + 1));
        return yield* this.rename(from, to);
      }
      if (!lookAt(this.fs, to)?.isDirectory) throw error;
      yield* removeAny(this, to);
      this.fs.rename(from, to);
    }
  }

  /**
   * Puts the names in a namespace's folder, or the private one, on the disk
   * and, once, the folder's own. A rename that comes meanwhile may miss it.
   */
  *sync(folder: string): Steps<undefined> {
    const path = folder === PRIVATE_FOLDER
      ? this.private()
      : this.namespace(folder);
    if (path === undefined) {
      throw new OpError("missing", `There is no folder '${folder}'`);
    }
    yield* this.#syncName(path);
    yield* wait(this.fs.syncFolder(path));
    return undefined;
  }

  /**
   * Puts a folder's own name on the disk, once, before anything is renamed into
   * it: a sync of the private folder, for another capture, may put such a rename
   * on the disk, and a value in a folder without a name would be lost.
   */
  *#syncName(path: string): Steps<void> {
    const { ino, birthtime } = this.fs.lstat(path);
    // Made anew after it was removed: another folder, perhaps of the same inode.
    const which = birthtime ? `${ino} ${birthtime.getTime()}` : undefined;
    if (which !== undefined && this.#synced.get(path) === which) return;
    yield* wait(this.fs.syncFolder(this.root));
    if (which === undefined) return;
    if (this.#synced.size >= MAX_SYNCED) this.#synced.clear();
    this.#synced.set(path, which);
  }

  /**
   * Throws where something else, or nothing, lies at the root's path: what is
   * missing there was not lost, and nothing may be made there.
   */
  checkRoot(): void {
    const info = lookAt(this.fs, this.root);
    if (info?.isDirectory && String(info.ino) === this.#ino) return;
    throw new OpError(
      "failed",
      info
        ? `The root '${this.root}' has vanished, and another folder is in its ` +
          "place: put it back, or start the server again to use that one"
        : `The root '${this.root}' has vanished: put it back`,
    );
  }

  #own(name: string): string {
    const path = `${this.root}/${name}`;
    this.#once(path, () => {
      const found = this.#make(path);
      if (this.#shared) this.#open(name, path, found ?? this.fs.lstat(path));
    });
    return path;
  }

  /** Looks at a folder, unless this turn has; false: it is not there. */
  #once(path: string, look: () => boolean | void): boolean {
    if (this.#checked?.has(path)) return true;
    if (look() === false) return false;
    this.#checked?.add(path);
    return true;
  }

  /** Makes a folder; what it is, where it was there already. */
  #make(path: string): FileInfo | undefined {
    const info = lookAt(this.fs, path);
    if (info?.isDirectory) return info;
    if (info) throw notOurs(path);
    this.checkRoot();
    try {
      this.fs.mkdir(path, OWN_FOLDER_MODE);
    } catch (error) {
      // Another worker may have been faster.
      if (systemCode(error) !== "EEXIST") throw error;
      if (!lookAt(this.fs, path)?.isDirectory) throw notOurs(path);
    }
    return undefined;
  }

  /** Gives a folder that others may pass through its mode, and its group before. */
  #open(name: string, path: string, info: FileInfo): void {
    const { mode, gid, uid } = info;
    // Not POSIX, or an administrator's, who has seen to it.
    if (!this.#shared || mode === null || gid === null) return;
    if (uid !== this.uid || this.#gid === null) return;
    if (name === STAGING_FOLDER) {
      if ((mode & 0o7777) !== SHARED_STAGING_MODE) {
        this.fs.chmod(path, SHARED_STAGING_MODE);
      }
      return;
    }
    if (!isNamespace(name)) return;
    const group = groupOf(this.#shared, name);
    const wanted = wantedModes({ mode, gid, own: this.#gid }, group);
    if (wanted === undefined) return;
    if (wanted.gid !== undefined && wanted.gid !== gid) {
      // Nobody of the old group, nor of the new one, sees it half done.
      this.fs.chmod(path, OWN_FOLDER_MODE);
      this.fs.setGroup(path, wanted.gid);
    }
    this.fs.chmod(path, wanted.mode);
  }
}

function notOurs(path: string): OpError {
  return new OpError("foreign", `'${path}' is no folder of ours`);
}

function onePart(name: string): string {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
    throw new OpError("failed", `'${name}' is no name of a staging file`);
  }
  return name;
}
