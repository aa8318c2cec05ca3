/** `larder doctor`. @module */

import type { Command } from "../command.ts";
import { diskCheck, rootChecks } from "../doctor/root.ts";
import { fillChecks } from "../doctor/fill.ts";
import type { Finding } from "../doctor/finding.ts";
import { portChecks } from "../doctor/ports.ts";
import { servedAt } from "../doctor/served.ts";
import { proxyCheck, serverChecks } from "../doctor/server.ts";
import { runsCheck } from "../doctor/runs.ts";
import { toolChecks } from "../doctor/tools.ts";
import { emptyWord } from "../empty_word.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { print, printJson } from "../output.ts";
import { type Addresses, addressesOf, listenersOf } from "../addresses.ts";

/** Looks whether all is well. */
export const doctor: Command = {
  name: "doctor",
  usage: "[ROOT]",
  summary: "check server, its fill, root, disk, ports, proxies and versions",
  details: [
    "With ROOT, the folder that is served or will be, run it on that machine and",
    "as the server's user.",
  ],
  options: [],
  async run(words) {
    words.atMost(1);
    if (words.positionals[0] === "") throw emptyWord("ROOT");
    const isAsked = words.has("remote") || words.has("local");
    const findings = await examine(
      addressesOf(words),
      words.positionals[0],
      { isAsked },
    );
    if (words.has("json")) await printJson(findings);
    for (const { name, status, text, remedy } of findings) {
      if (words.has("json")) break;
      const line = `${status.padEnd(4)}  ${name.padEnd(11)}  ${text}\n`;
      await print(remedy ? `${line}${" ".repeat(19)}${remedy}\n` : line);
    }
    return findings.some(({ status }) => status === "fail") ? FAILED : OK;
  },
};

async function examine(
  addresses: Addresses,
  root: string | undefined,
  { isAsked }: { readonly isAsked: boolean },
): Promise<Finding[]> {
  const served = root === undefined ? undefined : await servedAt(root);
  const findings: Finding[] = [];
  // Unless another one is named, the server is that of the root, if it runs: the
  // root says where it was served last, however long ago that was.
  const isMeant = !isAsked && served?.isNow === true;
  // Other users of a root may not read where that is.
  const isOfRoot = isMeant && listenersOf(served.addresses).length > 0;
  const asked = isOfRoot ? served.addresses : addresses;
  const { findings: ofServer, listener } = await serverChecks(asked, {
    // A root that is only being prepared has no server yet.
    isNeeded: root === undefined || isMeant,
  });
  findings.push(...ofServer, ...proxyCheck(asked));
  if (listener !== undefined) {
    // Of a root's own disk, the root is asked.
    findings.push(...await fillChecks(listener, { hasDisk: !isOfRoot }));
  }
  if (root !== undefined && served) {
    const ofRoot = await rootChecks(root, served);
    const isServed = served.isNow;
    findings.push(...ofRoot, await diskCheck(root, { isServed }));
    if (!served.isNow) findings.push(...await portChecks(addresses));
  }
  findings.push(await runsCheck(), ...await toolChecks());
  return findings;
}
