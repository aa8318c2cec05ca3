/** Whatever was said on a connection: when it has gone, nothing of it is held. */

import assert from "node:assert/strict";
import { BlobCache } from "../../src/blobs/blob_cache.ts";
import { MemoryBlobStore } from "../../src/blobs/testing/memory_blob_store.ts";
import { systemClock } from "../../src/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import { MemoryBudget } from "../../src/engine/memory_budget.ts";
import { RequestShare } from "../../src/engine/request_share.ts";
import { MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import {
  data,
  goaway,
  headers,
  ping,
  reset,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { MemoryManifest } from "../../src/manifest/testing/memory_manifest.ts";
import { Edge } from "../../src/rpc/edge.ts";
import { remoteService } from "../../src/rpc/remote_service.ts";
import { RemoteClient } from "../support/clients.ts";
import { RawClient } from "../support/raw_client.ts";
import { until } from "../support/status.ts";
import { eachOf } from "../support/waiting.ts";
import { NS } from "./arena.ts";
import { converse } from "./conversations.ts";
import { MALFORMATIONS } from "./malformed_frames.ts";
import {
  call,
  callFields,
  GET,
  get,
  getRequest,
  message,
  SET,
} from "./messages.ts";
import { ODD_BODIES, ODD_NAMES } from "./odd_bodies.ts";
import { ODD_HEADERS, ODD_TIMEOUTS } from "./odd_headers.ts";
import { randomFrom, scaled, SEED } from "./scale.ts";

const MIB = 1024 * 1024;
/** More than sockets hold, so that replies are cut off on their way. */
const VALUE_BYTES = 3 * MIB;
/** Crowds that talk at random, and how many are one. */
const ROUNDS = 15;
const CLIENTS = 12;
const NOTHING = {
  connections: 0,
  buffers: 0,
  openCalls: 0,
  unfinishedRequests: 0,
  unfinishedBytes: 0,
  deadlines: 0,
  budgetBytes: 0,
  smallRequestBytes: 0,
  isContended: false,
};

function each(count: number, one: (stream: number) => Uint8Array): Uint8Array {
  return join(...Array.from({ length: count }, (_, i) => one(2 * i + 1)));
}

const wanted = (stream: number) => get(stream, NS, "value");
const begun = (stream: number) =>
  join(
    headers(stream, callFields(SET, [["grpc-timeout", "1H"]])),
    data(
      stream,
      message(new Uint8Array(60_000), { announcedBytes: 60 * MIB }),
    ),
  );

/** What clients say before they go. */
const SAID: Record<string, Uint8Array> = {
  "100 replies of 3 MiB that nobody reads": each(100, wanted),
  "replies that are reset": each(100, (s) => join(wanted(s), reset(s))),
  "a replied goodbye": join(wanted(1), goaway()),
  "16 uploads that are begun": each(16, begun),
  "HEADERS alone": each(300, (s) => headers(s, callFields(GET))),
  "calls with deadlines": each(
    100,
    (s) => call(s, GET, getRequest(NS, "x"), [["grpc-timeout", "1H"]]),
  ),
  "Gets with keys of 60,000 bytes": each(
    16,
    (s) => call(s, GET, getRequest(NS, "k".repeat(60_000))),
  ),
  ...Object.fromEntries(
    [...ODD_BODIES, ...ODD_NAMES, ...ODD_HEADERS, ...ODD_TIMEOUTS]
      .map(({ name, sent }) => [name, sent]),
  ),
  ...Object.fromEntries(MALFORMATIONS.map(({ name, sent }) => [name, sent])),
};

Deno.test("after any conversation every counter is back at zero", async (test) => {
  const blobs = new MemoryBlobStore();
  const manifest = new MemoryManifest({ wallMs: Date.now });
  const budget = new MemoryBudget({ totalBytes: 24 * MIB });
  const requestBudget = new RequestShare(budget, {
    shareBytes: 12 * MIB,
    smallBytes: 2 * MIB,
  });
  const warn = () => {};
  const engine = new Engine({
    manifest,
    blobs,
    cache: new BlobCache(blobs),
    clock: systemClock,
    budget,
    warn,
    table: {
      leaseTimeoutMs: 60_000,
      restartGraceMs: 1_000,
      handleLeaseMs: 60_000,
      maxValueBytes: 64 * MIB,
    },
  });
  const edge = new Edge({
    warn,
    maxMessageBytes: 64 * MIB,
    requestBudget,
    isContended: () => requestBudget.contended,
  });
  const service = remoteService(engine, { heartbeatIntervalMs: 1_000 });
  const listener = edge.listen("127.0.0.1:0", [service]);
  const port = Number(listener.address.split(":")[1]);
  const held = () =>
    Promise.resolve({
      ...edge.stats,
      budgetBytes: budget.usedBytes,
      smallRequestBytes: requestBudget.smallBytes,
      isContended: requestBudget.contended,
    });
  const isNothing = (now: Awaited<ReturnType<typeof held>>) =>
    Object.entries(NOTHING).every(([key, none]) =>
      now[key as keyof typeof NOTHING] === none
    );
  {
    using honest = new RemoteClient(listener.address);
    const { id } = await honest.assigned(NS, "value");
    await honest.set(id, new Uint8Array(VALUE_BYTES));
  }
  for (const [name, said] of Object.entries(SAID)) {
    await test.step(name, async () => {
      await eachOf(6, 6, async (i) => {
        using client = await RawClient.greeted(port, {
          windowBytes: i % 2 ? MAX_WINDOW_BYTES : 0,
        });
        await client.send(said);
        if (i < 2) await client.answersPing();
        else if (i < 4) await client.send(ping()).then(() => client.abort());
        else await client.finish();
      });
      await until(held, isNothing);
      assert.deepEqual(await held(), NOTHING);
    });
  }
  await test.step("random conversations", async () => {
    console.log(`rude: random conversations from --seed ${SEED}`);
    for (let round = 0; round < scaled(ROUNDS); round++) {
      const seed = SEED + CLIENTS * round;
      await eachOf(
        CLIENTS,
        CLIENTS,
        (i) => converse(port, randomFrom(seed + i)),
      );
      await until(held, isNothing);
    }
    assert.deepEqual(await held(), NOTHING);
  });
  await listener.close(1_000);
  await engine.close();
});
