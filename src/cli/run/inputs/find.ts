/**
 * Finds inputs by the words of a command line: files, folders, patterns, and
 * lists of files and folders.
 *
 * @module
 */

import { type BigIntStats, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import process from "node:process";
import { StartError } from "../../../errors.ts";
import { cannotRead } from "../../cannot.ts";
import { Pattern } from "../pattern.ts";
import { ownPlace } from "../places.ts";
import { Hashes, hashOfPipe } from "./hashes.ts";
import { Input, type InputKind, type Look } from "./input.ts";
import { Listing } from "./listing.ts";
import { remembering } from "./memory.ts";
import { namesFrom } from "./names.ts";
import { Walk } from "./walk.ts";

/**
 * A file, a folder or a pattern.
 *
 * @throws {StartError} It cannot be read, or no file is meant by it.
 */
export async function inputNamed(name: string): Promise<Input> {
  const input = await inputIfThere(name);
  if (input.listing.lines.size > 0) return input;
  if (Pattern.of(name)) {
    throw new StartError(2, `--key-file ${name}: no file has such a name`);
  }
  try {
    if (statSync(name).isFile()) return input;
  } catch (error) {
    throw cannotRead(name, error);
  }
  const look = listingOf(async (listing) =>
    listing.add(name, await hashOfPipe(name).catch(unreadable(name)))
  );
  const hashes = new Hashes();
  return await Input.seen({ name, kind: "file", isPipe: true }, look, hashes);
}

/** The same; nothing of it need be there. */
export async function inputIfThere(name: string): Promise<Input> {
  const pattern = Pattern.of(name);
  if (pattern) {
    return await many(
      { name, kind: "files" },
      (walk) => walk.matching(pattern),
    );
  }
  if (infoOf(name)?.isDirectory()) {
    return await many({ name, kind: "files" }, (walk) => walk.folder(name));
  }
  const look = listingOf(async (listing, hashes) => {
    const info = infoOf(name);
    if (!info?.isFile()) return;
    listing.add(name, await hashes.of(name, info).catch(unreadable(name)));
  });
  return await Input.seen({ name, kind: "file" }, look, new Hashes());
}

/**
 * The files and folders whose names stand in a file.
 *
 * @throws {StartError} One of them cannot be read.
 */
export async function inputListed(list: string): Promise<Input> {
  const { names, isPipe } = await namesFrom(list);
  return await many({ name: list, kind: "list", isPipe }, async (walk) => {
    const folders = new Map<string, string>();
    for (const name of names) {
      const folder = dirname(name);
      const real = folders.get(folder) ?? dirname(await ownPlace(name));
      folders.set(folder, real);
      await walk.entry(name, `${real}/${basename(name)}`);
    }
  });
}

/** An input of many files, whose hashes are remembered. */
async function many(
  input: InputKind,
  fill: (walk: Walk) => Promise<void>,
): Promise<Input> {
  const look = listingOf((listing, hashes) => fill(new Walk(listing, hashes)));
  const about = JSON.stringify([process.cwd(), input.kind, input.name]);
  return await remembering(
    about,
    (hashes) => Input.seen(input, look, hashes),
  );
}

function listingOf(
  fill: (listing: Listing, hashes: Hashes) => Promise<void>,
): Look {
  return async (hashes) => {
    const listing = new Listing();
    await fill(listing, hashes);
    return listing;
  };
}

function infoOf(name: string): BigIntStats | undefined {
  try {
    return statSync(name, { bigint: true });
  } catch {
    return undefined;
  }
}

function unreadable(name: string): (error: unknown) => never {
  return (error) => {
    throw cannotRead(name, error);
  };
}
