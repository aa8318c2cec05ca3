/** Calls that stay open for long: those that wait, and those nobody reads. */

import assert from "node:assert/strict";
import { reset } from "../../src/http2/testing/frame_bytes.ts";
import { RawClient } from "../support/raw_client.ts";
import { within } from "../support/waiting.ts";
import { CacheClient, drained, first } from "../v1/client.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import { fetch } from "./cache_messages.ts";
import {
  calls,
  type Crowd,
  crowd,
  honest,
  untilQuiet,
  untilUsage,
} from "./crowds.ts";
import { call, GET, getRequest } from "./messages.ts";

/** 5,120 calls: more than may be open before connections get a share. */
const CONNECTIONS = 20;
const KEY_BYTES = 60_000;
/** That of an entry. */
const LONG_KEY = "k".repeat(KEY_BYTES);
/** Longer than any of these tests: nobody gets work because a lease ended. */
const FLAGS = ["--heartbeat-timeout", "10m"];
/** A waiter that is to be woken is, within this. */
const WOKEN_MS = 5_000;

/** Many wait for work that is under way; they go, and it goes to who is left. */
function waiters(name: string, then?: Crowd["then"]): RudeCase {
  return {
    name,
    async run(arena) {
      const id = await arena.assigned(name);
      using client = new CacheClient(arena.local);
      const sends = () =>
        calls((stream) => fetch(stream, name, { assign: true, wait: true }));
      let left: ReturnType<typeof first> | undefined;
      await crowd(
        arena,
        { connections: CONNECTIONS, sends, ...then && { then } },
        async () => {
          await untilUsage(arena, ({ waiting }) => Number(waiting) > 1_000);
          left = first(client.fetch(NS, name));
          assert.equal((await left).reply.reply, "waiting");
        },
      );
      await untilUsage(arena, ({ waiting }) => waiting === "1");
      await client.call("Abandon", { id: String(id) });
      const { last } = await within(
        drained((await left!).rest),
        name,
        WOKEN_MS,
      );
      await client.publish(last.assigned!.id, [new Uint8Array(1)]);
    },
  };
}

/** The first of those who wait is assigned, and goes before that has left. */
function assignedAndGone(
  name: string,
  leave: (client: RawClient) => unknown,
): RudeCase {
  return {
    name,
    async run({ port, remote }) {
      using honest = new CacheClient(remote);
      for (let i = 0; i < 20; i++) {
        const key = `${name} ${i}`;
        const { id } = await honest.assigned(NS, key);
        using gone = await RawClient.greeted(port, { windowBytes: 0 });
        await gone.send(fetch(1, key, { assign: true, wait: true }));
        assert.ok(await gone.answersPing());
        const next = await first(honest.fetch(NS, key));
        await honest.call("Abandon", { id });
        leave(gone);
        const { last } = await within(drained(next.rest), key, WOKEN_MS);
        await honest.call("Abandon", { id: last.assigned!.id });
      }
    },
  };
}

/** Replies of a few bytes that never leave: each call stays for 20 s. */
function stuck(
  name: string,
  { connections = CONNECTIONS, sends }: Pick<Crowd, "sends"> & Partial<Crowd>,
): RudeCase {
  return {
    name,
    run: (arena) =>
      crowd(arena, { connections, windowBytes: 0, sends }, () => honest(arena)),
  };
}

async function publishesSmall({ remote }: Arena): Promise<void> {
  using client = new CacheClient(remote);
  await client.put(NS, "small", new Uint8Array(1_000));
  await client.put(NS, LONG_KEY, new Uint8Array(100));
}

const cases: RudeCase[] = [
  waiters("20 x 256 Fetches that wait, the connections killed"),
  waiters(
    "20 x 256 Fetches that wait, each reset",
    (client) => client.send(calls((stream) => reset(stream))),
  ),
  waiters(
    "20 x 256 Fetches that wait, the connections half closed",
    (client) => client.finish(),
  ),
  assignedAndGone(
    "who is assigned and killed at once takes nothing",
    (client) => client[Symbol.dispose](),
  ),
  assignedAndGone(
    "who is assigned and resets the call at once takes nothing",
    (client) => client.send(reset(1)),
  ),
  {
    name: "40 x 100 Fetches that wait with keys of 60,000 bytes",
    run: (arena) =>
      crowd(arena, {
        connections: 40,
        sends: () =>
          calls(
            (stream) =>
              fetch(stream, "w".repeat(KEY_BYTES), {
                assign: true,
                wait: true,
              }),
            100,
          ),
      }, () => honest(arena)),
  },
  {
    name: "holders change 100 times before 2,500 who do not read of it",
    async run(arena) {
      const key = "changing";
      using client = new CacheClient(arena.remote);
      let { id } = await client.assigned(NS, key);
      await crowd(arena, {
        connections: 10,
        windowBytes: 0,
        sends: () => calls((stream) => fetch(stream, key, { wait: true }), 250),
      }, async () => {
        await untilUsage(arena, ({ waiting }) => waiting === "2500");
        for (let i = 0; i < 100; i++) {
          const next = await first(client.fetch(NS, key));
          await client.call("Abandon", { id });
          id = (await drained(next.rest)).last.assigned!.id;
        }
      });
    },
  },
  { name: "small values are published", run: publishesSmall },
  // With 300 it is 1.3 GB where calls are not counted.
  stuck("100 x 256 Fetches of 1,000 bytes, windows of 0", {
    connections: 100,
    sends: () => calls((stream) => fetch(stream, "small")),
  }),
  stuck("20 x 256 Gets of 1,000 bytes, windows of 0", {
    sends: () => calls((stream) => call(stream, GET, getRequest(NS, "small"))),
  }),
  stuck("30 x 130 Gets with keys of 60,000 bytes, windows of 0", {
    connections: 30,
    sends: () =>
      calls((stream) => call(stream, GET, getRequest(NS, LONG_KEY)), 130),
  }),
  {
    name: "an honest client after all of them",
    async run(arena) {
      await honest(arena);
      await untilQuiet(arena);
    },
  },
];

rudeTest("calls that stay open are bounded", cases, FLAGS);
