/**
 * `larder recover`: gives a root whose manifest is lost, or cannot be served, a
 * new one. Nothing is deleted here; the next start removes what no entry owns.
 *
 * @module
 */

import { dirname } from "node:path";
import { checkManifest, lookInto } from "../../workers/manifest_check.ts";
import { openManifest } from "../../workers/manifest_schema.ts";
import {
  ASIDE_PREFIX,
  MAX_LISTED_FOLDER_BYTES,
  rootContents,
  whyNoManifest,
} from "../../workers/root_contents.ts";
import {
  isNamespace,
  MANIFEST_FILE,
  MANIFEST_SUFFIXES,
  PRIVATE_FOLDER,
  QUARANTINE_FOLDER,
} from "../../workers/root_names.ts";
import { sqliteFault } from "../../workers/sqlite.ts";
import { systemClock } from "../clock.ts";
import { lockRoot } from "./root_lock.ts";
import { messageOf, StartError } from "../errors.ts";

/**
 * The file itself first: should we be killed in between, SQLite drops a log
 * that it finds without its file, but would take the file without its log.
 */
const FILES = ["", ...MANIFEST_SUFFIXES].map((suffix) =>
  MANIFEST_FILE + suffix
);
/** Another process may look at the file for this long. */
const LOOK = { busyTimeoutMs: 300 };
/** So many namespaces are named to whom their values are to be removed. */
const MAX_NAMED = 5;

/**
 * Makes a new manifest for a root that nobody serves; the old one, if there is
 * one, goes into its quarantine.
 *
 * @param root The real path of the root.
 * @param options `force`: also where the old one is sound.
 * @returns What was done, as lines for the user.
 * @throws {StartError} When the root is served, or the manifest is sound, or
 * there is nothing to recover, or it is no root.
 */
export async function recoverRoot(
  root: string,
  { force }: { readonly force: boolean },
): Promise<string[]> {
  if (!await isFolder(root)) {
    throw new StartError(1, `there is no root ${root}`);
  }
  const found = await manifestFiles(root);
  // Before the lock, which makes a file.
  if (!found.includes(MANIFEST_FILE)) refuseWithoutValues(root);
  const lock = await lockRoot(root);
  try {
    return await replaceManifest(root, { force });
  } finally {
    // It is for a server to say what is served.
    await lock.discard();
  }
}

async function replaceManifest(
  root: string,
  { force }: { readonly force: boolean },
): Promise<string[]> {
  const hadFile = await exists(`${root}/${MANIFEST_FILE}`);
  const why = !hadFile
    ? "there was no manifest"
    : force
    ? "--force was given"
    : await whyUnfit(root);
  // Both, before anything is moved.
  const aside = await ownFolder(root, PRIVATE_FOLDER);
  const quarantine = await ownFolder(root, QUARANTINE_FOLDER);
  const files = await manifestFiles(root);
  const moved: string[] = [];
  if (files.length > 0) {
    const target = await makeTarget(quarantine);
    for (const file of files) {
      await Deno.rename(`${root}/${file}`, `${target}/${file}`);
    }
    moved.push(`moved ${files.join(", ")} to ${target}`);
  }
  const unlisted = await setUnlistedAside(root, aside);
  const namespaces = await namespacesOf(root);
  await makeManifest(root);
  await sync(root);
  return [
    why,
    ...moved,
    "made a new manifest; the next start is clean: it removes the values in " +
    `the root, which no entry owns any more${namespaces}`,
    ...unlisted > 0
      ? [`of ${unlisted} very large namespaces before it serves`]
      : [],
  ];
}

/** Where there is no manifest: values must show that there was one. */
function refuseWithoutValues(root: string): void {
  switch (rootContents(root).kind) {
    case "fresh":
      throw new StartError(
        1,
        `${root} has no manifest and no values: there is nothing to recover, ` +
          "serve it",
      );
    case "foreign":
      throw new StartError(
        1,
        `${whyNoManifest(root)}; or move that away, if the rest is Larder's`,
      );
    case "values":
      return;
  }
}

