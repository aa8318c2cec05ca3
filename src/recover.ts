/**
 * `larder recover`: moves a manifest that cannot be served out of the way, so
 * that the root starts clean. Nothing is deleted here.
 *
 * @module
 */

import { dirname } from "node:path";
import { MAX_LISTED_FOLDER_BYTES } from "../workers/blob_values.ts";
import { isNamespace } from "../workers/blob_folders.ts";
import { PRIVATE_FOLDER, QUARANTINE_FOLDER } from "../workers/blob_protocol.ts";
import { MANIFEST_FILE, openManifest } from "../workers/manifest_schema.ts";
import { Database, sqliteFault } from "../workers/sqlite.ts";
import { systemClock } from "./clock.ts";
import { lockRoot } from "./engine/root_lock.ts";
import { messageOf, StartError } from "./errors.ts";
import { DEFAULT_HEARTBEAT_INTERVAL_MS, HEARTBEAT_SLACK_MS } from "./limits.ts";

/**
 * The file itself first: should we be killed in between, SQLite drops a log
 * that it finds without its file, but would take the file without its log.
 */
const FILES = ["", "-wal", "-shm", "-journal"].map((suffix) =>
  MANIFEST_FILE + suffix
);
const BUSY_TIMEOUT_MS = 300;

/**
 * Moves the manifest of a root that nobody serves into its quarantine.
 *
 * @param root The real path of the root.
 * @param options `force`: also one that is sound.
 * @returns What was done, as lines for the user.
 * @throws {StartError} When the root is served, or the manifest is sound, or
 * a folder of the root is a link.
 */
export async function recoverRoot(
  root: string,
  { force }: { readonly force: boolean },
): Promise<string[]> {
  if (!await isFolder(root)) {
    throw new StartError(1, `there is no root ${root}`);
  }
  using _lock = await lockRoot(root, {
    heartbeatIntervalMs: DEFAULT_HEARTBEAT_INTERVAL_MS,
    heartbeatTimeoutMs: DEFAULT_HEARTBEAT_INTERVAL_MS + HEARTBEAT_SLACK_MS,
  });
  if ((await manifestFiles(root)).length === 0) {
    throw new StartError(
      1,
      `${root} has no manifest: there is nothing to recover, serve it`,
    );
  }
  const why = force ? "--force was given" : await whyUnfit(root);
  // Both, before anything is moved.
  const aside = await ownFolder(root, PRIVATE_FOLDER);
  const target = await makeTarget(await ownFolder(root, QUARANTINE_FOLDER));
  // To look at it may have ended its log.
  const files = await manifestFiles(root);
  for (const file of files) {
    await Deno.rename(`${root}/${file}`, `${target}/${file}`);
  }
  const unlisted = await setUnlistedAside(root, aside);
  await sync(root);
  return [
    why,
    `moved ${files.join(", ")} to ${target}`,
    "the next start is clean: it removes the values in the root, which no " +
    "entry owns any more",
    ...unlisted > 0
      ? [`of ${unlisted} very large namespaces before it serves`]
      : [],
  ];
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
  const damage = damageOf(path);
  if (damage !== undefined) return `${path} is damaged (${damage})`;
  const refusal = refusalOf(root);
  throw new StartError(
    1,
    refusal === undefined
      ? `${path} is sound: serve the root; --force moves it aside all the same, ` +
        "and with it every entry"
      : `${refusal}; --force moves it aside, and with it every entry`,
  );
}

function damageOf(path: string): string | undefined {
  try {
    using database = new Database(path, { busyTimeoutMs: BUSY_TIMEOUT_MS });
    const found = database.value("PRAGMA quick_check(1)");
    return found === "ok" ? undefined : `${found}`;
  } catch (error) {
    // Busy, or not allowed: that is no damage, and serving says what it is.
    return sqliteFault(error) === "damaged" && error instanceof Error
      ? error.message
      : undefined;
  }
}

/** What a start would say to a file without damage. */
function refusalOf(root: string): string | undefined {
  try {
    const nowMs = systemClock.wallMs();
    openManifest(root, { durability: "relaxed", nowMs }).database.close();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** A fresh folder in the quarantine, named for the time. */
async function makeTarget(quarantine: string): Promise<string> {
  const time = new Date(systemClock.wallMs()).toISOString().slice(0, 19);
  const name = `${quarantine}/manifest-${time.replaceAll(":", "-")}Z`;
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

/** Belongs to whom its parent does: an administrator may be who recovers. */
async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { mode: 0o700 });
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
