/**
 * A real server for the tests of `larder.v1.Cache`.
 *
 * @module
 */

import { withRoot } from "../support/root.ts";
import { type Answering, whileServedHere } from "../support/server_here.ts";
import { ServerProcess, type StartOptions } from "../support/server_process.ts";
import { CacheClient } from "./client.ts";

/** A server on a fresh root, and a client of each listener. */
export interface Site {
  readonly server: ServerProcess;
  readonly remote: CacheClient;
  readonly local: CacheClient;
}

/** The same with a server in the test's own process. */
export interface SiteHere {
  readonly server: Answering;
  readonly remote: CacheClient;
  readonly local: CacheClient;
}

/** Runs a test with a server; clients are closed before it stops. */
export async function withSite(
  body: (site: Site) => Promise<void>,
  options: StartOptions = {},
): Promise<void> {
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root, options);
    using remote = new CacheClient(server.remote);
    using local = new CacheClient(server.local);
    await body({ server, remote, local });
  });
}

/** The same with a server in the test's own process. */
export async function withSiteHere(
  body: (site: SiteHere) => Promise<void>,
  { args = [] }: { readonly args?: readonly string[] } = {},
): Promise<void> {
  await withRoot((root) =>
    whileServedHere(root, async (server) => {
      using remote = new CacheClient(server.remote);
      using local = new CacheClient(server.local);
      await body({ server, remote, local });
    }, args)
  );
}

/** A short lease, but longer than a loaded machine keeps a heartbeat waiting. */
export const SHORT_LEASE = [
  ...["--heartbeat-interval", "500ms", "--heartbeat-timeout", "3s"],
];
