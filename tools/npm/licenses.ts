/**
 * The licenses of the packages that ours carries with it: each wants to be told to
 * whoever gets the code.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const LICENSE = /^(licen[cs]e|notice)/i;

/**
 * Their text.
 *
 * @param packages `NAME@VERSION`, as Deno has fetched them.
 */
export async function licensesOf(packages: Iterable<string>): Promise<string> {
  const folder = await packagesFolder();
  const texts = [];
  for (const each of [...packages].sort()) {
    const at = each.lastIndexOf("@");
    const path = join(folder, each.slice(0, at), each.slice(at + 1));
    const { license } = JSON.parse(
      await readFile(join(path, "package.json"), "utf8"),
    );
    const files = (await readdir(path)).filter((name) => LICENSE.test(name));
    const own = await Promise.all(
      files.sort().map((name) => readFile(join(path, name), "utf8")),
    );
    texts.push([`${each}: ${license}`, ...own.map((text) => text.trim())]);
  }
  const intro = "This package carries code of these packages:";
  return [intro, ...texts.map((parts) => parts.join("\n\n"))]
    .join(`\n\n${"-".repeat(80)}\n\n`) + "\n";
}

/** Where Deno keeps packages. */
async function packagesFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdin: "null",
    stderr: "null",
  }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  return join(npmCache, "registry.npmjs.org");
}
