/**
 * The server, as the package carries it: one file for the process, and one for
 * each worker. Nothing is left to be fetched or resolved where it is installed.
 *
 * @module
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Places } from "./modules.ts";

/** Each module that is started as a program, and where its bundle is put. */
const BUNDLES: Readonly<Record<string, string>> = {
  // As deep as the modules in it, which look for their files from there.
  "src/main.ts": "src/server/main.js",
  "workers/blob_worker.ts": "workers/blob_worker.js",
  "workers/manifest_worker.ts": "workers/manifest_worker.js",
};
/** The commands of clients run on Node. */
const EXTERNAL = "./cli/cli.ts";
/** What a confined process of the package is started with. */
const DENO_CONFIG = { unstable: ["worker-options"], lock: false };

/**
 * Writes the server.
 *
 * @param places From where to where.
 */
export async function writeServer({ from, to }: Places): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "larder-bundle-"));
  try {
    await bundle(from, folder);
    for (const [module, path] of Object.entries(BUNDLES)) {
      const text = await readFile(
        join(folder, module.replace(/\.ts$/, ".js")),
        "utf8",
      );
      await mkdir(join(to, dirname(path)), { recursive: true });
      await writeFile(join(to, path), namingBundles(text));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  await writeFile(
    join(to, "deno.json"),
    JSON.stringify(DENO_CONFIG, null, 2) + "\n",
  );
}

/** Bundles all at once, so that their places beside each other stay. */
async function bundle(from: string, to: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--frozen", "--platform", "deno"],
      ...["--external", EXTERNAL, "--outdir", to, ...Object.keys(BUNDLES)],
    ],
    cwd: from,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`cannot bundle: ${new TextDecoder().decode(stderr)}`);
}

/** Workers are found by their names, which end otherwise in the package. */
function namingBundles(text: string): string {
  return text.replaceAll(/(workers\/(?:blob|manifest)_worker)\.ts"/g, '$1.js"');
}
