/**
 * The server, as the package carries it: one file for each of its processes and
 * workers. Nothing is left to be fetched or resolved where it is installed.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import type { Places } from "./modules.ts";

/** Each module that is started as a program, and where its bundle is put. */
const BUNDLES: Readonly<Record<string, string>> = {
  // As deep as the modules in it, which look for their files from there.
  "src/main/launcher.ts": "src/server/launcher.js",
  "src/main/confined.ts": "src/server/confined.js",
  "workers/blob_worker.ts": "workers/blob_worker.js",
  "workers/manifest_worker.ts": "workers/manifest_worker.js",
};
/** What a confined process of the package is started with. */
const DENO_CONFIG = { unstable: ["worker-options"], lock: false };

/**
 * Writes the server.
 *
 * @param places From where to where.
 * @returns The packages in it, `NAME@VERSION`.
 */
export async function writeServer({ from, to }: Places): Promise<Set<string>> {
  const carried = new Set<string>();
  for (const [module, path] of Object.entries(BUNDLES)) {
    const packages = await bundle({
      ...{ from, module, to: join(to, path), config: join(from, "deno.json") },
      edit: namingBundles,
    });
    for (const each of packages) carried.add(each);
  }
  const config = JSON.stringify(DENO_CONFIG, null, 2) + "\n";
  await writeFile(join(to, "deno.json"), config);
  return carried;
}

/** Programs are found by their names, which end otherwise in the package. */
function namingBundles(text: string): string {
  return text.replaceAll(
    /"([./]+(?:workers\/(?:blob|manifest)_worker|confined))\.ts"/g,
    '"$1.js"',
  );
}
