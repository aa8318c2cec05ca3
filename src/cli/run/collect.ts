/**
 * What a command has written, for the archive.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { outEntry } from "./archive.ts";
import { stampOf } from "./inputs/stamp.ts";
import type { Entry } from "./pack.ts";
import { leadsToOut, linkAt, type Out } from "./places.ts";

/** What was found, and how to find out whether it is still the same. */
export interface Collected {
  /** The outs that are there. */
  readonly entries: readonly Entry[];
  /** Throws if one of the files was written meanwhile. */
  check(): Promise<void>;
}

/** Who may do what with a file; never whose rights it runs with. */
const PERMISSION_BITS = 0o777;

/**
 * Looks at the outs.
 *
 * @param outs As they stood before the command was run.
 * @param written Those that it has written.
 * @param mayMiss Whether some need not be there: the command has failed.
 * @throws One is missing, or cannot be kept.
 */
export async function collect(
  outs: readonly Out[],
  written: ReadonlySet<Out>,
  { mayMiss }: { readonly mayMiss: boolean },
): Promise<Collected> {
  const entries: Entry[] = [];
  const stamps = new Map<string, string>();
  for (const [index, out] of outs.entries()) {
    const name = outEntry(index);
    if (!written.has(out)) {
      if (mayMiss) continue;
      throw new Error(`${out.name} was not written`);
    }
    const link = await linkAt(out.path);
    if (link !== undefined && link.id !== out.link) {
      entries.push({ name, target: await keptTarget(out, link.target, outs) });
      continue;
    }
    const info = await stat(out.path, { bigint: true }).catch(() => undefined);
    if (!info?.isFile()) {
      if (mayMiss && !info) continue;
      throw new Error(`${out.name} ${info ? "is no file" : "was not written"}`);
    }
    stamps.set(out.path, stampOf(info));
    const mode = Number(info.mode) & PERMISSION_BITS;
    entries.push({ name, path: out.path, size: Number(info.size), mode });
  }
  return {
    entries,
    async check() {
      for (const [path, stamp] of stamps) {
        if (stampOf(await stat(path, { bigint: true })) !== stamp) {
          throw new Error(`${path} changed while it was stored`);
        }
      }
    },
  };
}

async function keptTarget(
  { name }: Out,
  target: string,
  outs: readonly Out[],
): Promise<string> {
  if (await leadsToOut(name, target, outs.map(({ name }) => name))) {
    return target;
  }
  throw new Error(
    `${name} is a link to ${target}; only relative ones to another out are kept`,
  );
}
