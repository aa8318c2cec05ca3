/**
 * A server that is killed, clients of it, and what they expect of the next.
 *
 * @module
 */

import assert from "node:assert/strict";
import { bytesOf, LocalClient, RemoteClient } from "../support/clients.ts";
import type { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/status.ts";
import { hashOf } from "./values.ts";

/** The key of a scenario. */
export const KEY = "key";

/** A server and clients of it. */
export class Site implements Disposable {
  readonly server: ServerProcess;
  readonly local: LocalClient;
  readonly remote: RemoteClient;
  /** A namespace of this run's own. */
  readonly namespace: string;

  constructor(server: ServerProcess, namespace: string) {
    this.server = server;
    this.namespace = namespace;
    this.local = new LocalClient(server.local);
    this.remote = new RemoteClient(server.remote);
  }

  [Symbol.dispose](): void {
    this.local.close();
    this.remote.close();
  }
}

/** What a server does when it is killed. */
export interface Scenario {
  readonly name: string;
  /** Lays out what it starts from. */
  prepare(site: Site): Prepared | Promise<Prepared>;
}

/** One run of a scenario. */
export interface Prepared {
  /** What the server is killed in; rejects when the server has gone. */
  act(): Promise<void>;
  /**
   * Looks at the server that was started afterwards; `told`: `act` came to its
   * end.
   */
  look(site: Site, told: boolean): Promise<void>;
}

/** Asks until the entry is given to us; it is never served meanwhile. */
export async function expectAssigned(
  client: LocalClient | RemoteClient,
  namespace: string,
): Promise<string> {
  const { assign } = await until(
    () => client.get(namespace, KEY),
    ({ entryStatus }) => {
      assert.notEqual(entryStatus, "ready");
      return entryStatus === "assign";
    },
  );
  return assign!.id;
}

/** The text, and nothing else. */
export function expectText(
  remote: RemoteClient,
  namespace: string,
  text: string,
  key = KEY,
): Promise<void> {
  return expectValue(remote, namespace, bytesOf(text), key);
}

/** The value, and no other; it may still be on its way. */
export async function expectValue(
  remote: RemoteClient,
  namespace: string,
  value: Uint8Array,
  key = KEY,
): Promise<void> {
  const { entryStatus, ready } = await until(
    () => remote.get(namespace, key, { assign: false }),
    ({ entryStatus }) => entryStatus !== "loading",
  );
  assert(ready instanceof Uint8Array, `${key} is ${entryStatus}`);
  assert.equal(hashOf(ready), hashOf(value));
}
