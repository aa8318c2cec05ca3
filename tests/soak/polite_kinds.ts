/**
 * Clients that behave: a connection for each call, closed with GOAWAY.
 *
 * @module
 */

import {
  GET,
  HEARTBEAT,
  idRequest,
  SET,
  setRequest,
} from "../rude/messages.ts";
import { expectEmpty, idAndPath, isLoading } from "../support/reply_heads.ts";
import type { Outcome } from "../support/raw_client.ts";
import {
  asking,
  caller,
  type Kind,
  LARGE_BYTES,
  type Site,
  SMALL_BYTES,
} from "./site.ts";

/** How often a client asks again for a value that is still loading. */
const ATTEMPTS = 20;
const VALUE = new Uint8Array(SMALL_BYTES).fill(7);

const remoteGet = asking(GET);
const localGet = asking("/local.LocalCache/Get");
const remoteHeartbeat = caller(HEARTBEAT);
const remoteSet = caller(SET);
const done = caller("/local.LocalCache/Done");
const drop = caller("/local.LocalCache/Drop");
const askSmall = remoteGet("small");
const askLarge = remoteGet("large");

/**
 * Asks for an entry until it is not loading: the disk of a loaded machine may take
 * longer than a Get waits, and the server says so.
 */
async function asked(
  site: Site,
  port: number,
  ask: Uint8Array,
): Promise<Outcome> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const answer = await site.call(port, ask);
    if (!isLoading(answer)) return answer;
    site.tally.loading++;
  }
  throw new Error("an entry never ceased to load");
}

async function hit(
  site: Site,
  ask: Uint8Array,
  valueBytes: number,
): Promise<void> {
  const { how, dataBytes } = await asked(site, site.remotePort, ask);
  if (how === "answered" && dataBytes > valueBytes) return;
  throw new Error(`hit of ${valueBytes}: ${how} with ${dataBytes} bytes`);
}

/** A value is made: assigned, heard of, set, and read. */
async function remoteCycle(site: Site): Promise<void> {
  const { remotePort: port } = site;
  const key = `remote ${site.next()}`;
  const { id } = idAndPath(
    "Get",
    await asked(site, port, remoteGet(key, true)),
  );
  const heard = await site.call(port, remoteHeartbeat(idRequest(id)));
  expectEmpty("Heartbeat", heard);
  const set = await site.call(port, remoteSet(setRequest(id, VALUE)));
  expectEmpty("Set", set);
  await hit(site, remoteGet(key), VALUE.length);
}

/** The same with a file: assigned, written, done, read, dropped. */
async function localCycle(site: Site): Promise<void> {
  const { localPort: port } = site;
  const key = `local ${site.next()}`;
  const work = idAndPath("Get", await asked(site, port, localGet(key, true)));
  await Deno.writeFile(work.path, VALUE);
  expectEmpty("Done", await site.call(port, done(idRequest(work.id))));
  const ready = idAndPath("Get", await asked(site, port, localGet(key)));
  expectEmpty("Drop", await site.call(port, drop(idRequest(ready.id))));
}

/** What these clients do, weighted. */
export const POLITE_KINDS: readonly Kind[] = [
  {
    name: "hit of 1 KiB",
    weight: 60,
    isRude: false,
    run: (site) => hit(site, askSmall, SMALL_BYTES),
  },
  {
    name: "hit of 1 MiB",
    weight: 10,
    isRude: false,
    run: (site) => hit(site, askLarge, LARGE_BYTES),
  },
  {
    name: "heartbeat",
    weight: 20,
    isRude: false,
    async run(site) {
      const bytes = remoteHeartbeat(idRequest(site.heldId));
      expectEmpty("Heartbeat", await site.call(site.remotePort, bytes));
    },
  },
  { name: "remote cycle", weight: 6, isRude: false, run: remoteCycle },
  { name: "local cycle", weight: 4, isRude: false, run: localCycle },
];
