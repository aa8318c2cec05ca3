/** Publish in every way that it is not meant. */

import assert from "node:assert/strict";
import { Flag } from "../../src/http2/frames.ts";
import { INITIAL_WINDOW_BYTES } from "../../src/http2/limits.ts";
import {
  data,
  goaway,
  headers,
  reset,
} from "../../src/http2/testing/frame_bytes.ts";
import { join, repeat } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { CacheClient } from "../v1/client.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import { begin, cachePath, chunk, endOf, publish } from "./cache_messages.ts";
import { calls, crowd, honest, untilQuiet } from "./crowds.ts";
import { call, callFields, HEARTBEAT, idRequest, message } from "./messages.ts";
import { endingOf } from "./odd_calls.ts";
import { oddPublishes } from "./odd_publishes.ts";
import { scaled } from "./scale.ts";

const MIB = 1024 * 1024;
/** No answer comes until the lease would have ended, were it short. */
const FLAGS = ["--heartbeat-timeout", "10m"];
/** 15,000 bytes of messages of 5 bytes, or of 8 with a byte of a value each. */
const EMPTY_MESSAGES = repeat(message(new Uint8Array()), 3_000);
const EMPTY_PIECES = repeat(chunk(new Uint8Array()), 2_000);
const BYTES = repeat(chunk(new Uint8Array(1)), 1_800);
/** Values that never end. */
const ENDLESS = scaled(40);
/** What goes out before the server's larger windows are known. */
const SENT = new Uint8Array(INITIAL_WINDOW_BYTES - 1_000);

/** Every odd Publish on both listeners; after each the id is good. */
const odd: RudeCase = {
  name: "odd Publishes end as they deserve, and leave the work",
  async run(arena) {
    for (const [port, address] of listeners(arena)) {
      using client = new CacheClient(address);
      const { id } = await client.assigned(NS, `odd ${port}`);
      const takesPaths = port === arena.localPort;
      const all = oddPublishes(BigInt(id), { takesPaths });
      await eachOf(all.length, 4, async (i) => {
        const { name, sent, ending } = all[i]!;
        using raw = await RawClient.greeted(port);
        await raw.send(sent);
        const outcome = await raw.outcome(1);
        const message = outcome.fields.get("grpc-message");
        assert.equal(endingOf(outcome), ending, `${name}: ${message}`);
      });
      await client.publish(id, [new Uint8Array(3)]);
    }
  },
};

function listeners(
  { port, localPort, remote, local }: Arena,
): (readonly [number, string])[] {
  return [[port, remote], [localPort, local]];
}

/** 2,048 requests of 16 KiB that hold as many messages as they can. */
function packed(
  name: string,
  one: (stream: number, id: bigint) => Uint8Array,
): RudeCase {
  return {
    name,
    async run(arena) {
      const id = await arena.assigned(name);
      const sends = () => calls((stream) => one(stream, id));
      await crowd(arena, { connections: 8, sends }, () => honest(arena));
      await untilQuiet(arena);
    },
  };
}

/** Publishes that are begun and broken off, at every moment of their life. */
const MOMENTS: Record<string, (stream: number, id: bigint) => Uint8Array> = {
  "HEADERS": (stream) => publish(stream, []),
  "Begin": (stream, id) => publish(stream, [begin(id)]),
  "half a Begin": (stream, id) => publish(stream, [begin(id).subarray(0, 7)]),
  "a piece": (stream, id) => publish(stream, [begin(id), chunk(SENT)]),
  "half a piece": (stream, id) =>
    publish(stream, [begin(id), chunk(SENT).subarray(0, SENT.length / 2)]),
  "End": (stream, id) => publish(stream, [begin(id), chunk(SENT), endOf(SENT)]),
  "64 MiB announced": (stream, id) =>
    publish(stream, [
      begin(id),
      message(SENT, { announcedBytes: 64 * MIB }),
    ]),
};

function brokenOff(
  how: string,
  leave: (client: RawClient) => unknown,
): RudeCase {
  return {
    name: `20 x Publish, broken off after each of its parts, by ${how}`,
    async run(arena) {
      for (const [moment, sent] of Object.entries(MOMENTS)) {
        const id = await arena.assigned(`${how} ${moment}`);
        await eachOf(20, 20, async () => {
          // What the server says is unread: a close is a reset.
          using client = await RawClient.open(arena.port);
          await client.send(sent(1, id));
          await leave(client);
        });
        using client = new CacheClient(arena.remote);
        await client.publish(String(id), [new Uint8Array(3)]);
      }
      await untilQuiet(arena);
    },
  };
}

