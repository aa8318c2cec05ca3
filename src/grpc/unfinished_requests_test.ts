import assert from "node:assert/strict";
import fc from "fast-check";
import { REQUEST_OVERHEAD_BYTES } from "./limits.ts";
import type { CountedClient } from "./open_calls.ts";
import {
  type UnfinishedRequest,
  UnfinishedRequests,
} from "./unfinished_requests.ts";

interface Named extends UnfinishedRequest {
  readonly name: string;
}

function setUp(maxRequests: number, maxBytes = Infinity) {
  const refused: string[] = [];
  let told = 0;
  const list = new UnfinishedRequests({
    maxRequests,
    maxBytes,
    onRefused: () => told++,
  });
  const request = (
    name: string,
    client: CountedClient = { openCalls: 1, unfinished: 0 },
  ): Named => ({
    name,
    client,
    unfinishedBytes: 0,
    stiller: undefined,
    livelier: undefined,
    refuse: () => void refused.push(name),
  });
  return { list, refused, request, told: () => told };
}

Deno.test("whoever has been still for longest goes first", () => {
  const { list, refused, request, told } = setUp(3);
  const [a, b, c] = ["a", "b", "c"].map((name) => request(name));
  for (const one of [a!, b!, c!]) list.add(one);
  list.arrived(a!, 10);
  list.add(request("d"));
  assert.deepEqual(refused, ["b"]);
  list.add(request("e"));
  assert.deepEqual(refused, ["b", "c"]);
  assert.equal(told(), 2);
  assert.equal(list.size, 3);
});

Deno.test("bytes are bounded, too, and what a handler has taken counts no more", () => {
  const { list, refused, request } = setUp(
    10,
    3 * REQUEST_OVERHEAD_BYTES + 100,
  );
  const [a, b] = ["a", "b"].map((name) => request(name));
  list.add(a!);
  list.arrived(a!, 90);
  list.taken(a!, 90);
  list.add(b!, 90);
  list.add(request("c"));
  assert.deepEqual(refused, []);
  list.arrived(b!, 11);
  assert.deepEqual(refused, ["a"]);
});

Deno.test("a connection with more than a few loses them together, others lose nothing", () => {
  const { list, refused, request } = setUp(20);
  const client = { openCalls: 20, unfinished: 0 };
  list.add(request("other"));
  const other = request("moves");
  list.add(other);
  for (let name = 0; name < 17; name++) list.add(request(`${name}`, client));
  list.arrived(other, 1);
  list.add(request("x"));
  list.add(request("y"));
  assert.deepEqual(refused, ["other"], "it was the stillest");
  list.add(request("z"));
  assert.equal(refused.length, 18);
  assert.equal(client.unfinished, 0);
  assert.equal(list.size, 4);
});

Deno.test("a refusal that ends another request leaves out none behind it", () => {
  const { list, refused, request } = setUp(17);
  const client = { openCalls: 18, unfinished: 0 };
  const ended = request("ended", client);
  list.add({
    ...request("ends one", client),
    refuse() {
      refused.push("ends one");
      list.remove(ended);
    },
  });
  list.add(ended);
  for (let name = 2; name < 18; name++) list.add(request(`${name}`, client));
  assert.equal(list.size, 0);
  assert.equal(refused.length, 17);
  assert.ok(!refused.includes("ended"));
});

Deno.test("any order of steps keeps count", () => {
  const step = fc.tuple(
    fc.nat({ max: 3 }),
    fc.nat({ max: 5 }),
    fc.nat({ max: 90 }),
  );
  fc.assert(fc.property(fc.array(step), (steps) => {
    const { list, request } = setUp(4, 2_000);
    const clients = [0, 1].map(() => ({ openCalls: 1, unfinished: 0 }));
    const all = Array.from(
      { length: 6 },
      (_, name) => request(`${name}`, clients[name % 2]!),
    );
    for (const [kind, which, bytes] of steps) {
      const one = all[which]!;
      if (kind === 0 && one.unfinishedBytes === 0) list.add(one, bytes);
      else if (kind === 1) list.arrived(one, bytes);
      else if (kind === 2) list.remove(one);
      else list.taken(one, Math.min(bytes, one.unfinishedBytes - 256));
      const there = all.filter(({ unfinishedBytes }) => unfinishedBytes > 0);
      assert.equal(list.size, there.length);
      assert.equal(
        list.bytes,
        there.reduce((sum, { unfinishedBytes }) => sum + unfinishedBytes, 0),
      );
      assert.equal(clients[0]!.unfinished + clients[1]!.unfinished, list.size);
      assert.ok(list.size <= 4 && list.bytes <= 2_000);
    }
    for (const one of all) list.remove(one);
    assert.deepEqual([list.size, list.bytes], [0, 0]);
  }));
});
