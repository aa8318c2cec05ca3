/**
 * Is a root fit to be served?
 *
 * @module
 */

import { lstat, mkdtemp, rmdir, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { messageOf } from "../../errors.ts";
import { formatSize } from "../format.ts";
import type { Addresses } from "../addresses.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";
import { usageAt } from "./server.ts";

/** Below the first it is worth a thought; below the second nothing can be kept. */
const LITTLE_DISK_BYTES = 2 ** 30;
const NO_DISK_BYTES = 100 * 2 ** 20;
const OTHERS_BITS = 0o077;

/**
 * Looks at the folder.
 *
 * @param root Its path.
 * @param served What its `Cache.toml` says.
 */
export async function rootChecks(
  root: string,
  served: Addresses,
): Promise<Finding[]> {
  const info = await lstat(root).catch((error) => error as Error);
  if (info instanceof Error) {
    if ((info as { code?: string }).code !== "ENOENT") {
      return [fail("root", info.message, "let this user see it")];
    }
    const there = await nearestTo(root);
    return await whyNotWritable(there) === undefined
      ? [warn("root", `${root} is not there`, "larder serve creates it")]
      : [fail("root", `${root} is not there`, `let this user write ${there}`)];
  }
  if (info.isSymbolicLink()) {
    return [fail("root", `${root} is a link`, "name what it leads to")];
  }
  if (!info.isDirectory()) {
    return [fail("root", `${root} is not a folder`, "name a folder")];
  }
  const findings = [ok("root", root)];
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== info.uid) {
    findings.push(
      fail(
        "owner",
        `user ${info.uid}; you are ${uid}`,
        "run this, and the server, as the owner, or chown it",
      ),
    );
  } else findings.push(ok("owner", "you"));
  const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
  findings.push(
    (info.mode & OTHERS_BITS) === 0
      ? ok("mode", mode)
      : warn("mode", `${mode}: not yours alone`, `chmod 700 ${root}`),
    await writableCheck(root),
    await servedCheck(served),
  );
  return findings;
}

/** Looks at the file system of the folder. */
export async function diskCheck(root: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(await nearestTo(root));
    return diskFinding(bavail * bsize);
  } catch {
    return warn("disk", "its free space is not known", "look with df");
  }
}

/** What so many free bytes mean. */
export function diskFinding(freeBytes: number): Finding {
  const text = `${formatSize(freeBytes)} free`;
  const remedy = "make room, or serve it with --max-bytes";
  if (freeBytes < NO_DISK_BYTES) return fail("disk", text, remedy);
  return freeBytes < LITTLE_DISK_BYTES
    ? warn("disk", text, remedy)
    : ok("disk", text);
}

async function servedCheck(served: Addresses): Promise<Finding> {
  for (const address of Object.values(served) as string[]) {
    if (await usageAt(address) !== undefined) {
      return ok("served", `on ${Object.values(served).join(" and ")}`);
    }
  }
  return warn("served", "no", "deno task serve ROOT serves it");
}

async function writableCheck(root: string): Promise<Finding> {
  const why = await whyNotWritable(root);
  if (why === undefined) return ok("writable", "yes");
  return why === "EROFS"
    ? fail("writable", "no: it is mounted read-only", "mount it for writing")
    : fail("writable", `no: ${why}`, `chmod u+rwx ${root}`);
}

/** Tries it: what the permission bits say is not all. */
async function whyNotWritable(folder: string): Promise<string | undefined> {
  try {
    await rmdir(await mkdtemp(join(folder, ".larder-doctor-")));
  } catch (error) {
    return (error as { code?: string }).code ?? messageOf(error);
  }
}

/** The path, or the nearest folder above it that is there. */
async function nearestTo(path: string): Promise<string> {
  const full = resolve(path);
  const isThere = await lstat(full).then(() => true, () => false);
  const parent = dirname(full);
  return isThere || parent === full ? full : await nearestTo(parent);
}
