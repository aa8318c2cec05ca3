/**
 * Whose root it is: the one rule. A manifest is made only in a folder that is
 * empty, or holds only what Larder itself makes and no values; whatever else
 * lies there is somebody's, and a server that took it for its own would sweep it.
 *
 * @module
 */

import {
  type Dirent,
  lstatSync,
  readdirSync,
  readFileSync,
  type Stats,
} from "node:fs";
import {
  CONFIG_FILE,
  isHex,
  isNamespace,
  MANIFEST_FILE,
  MANIFEST_SUFFIXES,
  PRIVATE_FOLDER,
  QUARANTINE_FOLDER,
  STAGING_FOLDER,
  TAG_FILE,
} from "./root_names.ts";

/**
 * A folder of a million names would take 800 MB: Deno reads it in one piece.
 * On ext4 a name of 64 digits takes about 100 bytes of its folder.
 */
export const MAX_LISTED_FOLDER_BYTES = 4 * 1024 * 1024;

/** A `Cache.toml` is a few lines. */
const MAX_CONFIG_BYTES = 64 * 1024;

/** What a manifest that `larder recover` moved aside lies in. */
export const ASIDE_PREFIX = "manifest-";

/** The first line of every `CACHEDIR.TAG`. */
export const TAG_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55";

/** Whether a folder can be written is tried with empty folders of these names. */
const PROBES = [".probe-", ".larder-doctor-"];

/** What file systems, and the desks of those who look, put into any folder. */
const DOES_NOT_COUNT: readonly RegExp[] = [
  /^lost\+found$/,
  /^\.(snapshot|snapshots|zfs)$/,
  /^\.nfs/,
  /^\.fuse_hidden/,
  /^\.DS_Store$/,
  /^\._/,
  /^\.(fseventsd|Spotlight-V100|Trashes|Trash-\d+)$/,
  /^System Volume Information$/,
];

/** What lies in a folder beside a manifest. */
export type RootContents =
  /** Nothing, or what Larder makes before the first value. */
  | { readonly kind: "fresh" }
  /** What a manifest must have owned; `example` is a path in the folder. */
  | { readonly kind: "values"; readonly example: string }
  /** What Larder did not make. */
  | { readonly kind: "foreign"; readonly example: string };

const FRESH: RootContents = { kind: "fresh" };

/** Looks at everything in a folder but the manifest itself; changes nothing. */
export function rootContents(root: string): RootContents {
  if (isTooLarge(lstatSync(root))) return foreign("very many files");
  let contents = FRESH;
  for (const entry of listed(root)) {
    const found = look(root, entry);
    if (found.kind === "foreign") return found;
    if (contents.kind === "fresh") contents = found;
  }
  // SQLite would drop a log that it finds without its file.
  const log = hasManifest(root) ? undefined : logOf(root);
  return log !== undefined && contents.kind === "fresh"
    ? values(log)
    : contents;
}

/**
 * Why no manifest may be made in a folder, and what to do; `undefined`: it may.
 */
export function whyNoManifest(root: string): string | undefined {
  const contents = rootContents(root);
  switch (contents.kind) {
    case "fresh":
      return undefined;
    case "values":
      return `${root} holds values but no manifest (${contents.example}): if ` +
        "Larder made them, run `larder recover ROOT`, which makes a new " +
        "manifest; else serve another root, an empty one";
    case "foreign":
      return `${root} holds what Larder did not make (${contents.example}): ` +
        "serve another root, an empty one";
  }
}

/** Whether there is something at the manifest's path, whatever it is. */
export function hasManifest(root: string): boolean {
  return lookAt(`${root}/${MANIFEST_FILE}`) !== undefined;
}

function look(root: string, { name }: Dirent): RootContents {
  const path = `${root}/${name}`;
  const info = lookAt(path);
  // It went while it was looked at, as a probe does.
  if (!info) return FRESH;
  if (info.isFile()) return ofFile(path, name, info);
  if (!info.isDirectory()) return foreign(path);
  switch (name) {
    case STAGING_FOLDER:
    case PRIVATE_FOLDER:
      return ofFolder(path, name, info, () => true);
    case QUARANTINE_FOLDER:
      return ofQuarantine(path, info);
  }
  if (PROBES.some((prefix) => name.startsWith(prefix))) {
    return listed(path).length === 0 ? FRESH : foreign(path);
  }
  if (!isNamespace(name) || name === CONFIG_FILE) return foreign(path);
  return ofFolder(
    path,
    name,
    info,
    (entry) => entry.isFile() && isHex(entry.name),
  );
}

function ofFile(path: string, name: string, info: Stats): RootContents {
  const ofManifest = ["", ...MANIFEST_SUFFIXES].some((suffix) =>
    name === MANIFEST_FILE + suffix
  );
  if (ofManifest) return FRESH;
  // One with another name as well is refused by whoever locks it.
  const isOurs =
    (name === CONFIG_FILE && (info.nlink !== 1 || isConfig(path, info))) ||
    (name === TAG_FILE && isTag(path, info));
  return isOurs ? FRESH : foreign(path);
}

/** A folder that is fresh when it is empty. */
function ofFolder(
  path: string,
  name: string,
  info: Stats,
  isOurs: (entry: Dirent) => boolean,
): RootContents {
  if (isTooLarge(info)) return values(`${name}/`);
  const entries = listed(path);
  const other = entries.find((entry) => !isOurs(entry));
  if (other) return foreign(`${path}/${other.name}`);
  const [first] = entries;
  return first ? values(`${name}/${first.name}`) : FRESH;
}

/** Manifests that were moved aside stay there, whatever comes next. */
function ofQuarantine(path: string, info: Stats): RootContents {
  if (isTooLarge(info)) return values(`${QUARANTINE_FOLDER}/`);
  const file = listed(path).find((entry) =>
    !(entry.isDirectory() && entry.name.startsWith(ASIDE_PREFIX))
  );
  return file ? values(`${QUARANTINE_FOLDER}/${file.name}`) : FRESH;
}

/** What a server, this one or the original, wrote; or was about to write. */
function isConfig(path: string, info: Stats): boolean {
  if (info.size > MAX_CONFIG_BYTES) return false;
  // A power cut leaves a file of its length, but without its bytes.
  const text = readFileSync(path, "utf8").replaceAll("\0", "").trim();
  return text === "" || /^\[?heartbeat_(interval|timeout)\b/m.test(text);
}

function isTag(path: string, info: Stats): boolean {
  if (info.size > MAX_CONFIG_BYTES) return false;
  const text = readFileSync(path, "utf8").replaceAll("\0", "");
  return text === "" || text.startsWith(TAG_SIGNATURE);
}

function listed(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !doesNotCount(name));
  } catch (error) {
    // Another server's probe went while it was looked at.
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  }
}

function logOf(root: string): string | undefined {
  return MANIFEST_SUFFIXES.map((suffix) => MANIFEST_FILE + suffix)
    .find((name) => lookAt(`${root}/${name}`) !== undefined);
}

function doesNotCount(name: string): boolean {
  return DOES_NOT_COUNT.some((pattern) => pattern.test(name));
}

function isTooLarge({ size }: Stats): boolean {
  return size > MAX_LISTED_FOLDER_BYTES;
}

function lookAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function values(example: string): RootContents {
  return { kind: "values", example };
}

function foreign(example: string): RootContents {
  return { kind: "foreign", example };
}
