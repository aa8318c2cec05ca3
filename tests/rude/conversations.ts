/**
 * Random conversations of right calls: whole and half ones, with deadlines,
 * cancelled in the middle, read slowly or never, until the client goes.
 *
 * @module
 */

import {
  data,
  goaway,
  headers,
  ping,
  reset,
  windowUpdate,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { NS } from "./arena.ts";
import {
  call,
  callFields,
  GET,
  getRequest,
  message,
  SET,
  setRequest,
} from "./messages.ts";

const KIB = 1024;
/** What one client does before it goes. */
const MOST_STEPS = 30;

/** Below a number. */
type Below = (limit: number) => number;

function timeout(below: Below): [string, string][] {
  return [[], [["grpc-timeout", "1H"]], [["grpc-timeout", "5m"]]][
    below(3)
  ] as [string, string][];
}

/** What comes next; `open` are the streams that have not been ended. */
function step(below: Below, stream: number, open: number[]): Uint8Array {
  const old = open[below(open.length)] ?? stream;
  const key = below(2) === 0 ? "value" : `key ${below(5)}`;
  switch (below(8)) {
    case 0:
    case 1:
      return call(
        stream,
        GET,
        getRequest(NS, key, below(2) === 0),
        timeout(below),
      );
    case 2:
      return call(
        stream,
        SET,
        setRequest(BigInt(1 + below(9)), new Uint8Array(below(50 * KIB))),
        timeout(below),
      );
    case 3:
      open.push(stream);
      return join(
        headers(stream, callFields(SET, timeout(below))),
        data(
          stream,
          message(new Uint8Array(below(60 * KIB)), {
            announcedBytes: below(2) === 0 ? 64 * KIB : 20 * KIB * KIB,
          }),
        ),
      );
    case 4:
      open.push(stream);
      return headers(stream, callFields(GET));
    case 5:
      if (open.includes(old)) open.splice(open.indexOf(old), 1);
      else return ping();
      return reset(old, below(9));
    case 6:
      return windowUpdate(0, 1 + below(64 * KIB));
    default:
      return ping();
  }
}

/** Has one conversation, and leaves in one way or another. */
export async function converse(
  port: number,
  random: () => number,
): Promise<void> {
  const below: Below = (limit) => Math.floor(random() * limit);
  const windowBytes = [0, 1_000, 64 * KIB, 2 ** 31 - 1][below(4)]!;
  using client = await RawClient.greeted(port, { windowBytes });
  const open: number[] = [];
  const steps = below(MOST_STEPS);
  for (let at = 0; at < steps; at++) {
    if (!await client.send(step(below, 2 * at + 1, open))) return;
    if (below(6) === 0 && !await client.answersPing()) return;
  }
  switch (below(5)) {
    case 0:
      // Something to leave unread.
      await client.send(ping());
      return await client.abort();
    case 1:
      return await client.finish();
    case 2:
      return void await client.send(goaway(below(3)));
    case 3:
      await client.send(goaway());
      return await client.finish();
  }
}
