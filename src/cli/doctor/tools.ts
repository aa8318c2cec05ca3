/**
 * Which Deno and Node there are, and how many files a process may open.
 *
 * @module
 */

import { execFile } from "node:child_process";
import process from "node:process";
import { findDeno } from "../deno_binary.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

/** What the server is tested with. */
export const DENO_VERSION = "2.9.6";
/** With older ones no call is answered. */
const OLDEST_DENO = [2, 7] as const;
const OLDEST_NODE = [20, 12] as const;
/** The server keeps 700 descriptors for itself; the others are for clients. */
const FEW_DESCRIPTORS = 2_048;

/** Looks at all of them. */
export async function toolChecks(): Promise<Finding[]> {
  return await Promise.all([denoCheck(), nodeCheck(), descriptorCheck()]);
}

async function denoCheck(): Promise<Finding> {
  // The one that runs us need not be in the path: npx deno. Nor need the one
  // that npm has installed for `larder serve`.
  const version = process.versions["deno"] ?? versionBeside() ??
    /^deno (\S+)/.exec(await outputOf("deno", "--version"))?.[1];
  return denoFinding(version);
}

/** The version that this package takes, where npm has installed it. */
function versionBeside(): string | undefined {
  return "path" in findDeno() ? DENO_VERSION : undefined;
}

/** What a version of Deno means; `undefined`: there is none. */
export function denoFinding(version: string | undefined): Finding {
  // The npm package runs its own, and nothing but that.
  const remedy = process.versions["deno"] === undefined
    ? `npm install deno@${DENO_VERSION}`
    : `npx -y deno@${DENO_VERSION} task serve`;
  if (version === DENO_VERSION) return ok("deno", version);
  if (version === undefined) {
    return warn("deno", "not found; only the server needs it", remedy);
  }
  return isAtLeast(version, OLDEST_DENO)
    ? warn("deno", `${version}; ${DENO_VERSION} is what was tested`, remedy)
    : fail("deno", `${version}: the server does not work on it`, remedy);
}

async function nodeCheck(): Promise<Finding> {
  const text = await outputOf("node", "--version");
  if (text === "") {
    return warn("node", "not found", "npx and the npm package need it");
  }
  return isAtLeast(text.replace(/^v/, ""), OLDEST_NODE)
    ? ok("node", text.trim())
    : fail("node", text.trim(), `install ${OLDEST_NODE.join(".")} or later`);
}

function isAtLeast(
  version: string,
  [wantedMajor, wantedMinor]: readonly [number, number],
): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > wantedMajor ||
    (major === wantedMajor && minor >= wantedMinor);
}

async function descriptorCheck(): Promise<Finding> {
  const limit = (await outputOf("sh", "-c", "ulimit -Hn")).trim();
  if (limit === "") {
    return warn("files", "the limit is not known", "look with ulimit -Hn");
  }
  return limit !== "unlimited" && Number(limit) < FEW_DESCRIPTORS
    ? warn("files", `${limit} open at once`, "raise ulimit -Hn for the server")
    : ok("files", `${limit} open at once`);
}

/** What a program prints; empty when it is missing, or fails. */
function outputOf(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    try {
      execFile(program, args, (error, stdout) => resolve(error ? "" : stdout));
    } catch {
      resolve("");
    }
  });
}
