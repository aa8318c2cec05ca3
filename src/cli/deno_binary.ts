/**
 * Deno, as npm installs it beside this package: a package `deno` with a shim that
 * passes no signals on, and one with the program for each kind of machine.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** `package.json` of this package, from the depth of this file. */
const MANIFEST = fileURLToPath(new URL("../../package.json", import.meta.url));

/** Where Deno is, or what is to be done about that it is not there. */
export type FoundDeno =
  | { readonly path: string }
  | { readonly missing: string };

/**
 * Finds the program, without running or changing anything.
 *
 * @param manifest The `package.json` from which `deno` is looked for.
 */
export function findDeno(manifest: string = MANIFEST): FoundDeno {
  const wanted = versionIn(manifest);
  const resolve = (name: string, from: string) => {
    try {
      return createRequire(from).resolve(`${name}/package.json`);
    } catch {
      return undefined;
    }
  };
  const shim = resolve("deno", manifest);
  const install = `npm install deno@${wanted}`;
  if (shim === undefined) {
    return {
      missing: `the server runs on Deno ${wanted}, which is not installed ` +
        `beside this package: ${install}`,
    };
  }
  const { version } = JSON.parse(readFileSync(shim, "utf8"));
  if (version !== wanted) {
    return {
      missing: `the server runs on Deno ${wanted}, and ${version} is ` +
        `installed beside this package: ${install}`,
    };
  }
  const name = packageFor(process.platform, process.arch);
  const found = resolve(name, shim);
  if (found !== undefined) {
    const file = process.platform === "win32" ? "deno.exe" : "deno";
    return { path: join(dirname(found), file) };
  }
  return {
    missing:
      `the server runs on Deno ${wanted}, and npm installed no program ` +
      `of it for this machine (${name}): there are some for Linux ` +
      "with glibc, macOS and Windows, on x64 and arm64",
  };
}

/** Of Linux there is only a build for glibc. */
function packageFor(platform: string, arch: string): string {
  return `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`;
}

function versionIn(manifest: string): string {
  const { optionalDependencies } = JSON.parse(readFileSync(manifest, "utf8"));
  return optionalDependencies.deno;
}