async function makeManifest(root: string): Promise<void> {
  const nowMs = systemClock.wallMs();
  try {
    openManifest(root, { durability: "strict", nowMs }).database.close();
  } catch (error) {
    throw new StartError(1, messageOf(error), { cause: error });
  }
  await giveToOwner(`${root}/${MANIFEST_FILE}`);
}

/** Some of the namespaces that hold values, for people. */
async function namespacesOf(root: string): Promise<string> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    if (isDirectory && isNamespace(name)) names.push(name);
  }
  if (names.length === 0) return "";
  const some = names.sort().slice(0, MAX_NAMED).join(", ");
  const more = names.length - MAX_NAMED;
  return ` (in ${some}${more > 0 ? ` and ${more} more` : ""})`;
}

async function manifestFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of FILES) {
    if (await exists(`${root}/${file}`)) found.push(file);
  }
  return found;
}

/** Why the manifest is to go; refuses where it is not damaged. */
async function whyUnfit(root: string): Promise<string> {
  const path = `${root}/${MANIFEST_FILE}`;
  // Opening would follow a link.
  if (!(await Deno.lstat(path).catch(() => undefined))?.isFile) {
    return `${path} is no regular file`;
  }
  let reason = `${path} is sound: serve the root`;
  try {
    if (checkManifest(path, LOOK) !== "manifest") {
      refuseWithoutValues(root);
      return `${path} is empty`;
    }
    const sound = lookInto(
      path,
      LOOK,
      (database) => database.value("PRAGMA quick_check(1)"),
    );
    if (sound !== "ok") return `${path} is damaged (${sound})`;
  } catch (error) {
    if (error instanceof StartError) throw error;
    const message = messageOf(error);
    if (sqliteFault(error) === "damaged") {
      return `${path} is damaged (${message})`;
    }
    // Somebody else's, or busy: that is no damage.
    reason = message;
  }
  throw new StartError(
    1,
    `${reason}; --force moves it aside all the same, and with it every entry`,
  );
}

/** A fresh folder in the quarantine, named for the time. */
async function makeTarget(quarantine: string): Promise<string> {
  const time = new Date(systemClock.wallMs()).toISOString().slice(0, 19);
  const name = `${quarantine}/${ASIDE_PREFIX}${time.replaceAll(":", "-")}Z`;
  for (let count = 1;; count++) {
    const target = count === 1 ? name : `${name}-${count}`;
    try {
      await makeFolder(target);
      return target;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/**
 * A folder that is too large to be listed would never be swept, so it goes
 * where the next start removes everything. Returns how many there were.
 */
async function setUnlistedAside(
  root: string,
  aside: string,
): Promise<number> {
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    const isLarge = isDirectory && isNamespace(name) &&
      (await Deno.lstat(`${root}/${name}`)).size > MAX_LISTED_FOLDER_BYTES;
    if (!isLarge) continue;
    // A rename follows nothing, whatever lies there by now.
    await Deno.rename(
      `${root}/${name}`,
      `${aside}/unowned-${crypto.randomUUID()}`,
    );
    count++;
  }
  return count;
}

/** A folder of the root's own; a link in its place could lead anywhere. */
async function ownFolder(root: string, name: string): Promise<string> {
  const path = `${root}/${name}`;
  if (!await exists(path)) await makeFolder(path);
  if (await isFolder(path)) return path;
  throw new StartError(
    1,
    `${path} is no folder of ours: move it aside and try again`,
  );
}

async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { mode: 0o700 });
  await giveToOwner(path);
}

/** Whom the parent belongs to: an administrator may be who recovers. */
async function giveToOwner(path: string): Promise<void> {
  const { uid, gid } = await Deno.lstat(dirname(path));
  await Deno.chown(path, uid, gid);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await exists(path) && (await Deno.lstat(path)).isDirectory;
}

async function sync(folder: string): Promise<void> {
  using open = await Deno.open(folder, { read: true });
  await open.sync();
}
