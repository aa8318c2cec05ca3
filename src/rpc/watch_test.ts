import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { fillsOf } from "../engine/fills.ts";
import { Known } from "../engine/known.ts";
import { Lately } from "../engine/lately.ts";
import { type Picture, Pictures } from "../engine/pictures.ts";
import { StatusError } from "../grpc/status.ts";
import { MAX_SHOWN_NAMESPACES, MAX_WATCHES } from "../limits.ts";
import { Readiness } from "./readiness.ts";
import { FakeCall } from "./testing/fake_call.ts";
import { watch } from "./watch.ts";

const COUNTS = {
  ...{ loading: 0, publishing: 0, handles: 0, waits: 0, waiting: 0 },
  ...{ entries: 0, hits: 0, misses: 0, savedMs: 0 },
};

/** A server whose pictures count how many of them were made. */
function scene() {
  const clock = new FakeClock();
  const readiness = new Readiness();
  readiness.enter("ready");
  let made = 0;
  const namespaces = Array.from({ length: 100 }, (_, at) => ({
    namespace: `n${at}`,
    entries: 1,
    bytes: 7 * at % 100,
  }));
  const pictures = new Pictures({
    catalog: {
      status: () =>
        Promise.resolve({
          upMs: ++made,
          kept: { bytes: 1, entries: 1 },
          limits: {},
          counts: COUNTS,
          evicted: { bytes: 0, entries: 0 },
          damaged: 0,
          underWay: [],
        }),
    },
    usage: new Known(() => Promise.resolve(namespaces), clock),
    lately: new Lately(clock),
    fills: (status) =>
      fillsOf({ ...status, space: undefined, quotas: [], others: [] }),
    phase: () => readiness.phase,
    version: "1",
    clock,
  });
  const handler = watch({ pictures, readiness, clock });
  /** One who watches; each picture is read when the test says so. */
  function watcher(intervalMs = 1_000) {
    const call = new FakeCall();
    const sent: { picture: Picture; read: (isRead: boolean) => void }[] = [];
    const done = Promise.resolve(handler({ intervalMs }, call, {
      send: (picture) =>
        new Promise((read) => void sent.push({ picture, read })),
    }));
    done.catch(() => {});
    call.whenEnded(() => sent.forEach(({ read }) => read(false)));
    return { call, sent, done };
  }
  return { clock, readiness, pictures, watcher, made: () => made };
}

/** Lets all go on that can. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("Watch sends a picture at once, and then one in each interval", async () => {
  const { clock, watcher } = scene();
  const { sent } = watcher();
  for (const count of [1, 2, 3]) {
    await settled();
    assert.equal(sent.length, count);
    sent.at(-1)!.read(true);
    await settled();
    assert.equal(sent.length, count);
    clock.advance(1_000);
  }
});

Deno.test("who reads nothing misses pictures, and none are made for him", async () => {
  const { clock, watcher, made } = scene();
  const { sent } = watcher();
  await settled();
  clock.advance(60_000);
  await settled();
  assert.equal(sent.length, 1);
  assert.equal(made(), 1);
  sent[0]!.read(true);
  await settled();
  assert.equal(sent.length, 2);
  assert.equal(sent[1]!.picture.status.upMs, 2);
});

Deno.test("those who watch at the same time are sent the same picture", async () => {
  const { watcher, made } = scene();
  const [one, other] = [watcher(), watcher()];
  await settled();
  assert.equal(one.sent[0]!.picture, other.sent[0]!.picture);
  assert.equal(made(), 1);
});

Deno.test("a stop is told at once, and its end ends the call", async () => {
  const { readiness, watcher } = scene();
  const { sent, done } = watcher(60_000);
  await settled();
  sent[0]!.read(true);
  await settled();
  readiness.enter("draining");
  await settled();
  assert.equal(sent[1]!.picture.phase, "draining");
  sent[1]!.read(true);
  await settled();
  readiness.enter("stopped");
  await assert.rejects(done, /UNAVAILABLE|has stopped/);
  assert.equal(readiness.watchers, 1);
});

Deno.test("no more watch than may, and who goes makes place", async () => {
  const { pictures, readiness, watcher } = scene();
  const watchers = Array.from({ length: MAX_WATCHES }, () => watcher());
  await settled();
  assert.equal(pictures.watches, MAX_WATCHES);
  await assert.rejects(watcher().done, StatusError);
  watchers[0]!.call.end(false);
  await watchers[0]!.done;
  assert.equal(pictures.watches, MAX_WATCHES - 1);
  assert.equal(readiness.watchers, MAX_WATCHES - 1);
  const next = watcher();
  await settled();
  assert.equal(next.sent.length, 1);
});

Deno.test("Watch refuses an interval that nobody can look at", async () => {
  const { watcher } = scene();
  await assert.rejects(watcher(249).done, /interval_ms is 250 to 60000/);
  await assert.rejects(watcher(60_001).done, StatusError);
});

Deno.test("a picture names the namespaces that take most", async () => {
  const { pictures } = scene();
  const { namespaces, namespaceCount } = await pictures.current();
  assert.equal(namespaceCount, 100);
  assert.equal(namespaces.length, MAX_SHOWN_NAMESPACES);
  assert.deepEqual(
    namespaces.map(({ bytes }) => bytes),
    Array.from({ length: MAX_SHOWN_NAMESPACES }, (_, at) => 99 - at),
  );
});
