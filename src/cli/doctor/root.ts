/**
 * Is a root fit to be served?
 *
 * @module
 */

import { lstat, mkdtemp, rmdir, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { whyForeignManifest } from "../../../workers/foreign_manifest.ts";
import { caseWarning, ignoresCase } from "../../../workers/letter_case.ts";
import { hasManifest, whyNoManifest } from "../../../workers/root_contents.ts";
import { MANIFEST_FILE } from "../../../workers/root_names.ts";
import { isDiskFull, messageOf } from "../../errors.ts";
import { serveCommand } from "../called.ts";
import { formatSize } from "../format.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";
import { guestChecks, strangerFinding } from "./guest.ts";
import { isShared, modeCheck } from "./modes.ts";
import type { Served } from "./served.ts";
import { DENO_VERSION } from "./tools.ts";

/** Below the first it is worth a thought; below the second nothing can be kept. */
const LITTLE_DISK_BYTES = 2 ** 30;
const NO_DISK_BYTES = 100 * 2 ** 20;
/** A start knows it for what it is, should it be left behind. */
const PROBE = ".larder-doctor-";

/**
 * Looks at the folder.
 *
 * @param root Its path.
 * @param served Whether it is being served.
 */
export async function rootChecks(
  root: string,
  served: Served,
): Promise<Finding[]> {
  const info = await lstat(root).catch((error) => error as Error);
  if (info instanceof Error) {
    if ((info as { code?: string }).code !== "ENOENT") {
      return [fail("root", info.message, "let this user see it")];
    }
    const there = await nearestTo(root);
    const why = await whyNotWritable(there);
    return why === undefined
      ? [
        warn(
          "root",
          `${root} is not there`,
          `${serveCommand(DENO_VERSION)} ${root} creates it`,
        ),
      ]
      : [
        fail(
          "root",
          `${root} is not there`,
          remedyOf(why, there) ?? `let this user write ${there}`,
        ),
      ];
  }
  if (info.isSymbolicLink()) {
    return [fail("root", `${root} is a link`, "name what it leads to")];
  }
  if (!info.isDirectory()) {
    return [fail("root", `${root} is not a folder`, "name a folder")];
  }
  const uid = process.getuid?.();
  const guest = uid !== undefined && uid !== 0 && uid !== info.uid
    ? { owner: info.uid, uid }
    : undefined;
  if (guest && await isShared(root, info.mode)) {
    const findings = await guestChecks(root, guest);
    return [...findings, servedCheck(root, served, guest.owner)];
  }
  const contents = contentsCheck(root, guest);
  // Of a folder that is somebody else's nothing is to be changed.
  if (contents.status === "fail") return [contents];
  const findings = [contents];
  if (uid !== undefined && uid !== info.uid) {
    findings.push(
      fail(
        "owner",
        `user ${info.uid}; you are ${uid}`,
        "run this, and the server, as the owner, or chown it",
      ),
    );
  } else findings.push(ok("owner", "you"));
  findings.push(
    await modeCheck(root, info.mode),
    ...await writableChecks(root),
    servedCheck(root, served),
  );
  return findings;
}

/** Whether it may be served, as far as one may know without opening it. */
function contentsCheck(
  root: string,
  guest: { readonly owner: number; readonly uid: number } | undefined,
): Finding {
  let refusal: string | undefined;
  try {
    refusal = hasManifest(root)
      ? whyForeignManifest(root)
      : whyNoManifest(root);
  } catch (error) {
    return guest && codeOf(error) === "EACCES"
      ? strangerFinding(root, guest)
      : fail("root", messageOf(error), "let this user read it");
  }
  if (refusal === undefined) return ok("root", root);
  const [, text, remedy] = /^(.*?\))[:;] (.*)$/.exec(refusal) ?? [];
  return fail("root", text ?? refusal, remedy ?? "");
}

/** Looks at the file system of the folder. */
export async function diskCheck(
  root: string,
  { isServed }: { readonly isServed: boolean },
): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(await nearestTo(root));
    return diskFinding(bavail * bsize, { isServed });
  } catch {
    return warn("disk", "its free space is not known", "look with df");
  }
}

/** What so many free bytes mean; `isServed`: the server says itself what it lacks. */
export function diskFinding(
  freeBytes: number,
  { isServed }: { readonly isServed: boolean },
): Finding {
  const text = `${formatSize(freeBytes)} free`;
  if (freeBytes < NO_DISK_BYTES && !isServed) {
    return fail("disk", text, "make room, or serve it with a lower --min-free");
  }
  return freeBytes < LITTLE_DISK_BYTES
    ? warn("disk", text, "make room, or serve it with --max-bytes")
    : ok("disk", text);
}

function servedCheck(
  root: string,
  { addresses, isNow, pid }: Served,
  owner?: number,
): Finding {
  if (isNow) {
    const where = Object.values(addresses);
    const by = pid === undefined ? [] : [`by process ${pid}`];
    const on = where.length === 0 ? [] : [`on ${where.join(" and ")}`];
    return ok("served", [...by, ...on].join(", "));
  }
  const command = `${serveCommand(DENO_VERSION)} ${root}`;
  return warn(
    "served",
    "no",
    owner === undefined
      ? `${command} serves it`
      : `user ${owner} has to serve it: ${command} --shared`,
  );
}

/** Tries it: what the permission bits say is not all. */
async function writableChecks(root: string): Promise<Finding[]> {
  let probe: string;
  try {
    probe = await mkdtemp(join(root, PROBE));
  } catch (error) {
    return [notWritable(root, error)];
  }
  const findings = [ok("writable", "yes")];
  if (ignoresCase(probe) || ignoresCase(join(root, MANIFEST_FILE))) {
    const { text, remedy } = caseWarning(root);
    findings.push(warn("letters", text, remedy));
  }
  await rmdir(probe);
  return findings;
}

function notWritable(root: string, error: unknown): Finding {
  const code = codeOf(error);
  const why = isDiskFull(error)
    ? "its disk is full"
    : code === "EROFS"
    ? "it is mounted read-only"
    : code;
  const remedy = remedyOf(error, root) ?? `chmod u+rwx ${root}`;
  return fail("writable", `no: ${why}`, remedy);
}

/** What helps where it is no question of rights. */
function remedyOf(error: unknown, folder: string): string | undefined {
  if (isDiskFull(error)) {
    return `make room on the disk of ${folder} (df, df -i)`;
  }
  return codeOf(error) === "EROFS" ? "mount it for writing" : undefined;
}

/** What making a folder in it throws, if it does. */
async function whyNotWritable(folder: string): Promise<unknown> {
  try {
    await rmdir(await mkdtemp(join(folder, PROBE)));
    return undefined;
  } catch (error) {
    return error;
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? messageOf(error);
}

/** The path, or the nearest folder above it that is there. */
async function nearestTo(path: string): Promise<string> {
  const full = resolve(path);
  const isThere = await lstat(full).then(() => true, () => false);
  const parent = dirname(full);
  return isThere || parent === full ? full : await nearestTo(parent);
}
