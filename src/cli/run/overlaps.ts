/**
 * Outs that must not be written: what else is needed lies in the same place.
 *
 * @module
 */

import type { BigIntStats } from "node:fs";
import { access, constants, lstat, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, relative, sep } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { StartError } from "../../errors.ts";
import { isErrno } from "./disk.ts";
import { isOwnName } from "./aside_names.ts";
import { homeFolders } from "./home_folders.ts";
import type { Held } from "./inputs/listing.ts";
import { neededByMachine } from "./machine_folders.ts";
import { Pattern } from "./pattern.ts";
import type { Out } from "./outs.ts";
import { ownPlace, placeOf } from "./places.ts";

/** A file or a folder. */
interface Thing {
  /** What it is, for people. */
  readonly what: string;
  /** Its real paths: where it is named, and where its links lead. */
  readonly places: readonly string[];
  /** Which file it is; `undefined`: there is none. */
  readonly id: string | undefined;
}

/** What a run needs, beside its outs. */
export interface Needed {
  /** Files, folders and patterns, as they were named. */
  readonly keyFiles: readonly string[];
  /** What was found in folders, by patterns and in lists. */
  readonly held: readonly Held[];
  readonly program: string;
}

/**
 * Checks the outs.
 *
 * @throws {StartError} One is, contains or lies in a file that is needed, or
 * another out; or it is or contains the working folder, a home folder or `/`, or
 * what this machine or this program needs to work.
 */
export async function checkOuts(
  outs: readonly Out[],
  { keyFiles, held, program }: Needed,
): Promise<void> {
  if (outs.length === 0) return;
  await checkPatterns(outs, keyFiles);
  const folders = [await thing("the working folder", process.cwd())];
  folders.push(await thing("/", sep));
  for (const home of homeFolders()) {
    folders.push(await thing("a home folder", home));
  }
  for (const [what, path] of ofThisProgram()) {
    const found = await reached(what, path);
    if (found) folders.push(found);
  }
  const files: Thing[] = [];
  for (const name of keyFiles) {
    if (Pattern.of(name)) continue;
    files.push(await thing(`key file ${name}`, name));
  }
  for (const { name, path, id } of held) {
    files.push({ what: `key file ${name}`, places: [path], id });
  }
  const found = await programPath(program);
  if (found !== undefined) files.push(await thing("the program", found));

  const theirs = new Index();
  for (const each of [...folders, ...files]) theirs.add(each);
  const theirFiles = new Index();
  for (const each of files) theirFiles.add(each);
  await checkPatternOuts(outs, { files, theirs: theirFiles });
  const ours = new Index();
  for (const out of outs) {
    // The folder of a pattern is none.
    if (out.pattern) continue;
    if (isOwnName(basename(out.place))) {
      const what = "larder run uses such names itself, choose another one";
      throw new StartError(2, `--out ${out.name}: ${what}`);
    }
    const own = await outThing(out);
    const same = theirs.sameAs(own) ?? ours.sameAs(own);
    if (same) throw refusal(own, "is", same);
    ours.add(own);
  }
  for (const each of [...folders, ...files]) {
    const own = ours.around(each);
    if (own) throw refusal(own, "contains", each);
  }
  for (const own of ours.things) {
    const other = theirFiles.around(own) ?? ours.around(own);
    if (other) throw refusal(own, "lies in", other);
  }
  for (const { name, path, place, pattern } of outs) {
    for (const at of [path, place]) {
      const why = neededByMachine(at, { isPattern: pattern !== undefined });
      if (why !== undefined) throw new StartError(2, `--out ${name}: ${why}`);
    }
  }
}

/** What this program needs while it runs. */
function ofThisProgram(): [what: string, path: string][] {
  const { url } = import.meta;
  const own = url.startsWith("file:") ? [fileURLToPath(url)] : [];
  return [
    ["the folder for temporary files", tmpdir()],
    ["Deno or Node, which runs this", process.execPath],
    ...own.map((path): [string, string] => ["larder itself", path]),
  ];
}

/** Whoever may not even look at something moves it nowhere. */
async function reached(what: string, path: string): Promise<Thing | undefined> {
  try {
    return await thing(what, path);
  } catch (error) {
    if (isErrno(error, "EACCES")) return undefined;
    throw error;
  }
}

/** The files that a pattern of an out means must not be anything else. */
async function checkPatternOuts(
  outs: readonly Out[],
  { files, theirs }: { files: readonly Thing[]; theirs: Index },
): Promise<void> {
  const others: Thing[] = [];
  for (const out of outs) if (!out.pattern) others.push(await outThing(out));
  const ours = new Index();
  for (const other of others) ours.add(other);
  for (const { name, pattern, place } of outs) {
    if (!pattern) continue;
    const own = { what: `--out ${name}`, places: [join(place, "x")], id: "" };
    const around = theirs.around(own) ?? ours.around(own);
    if (around) throw refusal(own, "lies in", around);
    const meant = [...files, ...others].find(({ places }) =>
      places.some((at) => pattern.matches(relative(place, at)))
    );
    if (meant) throw refusal(own, "means", meant);
  }
}

/** An out that is not there yet would be a key file once it is. */
async function checkPatterns(
  outs: readonly Out[],
  keyFiles: readonly string[],
): Promise<void> {
  for (const name of keyFiles) {
    const pattern = Pattern.of(name);
    if (!pattern) continue;
    const base = await placeOf(pattern.base);
    for (const { name: out, path, place, pattern: own } of outs) {
      if (own) continue;
      if (![path, place].some((at) => pattern.matches(relative(base, at)))) {
        continue;
      }
      throw new StartError(2, `--out ${out}: it is one of key file ${name}`);
    }
  }
}

/** Things, by where and what they are: there may be thousands. */
class Index {
  readonly things: Thing[] = [];
  readonly #byPlace = new Map<string, Thing>();
  readonly #byId = new Map<string, Thing>();

  add(thing: Thing): void {
    this.things.push(thing);
    for (const place of thing.places) this.#byPlace.set(place, thing);
    if (thing.id !== undefined) this.#byId.set(thing.id, thing);
  }

  /** The one that is the same file or folder. */
  sameAs({ places, id }: Thing): Thing | undefined {
    for (const place of places) {
      const found = this.#byPlace.get(place);
      if (found) return found;
    }
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** The one in which it would lie, if that were a folder. */
  around({ places }: Thing): Thing | undefined {
    for (const place of places) {
      for (let path = place; dirname(path) !== path;) {
        path = dirname(path);
        const found = this.#byPlace.get(path);
        if (found) return found;
      }
    }
    return undefined;
  }
}

function refusal(own: Thing, how: string, other: Thing): StartError {
  return new StartError(2, `${own.what}: it ${how} ${other.what}`);
}

async function outThing({ name, path, place }: Out): Promise<Thing> {
  // A link to another out is not that out.
  const info = await lstat(place, { bigint: true }).catch(() => undefined);
  const id = info && idOf(info);
  return { what: `--out ${name}`, places: [...new Set([path, place])], id };
}

async function thing(what: string, path: string): Promise<Thing> {
  const places = [...new Set([await ownPlace(path), await placeOf(path)])];
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return { what, places, id: info && idOf(info) };
}

function idOf({ dev, ino }: BigIntStats): string {
  return `${dev} ${ino}`;
}

/** The file that a program's name means; `undefined`: there is none. */
async function programPath(program: string): Promise<string | undefined> {
  if (program.includes(sep)) return program;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder || ".", program);
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // In another folder, then.
    }
  }
  return undefined;
}
