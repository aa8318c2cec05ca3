/**
 * The certificates of tests as files, and a server that is given them.
 *
 * @module
 */

import { join } from "node:path";
import { CA, type Pair } from "./certificates.ts";

/**
 * Writes what vouches for all as `ca.pem`, and pairs as `NAME.pem` and `NAME.key`.
 *
 * @returns The path of a file of the folder.
 */
export async function writeTlsFiles(
  folder: string,
  pairs: Readonly<Record<string, Pair>>,
): Promise<(name: string) => string> {
  const path = (name: string) => join(folder, name);
  await Deno.writeTextFile(path("ca.pem"), CA);
  for (const [name, { cert, key }] of Object.entries(pairs)) {
    await Deno.writeTextFile(path(`${name}.pem`), cert);
    await Deno.writeTextFile(path(`${name}.key`), key);
  }
  return path;
}

/** The arguments of a server that shows the pair which was written as `name`. */
export function tlsArgs(
  path: (name: string) => string,
  name = "server",
): readonly string[] {
  const [cert, key] = [path(`${name}.pem`), path(`${name}.key`)];
  return ["--tls-cert", cert, "--tls-key", key];
}
