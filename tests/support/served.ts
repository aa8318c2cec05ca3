/**
 * Servers on one root, one after the other.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LocalClient, RemoteClient } from "./clients.ts";
import { ServerProcess } from "./server_process.ts";

/** A server, and a client of each of its APIs. */
export interface Served {
  readonly server: ServerProcess;
  readonly local: LocalClient;
  readonly remote: RemoteClient;
}

/** Runs against a server that is stopped afterwards, with exit code 0. */
export async function whileServed(
  root: string,
  run: (served: Served) => Promise<void>,
  ...args: readonly string[]
): Promise<void> {
  await using server = await ServerProcess.start(root, { args });
  {
    // Closed before the stop: Deno's HTTP/2 client may abort on a late GOAWAY.
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    await run({ server, local, remote });
  }
  assert.equal(await server.stop(), 0, server.stderr);
}
