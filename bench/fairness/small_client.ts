/**
 * Hits of 1 KiB and heartbeats, one after the other, in a process of its own:
 * `small_client.ts ADDRESS`. A line in asks for the times since the last, a
 * line out tells.
 *
 * @module
 */

import { call, GET, get, HEARTBEAT } from "../../tests/rude/messages.ts";
import { idRequest, SET, setRequest } from "../../tests/rude/messages.ts";
import { getRequest } from "../../tests/rude/messages.ts";
import { LeanConnection, OPENING } from "../../tests/soak/lean_connection.ts";
import { idAndPath } from "../../tests/soak/polite_kinds.ts";
import { NS } from "../../tests/soak/site.ts";
import { answerLines } from "../../tests/support/reporting_child.ts";

const VALUE_BYTES = 1_024;
const KEY = "fairness small";
/** Before each call: this client is to notice load, and to be none. Without a
 * pause the second call would profit from the first one's having waited. */
const PAUSE_MS = 1;

const [address] = Deno.args as [string];
const port = Number(address.slice(address.lastIndexOf(":") + 1));

let hitsMs: number[] = [];
let heartbeatsMs: number[] = [];

using connection = await LeanConnection.open(port, Infinity);
await connection.write(OPENING);
let stream = -1;

/** A call on the one connection. */
async function calls(path: string, content: Uint8Array) {
  connection.beginCall();
  await connection.write(call(stream += 2, path, content));
  const answer = await connection.answer();
  if (answer.how !== "answered" || answer.dataBytes === 0) {
    throw new Error(`${path}: ${answer.how} with ${answer.dataBytes} bytes`);
  }
  return answer;
}

async function assigned(key: string): Promise<bigint> {
  return idAndPath("Get", await calls(GET, getRequest(NS, key, true))).id;
}

async function timed(times: number[], run: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const startMs = performance.now();
  await run();
  times.push(performance.now() - startMs);
}

async function hit(): Promise<void> {
  connection.beginCall();
  await connection.write(get(stream += 2, NS, KEY));
  const { how, dataBytes } = await connection.answer();
  if (how !== "answered" || dataBytes <= VALUE_BYTES) {
    throw new Error(`hit: ${how} with ${dataBytes} bytes`);
  }
}

async function run(id: bigint): Promise<void> {
  const heartbeat = idRequest(id);
  for (;;) {
    await timed(hitsMs, hit);
    await timed(heartbeatsMs, async () => {
      await calls(HEARTBEAT, heartbeat);
    });
  }
}

function figures(times: readonly number[]): object {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  return {
    calls: sorted.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

function report(): object {
  const seen = { hit: figures(hitsMs), heartbeat: figures(heartbeatsMs) };
  [hitsMs, heartbeatsMs] = [[], []];
  return seen;
}

await calls(SET, setRequest(await assigned(KEY), new Uint8Array(VALUE_BYTES)));
const work = await assigned("fairness work");
await Promise.all([answerLines(report), run(work)]);