/** Sends a value that never ends, as fast as the server takes it, for a while. */
async function endless(arena: Arena, id: string): Promise<void> {
  using client = new CacheClient(arena.remote);
  const kill = new AbortController();
  const piece = new Uint8Array(MIB);
  async function* parts() {
    yield { begin: { id } };
    for (let sent = 0; !kill.signal.aborted; sent++) {
      yield { chunk: piece };
      if (sent === 4) kill.abort();
    }
  }
  await client.publishParts(parts(), { signal: kill.signal }).catch(() => {});
}

const cases: RudeCase[] = [
  odd,
  packed(
    "2,048 Publishes of 3,000 messages of nothing",
    (stream, id) => publish(stream, [begin(id), EMPTY_MESSAGES]),
  ),
  packed(
    "2,048 Publishes of 2,000 empty pieces",
    (stream, id) => publish(stream, [begin(id), EMPTY_PIECES]),
  ),
  packed(
    "2,048 Publishes of 1,800 pieces of a byte",
    (stream, id) => publish(stream, [begin(id), BYTES]),
  ),
  packed(
    "2,048 Heartbeats of 3,000 messages",
    (stream) =>
      join(
        headers(stream, callFields(HEARTBEAT)),
        data(stream, EMPTY_MESSAGES),
      ),
  ),
  packed(
    "2,048 Sweeps of 3,000 messages",
    (stream) =>
      join(
        headers(stream, callFields(cachePath("Sweep"))),
        data(stream, EMPTY_MESSAGES),
      ),
  ),
  packed(
    "2,048 Publishes that are begun and no more",
    (stream, id) => publish(stream, [begin(id)]),
  ),
  brokenOff("RST_STREAM", (client) => client.send(reset(1))),
  brokenOff("GOAWAY", (client) => client.send(goaway())),
  brokenOff("a reset connection", (client) => client.abort()),
  brokenOff("the end of the connection", (client) => client.finish()),
  {
    name: `${ENDLESS} endless Publishes, cancelled after some MiB each`,
    async run(arena) {
      const id = await arena.assigned("endless");
      await eachOf(ENDLESS, 20, () => endless(arena, String(id)));
      await untilQuiet(arena);
      using client = new CacheClient(arena.remote);
      await client.publish(String(id), [new Uint8Array(3)]);
    },
  },
  {
    name: "two Publishes of one id at once: readers see one of them",
    async run({ remote }) {
      using client = new CacheClient(remote);
      for (let i = 0; i < 20; i++) {
        const { id } = await client.assigned(NS, `both ${i}`);
        const values = [1, 2].map((fill) => new Uint8Array(MIB).fill(fill));
        const [one, other] = await Promise.all(
          values.map((value) => client.publish(id, [value])),
        );
        const { bytes } = await client.fetched(NS, `both ${i}`);
        assert.ok(values.some((value) => bytes[0] === value[0]));
        assert.equal(new Set(bytes).size, 1);
        assert.deepEqual(one!.sha256, other!.sha256);
      }
    },
  },
  {
    name: "who was superseded publishes nothing",
    async run(arena) {
      using client = new CacheClient(arena.remote);
      const { id } = await client.assigned(NS, "superseded");
      using raw = await RawClient.greeted(arena.port);
      await raw.send(publish(1, [begin(BigInt(id)), chunk(SENT)]));
      await client.call("Abandon", { id });
      const next = await client.assigned(NS, "superseded");
      const rest = new Uint8Array(1);
      const end = endOf(join(SENT, rest));
      await raw.send(data(1, join(chunk(rest), end), Flag.END_STREAM));
      assert.equal(endingOf(await raw.outcome(1)), "grpc 3");
      await raw.send(call(3, HEARTBEAT, idRequest(BigInt(next.id))));
      assert.equal(endingOf(await raw.outcome(3)), "grpc 0");
      await client.publish(next.id, [new Uint8Array(3)]);
    },
  },
  {
    name: "an honest client after all of them",
    async run(arena) {
      await honest(arena);
      await untilQuiet(arena);
    },
  },
];

rudeTest("Publishes that are none are bounded", cases, FLAGS);
