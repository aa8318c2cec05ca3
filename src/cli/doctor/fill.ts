/**
 * How full is the server that answers, and does it take values?
 *
 * @module
 */

import type { Listener } from "../addresses.ts";
import { keptLine } from "../commands/status.ts";
import type { Status } from "../picture.ts";
import { withSizes } from "../format.ts";
import { Server } from "../server.ts";
import { fail, type Finding, ok } from "./finding.ts";
import { diskFinding } from "./root.ts";

/** Asks the server at a listener; nothing where it does not say. */
export async function fillChecks(
  { kind, address }: Listener,
  options: { readonly hasDisk: boolean },
): Promise<Finding[]> {
  await using server = await Server.at({ [kind]: address });
  const status = await server.status().catch(() => undefined);
  return status === undefined ? [] : fillFindings(status, options);
}

/** What the server says of itself, and means; `hasDisk`: of its disk, too. */
export function fillFindings(
  status: Status,
  { hasDisk }: { readonly hasDisk: boolean },
): Finding[] {
  const { maxBytes, maxEntries, diskBytes, diskFreeBytes, trouble } = status;
  const isBounded = maxBytes > 0 || maxEntries > 0;
  const kept = keptLine(status);
  const findings = [
    ok("kept", isBounded ? kept : `${kept}; no limit but the disk's`),
  ];
  if (hasDisk && diskBytes > 0) {
    const disk = diskFinding(diskFreeBytes, { isServed: true });
    findings.push({ ...disk, name: "its disk" });
  }
  if (trouble !== "") {
    findings.push(
      fail(
        "trouble",
        `no value can be kept: ${withSizes(trouble)}`,
        remedyFor(trouble),
      ),
    );
  }
  return findings;
}

/** What helps, by the limit that is named. */
function remedyFor(trouble: string): string {
  if (trouble.includes("--min-free")) {
    return "make room on its disk, or serve it with a lower --min-free";
  }
  if (trouble.includes("(inodes)")) {
    return "remove files from its disk, or serve a root on another one";
  }
  if (/\bthe disk (of|has)\b|\bof the disk\b/.test(trouble)) {
    return "make room on its disk";
  }
  const [limit] = /^--max-(bytes|entries)/.exec(trouble) ?? [];
  return limit === undefined
    ? "see its log"
    : `raise ${limit}, or have clients release what they hold`;
}
