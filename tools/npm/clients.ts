/**
 * The library and `larder`, as the package carries them: a file each. To find and
 * read the hundreds of modules in them takes Node 0.15 s of processor time, and a
 * build may run `larder` for each of its steps.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { bundle } from "./bundle.ts";
import {
  compiled,
  type Places,
  writeDeclarations,
  writePrograms,
} from "./modules.ts";

/** What the program does: a bundle beside it, which tests import as well. */
const COMMANDS = "src/npm/larder.ts";

/** What the bundles of the clients import, and what is in them. */
export interface Packages {
  /** What whoever installs the package needs: its names. */
  readonly imported: ReadonlySet<string>;
  /** What the package carries with it, `NAME@VERSION`. */
  readonly carried: ReadonlySet<string>;
}

/**
 * Writes them.
 *
 * @param modules Paths of what is offered to others: with declarations, and on the
 * packages that others may have, too.
 * @param programs Paths of what is run: they bring along what they need.
 * @param places From where to where. Each has the place of its module, for it looks
 * for its files from there.
 */
export async function writeClients(
  modules: readonly string[],
  programs: readonly string[],
  { from, to }: Places,
): Promise<Packages> {
  const folder = await mkdtemp(join(tmpdir(), "larder-clients-"));
  try {
    // A bundle has `using` as it was written, which Node 20 cannot read.
    const places = { from, to: folder };
    const external = await writePrograms(modules, places);
    await writePrograms(programs, places);
    const types = await writeDeclarations(modules, { from, to });
    const write = (path: string, external?: Iterable<string>) =>
      bundle({
        ...{ from: folder, module: compiled(path), external },
        ...{ to: join(to, compiled(path)), config: join(from, "deno.json") },
      });
    for (const path of modules) await write(path, external);
    for (const path of programs) {
      await write(path, [`./${basename(compiled(COMMANDS))}`]);
    }
    const carried = await write(COMMANDS);
    return { imported: external.union(types), carried };
  } finally {
    await rm(folder, { recursive: true });
  }
}
