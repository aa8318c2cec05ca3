/**
 * What a server and its workers need to speak TLS, the workers with a token.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { SERVER } from "../support/certificates.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";

const TOKEN = "a-token-of-tests-that-is-long-enough-to-be-none-of-anybody";

/** Both sides of it. */
export interface Secured {
  /** The arguments of the server. */
  readonly args: readonly string[];
  /** The options of the workers' caches. */
  readonly options: { readonly ca: string; readonly token: string };
}

/** Writes the files that it takes into a folder. */
export async function secured(folder: string): Promise<Secured> {
  const sha256 = createHash("sha256").update(TOKEN).digest("hex");
  const path = await writeTlsFiles(folder, { server: SERVER });
  await Deno.writeTextFile(
    path("access.toml"),
    `[[token]]\nname = "worker"\nsha256 = "${sha256}"\nwrite = ["*"]\n`,
  );
  return {
    args: [...tlsArgs(path), "--access", path("access.toml")],
    options: { ca: path("ca.pem"), token: TOKEN },
  };
}
