/**
 * Is a root being served, and where?
 *
 * @module
 */

import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CONFIG_FILE } from "../../../workers/root_names.ts";
import { type Addresses, listenersOf } from "../addresses.ts";
import { lookAt } from "./look.ts";

/** Linux lists there which files are locked, and by which process. */
const LOCKS = "/proc/locks";

/** What is known of the server of a root. */
export interface Served {
  /** Where it was served last, however long ago that was. */
  readonly addresses: Addresses;
  /** Whether it is served now. */
  readonly isNow: boolean;
  /** The process that serves it, where that can be seen. */
  readonly pid?: string;
}

/**
 * Looks at a root: a server has it locked, whether it answers or not; where that
 * cannot be seen, a server answers where it was served last.
 */
export async function servedAt(root: string): Promise<Served> {
  const addresses = await addressesIn(root);
  const pid = await lockerOf(join(root, CONFIG_FILE));
  if (pid !== undefined) return { addresses, isNow: true, pid };
  for (const listener of listenersOf(addresses)) {
    const { kind } = await lookAt(listener);
    if (kind !== "stranger") return { addresses, isNow: true };
  }
  return { addresses, isNow: false };
}

/** What the `Cache.toml` of a root says of its server, running or not. */
async function addressesIn(root: string): Promise<Addresses> {
  try {
    const text = await readFile(join(root, CONFIG_FILE), "utf8");
    const found: { local?: string; remote?: string } = {};
    for (const kind of ["local", "remote"] as const) {
      const line = new RegExp(`^${kind}_addr = "([^"]+)"`, "m").exec(text);
      if (line) found[kind] = line[1]!;
    }
    return found;
  } catch {
    return {};
  }
}

/** Which process has a file locked, as a server locks its own. */
async function lockerOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await lstat(path, { bigint: true });
    // As glibc takes the number of a device apart.
    const major = (dev >> 8n & 0xfffn) | (dev >> 32n & ~0xfffn);
    const minor = (dev & 0xffn) | (dev >> 12n & ~0xffn);
    const [one, two] = [major, minor].map((each) =>
      each.toString(16).padStart(2, "0")
    );
    const lock = new RegExp(
      `^\\d+: FLOCK +ADVISORY +WRITE +(-?\\d+) ${one}:${two}:${ino} `,
      "m",
    );
    return lock.exec(await readFile(LOCKS, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
