/**
 * Many connections with many calls each, and what is left when they have gone.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { until } from "../support/status.ts";
import { eachOf } from "../support/waiting.ts";
import { CacheClient } from "../v1/client.ts";
import { type Arena, NS } from "./arena.ts";

/** As many calls as a client may have open. */
export const CALLS = 256;

/** Calls on streams 1, 3, 5 … of one connection, in one packet. */
export function calls(
  one: (stream: number, i: number) => Uint8Array,
  count: number = CALLS,
): Uint8Array {
  return join(...Array.from({ length: count }, (_, i) => one(2 * i + 1, i)));
}

/** Who comes, and what they do. */
export interface Crowd {
  /** Where to; default: RemoteCache. */
  readonly port?: number;
  readonly connections: number;
  /** Huge unless told otherwise. */
  readonly windowBytes?: number;
  /** What each of them sends. */
  readonly sends: (connection: number) => Uint8Array;
  /** What each does after everybody has sent. */
  readonly then?: (client: RawClient) => unknown;
}

/**
 * Lets a crowd connect and send, without reading; when all of them have, and
 * `meanwhile` is over, they go without a word.
 */
export async function crowd(
  arena: Arena,
  {
    port = arena.port,
    connections,
    windowBytes = MAX_WINDOW_BYTES,
    sends,
    then,
  }: Crowd,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  using stack = new DisposableStack();
  const clients: RawClient[] = [];
  await eachOf(connections, 8, async (i) => {
    const client = stack.use(await RawClient.greeted(port, { windowBytes }));
    clients.push(client);
    await client.send(sends(i));
  });
  await meanwhile();
  if (then) {
    await eachOf(clients.length, 8, async (i) => void await then(clients[i]!));
  }
}

/** What the server says it is doing. */
export interface Usage {
  readonly loading: string;
  readonly publishing: string;
  readonly handles: string;
  readonly waiting: string;
}

/** Asks the server until it is doing what is expected. */
export async function untilUsage(
  { remote }: Arena,
  expected: (usage: Usage) => boolean,
): Promise<void> {
  using client = new CacheClient(remote);
  await until(() => client.call<Usage>("Usage"), expected);
}

/** Waits until no call waits, nothing is pinned, and no file is half written. */
export async function untilQuiet(arena: Arena): Promise<void> {
  await untilUsage(
    arena,
    ({ handles, publishing, waiting }) =>
      [handles, publishing, waiting].every((count) => count === "0"),
  );
  await until(
    () =>
      Promise.resolve(
        [".private", ".staging"].flatMap((folder) =>
          Array.from(
            Deno.readDirSync(`${arena.root}/${folder}`),
            ({ name }) => `${folder}/${name}`,
          )
        ),
      ),
    (files) => files.length === 0,
  );
}

/** An honest client publishes and fetches, by both listeners. */
export async function honest({ remote, local }: Arena): Promise<void> {
  for (const address of [remote, local]) {
    using client = new CacheClient(address);
    const key = crypto.randomUUID();
    const value = crypto.getRandomValues(new Uint8Array(60_000));
    await client.put(NS, key, value);
    const { bytes } = await client.fetched(NS, key);
    assert.deepEqual(bytes, value);
  }
}
