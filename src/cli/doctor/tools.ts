/**
 * Which Deno and Node there are, and how many files a process may open.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { fail, type Finding, ok, warn } from "./finding.ts";

/** What the server is tested with. */
const DENO_VERSION = "2.9.6";
const OLDEST_NODE = [20, 12] as const;
/** The server keeps 700 descriptors for itself; the others are for clients. */
const FEW_DESCRIPTORS = 2_048;

/** Looks at all of them. */
export async function toolChecks(): Promise<Finding[]> {
  return await Promise.all([denoCheck(), nodeCheck(), descriptorCheck()]);
}

async function denoCheck(): Promise<Finding> {
  const version = /^deno (\S+)/.exec(await outputOf("deno", "--version"))?.[1];
  const remedy = `npx -y deno@${DENO_VERSION} task serve`;
  if (version === DENO_VERSION) return ok("deno", version);
  return version === undefined
    ? warn("deno", "not found; only the server needs it", remedy)
    : warn("deno", `${version}; ${DENO_VERSION} is what was tested`, remedy);
}

async function nodeCheck(): Promise<Finding> {
  const text = await outputOf("node", "--version");
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(text) ?? [];
  if (major === undefined) {
    return warn("node", "not found", "npx and the npm package need it");
  }
  const [wantedMajor, wantedMinor] = OLDEST_NODE;
  const isRecent = Number(major) > wantedMajor ||
    (Number(major) === wantedMajor && Number(minor) >= wantedMinor);
  return isRecent
    ? ok("node", text.trim())
    : fail("node", text.trim(), `install ${OLDEST_NODE.join(".")} or later`);
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
