/**
 * Many clients at once, with a connection for each call, as the original's
 * crate makes them: it waits for a second and tries nothing again.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { goaway } from "../../src/http2/testing/frame_bytes.ts";
import {
  call,
  GET,
  getRequest,
  HEARTBEAT,
  idRequest,
  SET,
  setRequest,
} from "../rude/messages.ts";
import { RemoteClient } from "../support/clients.ts";
import { RawClient } from "../support/raw_client.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";

const NS = "tests.burst";
const CALLS = 450;
const BURSTS = 2;
const VALUE = new Uint8Array(1024).fill(7);
/** What the crate gives a call; not asserted, for machines may be busy. */
const CRATE_LIMIT_MS = 1_000;

/** A process that never rests. */
function busyCore(): Disposable {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "for (;;);"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return { [Symbol.dispose]: () => child.kill("SIGKILL") };
}

/** Connects, calls, says goodbye: how the call ended, and after how long. */
async function oneShot(
  port: number,
  sends: Uint8Array,
): Promise<{ how: string; ms: number }> {
  const beganMs = performance.now();
  try {
    using client = await RawClient.open(port);
    await client.send(sends);
    const { how, fields } = await client.outcome(1);
    await client.send(goaway());
    const status = fields.get("grpc-status");
    return {
      how: how === "answered" && status === "0" ? "OK" : `${how} ${status}`,
      ms: performance.now() - beganMs,
    };
  } catch (error) {
    return { how: String(error), ms: performance.now() - beganMs };
  }
}

/** One of four: a hit, a miss, a heartbeat or a Set, each of keys of its own. */
function oneCall(burst: number, at: number, ids: readonly string[]) {
  const key = `${burst} ${at}`;
  const id = BigInt(ids[at] ?? 0);
  switch (at % 4) {
    case 0:
      return call(1, GET, getRequest(NS, "there", true));
    case 1:
      return call(1, GET, getRequest(NS, `new ${key}`, true));
    case 2:
      return call(1, HEARTBEAT, idRequest(id));
    default:
      return call(1, SET, setRequest(id, VALUE));
  }
}

Deno.test(`a burst of ${CALLS} calls, a connection each, is served whole beside a busy core`, () =>
  withRoot(async (root) => {
    // Leases that a busy machine does not let end.
    const args = ["--heartbeat-interval", "10s", "--heartbeat-timeout", "10m"];
    await using server = await ServerProcess.start(root, { args });
    const port = Number(server.remote.split(":").at(-1));
    using client = new RemoteClient(server.remote);
    await client.set((await client.assigned(NS, "there")).id, VALUE);
    using _busy = busyCore();
    for (let burst = 0; burst < BURSTS; burst++) {
      const ids: string[] = [];
      for (let at = 0; at < CALLS; at++) {
        const { id } = await client.assigned(NS, `${burst} ${at}`);
        ids.push(id);
      }
      const ends = await Promise.all(
        ids.map((_, at) => oneShot(port, oneCall(burst, at, ids))),
      );
      const failed = ends.filter(({ how }) => how !== "OK");
      assert.deepEqual(failed, [], `${failed.length} of ${CALLS} failed`);
      const slowest = Math.max(...ends.map(({ ms }) => ms));
      const late = ends.filter(({ ms }) => ms > CRATE_LIMIT_MS).length;
      console.log(
        `burst ${burst + 1}: the slowest of ${CALLS} calls took ` +
          `${Math.round(slowest)} ms, ${late} more than a second`,
      );
    }
    // The Sets were kept, and the work that was given out is still held.
    const reply = await client.get(NS, "0 3");
    assert.deepEqual(reply.ready, Buffer.from(VALUE));
    assert.equal((await client.get(NS, "0 1")).entryStatus, "loading");
  }));
