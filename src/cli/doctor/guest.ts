/**
 * Is somebody else's root fit to be used, where its server is to hand paths to
 * other users?
 *
 * @module
 */

import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { STAGING_FOLDER } from "../../../workers/root_names.ts";
import { fail, type Finding, ok } from "./finding.ts";

/** Looks at a root that is shared, as far as a guest may look into one. */
export async function guestChecks(
  root: string,
  { owner, uid }: { readonly owner: number; readonly uid: number },
): Promise<Finding[]> {
  const findings = [
    ok("root", root),
    ok("owner", `user ${owner}, who shares it with others; you are ${uid}`),
  ];
  const staging = join(root, STAGING_FOLDER);
  const mayWrite = await access(staging, constants.W_OK | constants.X_OK)
    .then(() => true, () => false);
  findings.push(
    mayWrite ? ok("staging", "you may make files there") : fail(
      "staging",
      `you may make no files in ${staging}`,
      `user ${owner} has to start the server again with --shared`,
    ),
  );
  return findings;
}

/** What is said of a root that its owner shares with nobody. */
export function strangerFinding(
  root: string,
  { owner, uid }: { readonly owner: number; readonly uid: number },
): Finding {
  return fail(
    "owner",
    `user ${owner}; you are ${uid}, and may not look into ${root}`,
    "run this as its owner; for paths of it, that user has to serve it with " +
      "--shared",
  );
}
