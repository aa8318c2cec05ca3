/**
 * Puts a program with all that it imports into one file.
 *
 * @module
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What is bundled, and how. */
export interface Bundling {
  /** The folder that the module lies in, somewhere. */
  readonly from: string;
  /** Its path in there. */
  readonly module: string;
  /** The file that is written. */
  readonly to: string;
  /** The `deno.json` that says where packages come from. */
  readonly config: string;
  /** What is imported as before. */
  readonly external?: Iterable<string> | undefined;
  /** Changes its text. */
  readonly edit?: (text: string) => string;
}

/** Where Deno keeps a package, as it stands in the comments of a bundle. */
const PACKAGE =
  /[^\s"]*\/npm\/registry\.npmjs\.org\/((?:@[^/\s"]+\/)?[^/\s"]+)\/([^/\s"]+)\//g;

/**
 * Bundles; throws where that fails.
 *
 * @returns The packages in it, `NAME@VERSION`.
 */
export async function bundle(bundling: Bundling): Promise<Set<string>> {
  const { from, module, to, config, external = [], edit } = bundling;
  const folder = await mkdtemp(join(tmpdir(), "larder-bundle-"));
  try {
    const made = join(folder, "bundle.js");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--quiet", "--frozen", "--platform", "deno"],
        // It takes all words up to the next flag.
        ...[...external].flatMap((each) => ["--external", each]),
        ...["--config", config, "--output", made, module],
      ],
      cwd: from,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      const why = new TextDecoder().decode(stderr);
      throw new Error(`cannot bundle ${module}: ${why}`);
    }
    const packages = new Set<string>();
    // Who made the package, and where, is nobody's concern.
    const text = (await readFile(made, "utf8"))
      .replaceAll(PACKAGE, (_, name: string, version: string) => {
        packages.add(`${name}@${version}`);
        return `npm:${name}@${version}/`;
      });
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, edit ? edit(text) : text);
    return packages;
  } finally {
    await rm(folder, { recursive: true });
  }
}
