/**
 * What a server and its workers need to speak TLS, the workers with a token.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { CA, SERVER } from "../support/certificates.ts";

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
  const files = {
    "ca.pem": CA,
    "server.pem": SERVER.cert,
    "server.key": SERVER.key,
    "access.toml":
      `[[token]]\nname = "worker"\nsha256 = "${sha256}"\nwrite = ["*"]\n`,
  };
  const path = (name: keyof typeof files) => `${folder}/${name}`;
  for (const name of Object.keys(files) as (keyof typeof files)[]) {
    await Deno.writeTextFile(path(name), files[name]);
    // Of keys and rights, the server lets nobody else know.
    await Deno.chmod(path(name), 0o600);
  }
  return {
    args: [
      ...["--tls-cert", path("server.pem"), "--tls-key", path("server.key")],
      ...["--access", path("access.toml")],
    ],
    options: { ca: path("ca.pem"), token: TOKEN },
  };
}
