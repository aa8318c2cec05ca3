/**
 * The folder that is served: made when missing, checked before it is used.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { whyForeignManifest } from "../../workers/foreign_manifest.ts";
import { hasManifest, whyNoManifest } from "../../workers/root_contents.ts";
import { isDiskFull, StartError, systemReason } from "../errors.ts";
import { diskFull } from "./full_disk.ts";

/** Only the server's own user gets in. */
const ROOT_MODE = 0o700;

/**
 * Makes sure that the root is a folder which can be read and written.
 *
 * @param root Its absolute path.
 * @returns Its real path: permissions are granted for that one.
 * @throws {StartError} When it cannot be used.
 */
export async function prepareRoot(root: string): Promise<string> {
  try {
    const real = await realPathOrNew(root);
    refuseUnfit(real);
    if (!(await Deno.stat(real)).isDirectory) {
      throw new StartError(
        1,
        `root ${root} is not a folder: remove it or serve another root`,
      );
    }
    for await (const _ of Deno.readDir(real)) break;
    // Modes do not tell (read-only mounts, ACLs): only writing does.
    await Deno.remove(await Deno.makeTempDir({ dir: real, prefix: ".probe-" }));
    return real;
  } catch (error) {
    if (error instanceof StartError) throw error;
    if (isDiskFull(error)) throw diskFull(root, error);
    const reason = reasonOf(error);
    const remedy = /read-only file system/i.test(reason)
      ? "mount it for writing"
      : "let this user read and write it";
    throw new StartError(
      1,
      `cannot use root ${root}: ${reason}: ${remedy}, or serve another root`,
      { cause: error },
    );
  }
}

/**
 * Refuses a folder that holds other data, before anything is touched there, the
 * folder's times included. (A manifest is looked at closer by whoever opens it.)
 *
 * @param root The path of a root, which may be missing.
 * @throws {StartError} When the folder is not Larder's.
 */
export function refuseOtherData(root: string): void {
  let refusal: string | undefined;
  try {
    refuseUnfit(Deno.realPathSync(root));
    refusal = hasManifest(root)
      ? whyForeignManifest(root)
      : whyNoManifest(root);
  } catch (error) {
    if (error instanceof StartError) throw error;
    // It is missing, or cannot be looked at: what comes next says so.
    return;
  }
  if (refusal !== undefined) throw new StartError(1, refusal);
}

/**
 * Where a root is, or will be, without making it: permissions are granted for
 * real paths, and a link among its parents is none.
 *
 * @param root Its absolute path.
 * @returns Its real path, as far as it is there.
 * @throws {StartError} When it cannot be named.
 */
export async function resolveRoot(root: string): Promise<string> {
  const missing: string[] = [];
  for (let path = root;; path = dirname(path)) {
    try {
      const real = join(await Deno.realPath(path), ...missing);
      refuseUnfit(real);
      return real;
    } catch (error) {
      if (error instanceof StartError) throw error;
      const isMissing = error instanceof Deno.errors.NotFound;
      if (isMissing && await isLink(path)) throw leadsNowhere(path);
      if (!isMissing || path === dirname(path)) {
        throw new StartError(1, `cannot use root ${root}: ${reasonOf(error)}`, {
          cause: error,
        });
      }
      missing.unshift(basename(path));
    }
  }
}

function refuseUnfit(real: string): void {
  if (real === "/") {
    throw new StartError(
      2,
      "the root is /, the whole machine: serve a folder of its own",
    );
  }
  if (!real.includes(",")) return;
  throw new StartError(
    2,
    `the root's real path ${real} holds a comma, which Deno's ` +
      "permission flags cannot name: rename it",
  );
}

function leadsNowhere(root: string): StartError {
  return new StartError(
    1,
    `root ${root} is a link that leads nowhere: remove it or serve another root`,
  );
}

async function realPathOrNew(root: string): Promise<string> {
  try {
    return await Deno.realPath(root);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (await isLink(root)) throw leadsNowhere(root);
  await makeParent(dirname(root));
  try {
    await Deno.mkdir(root, { mode: ROOT_MODE });
    await syncParents(root);
  } catch (error) {
    // Two servers started at once: the lock decides between them.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return await Deno.realPath(root);
}

/** A confined process may see the root only, whose parent the launcher made. */
async function makeParent(parent: string): Promise<void> {
  try {
    await Deno.mkdir(parent, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

/**
 * What is promised to survive a power cut lies in the root, so its name has to.
 * A confined process may not look at its parents, whose launcher did this.
 */
async function syncParents(root: string): Promise<void> {
  for (let path = root; path !== dirname(path);) {
    path = dirname(path);
    try {
      using parent = await Deno.open(path, { read: true });
      await parent.sync();
    } catch {
      // It may not be read, and so was not made by this user now.
    }
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "access is denied";
  return systemReason(error);
}
