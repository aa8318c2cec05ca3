/**
 * A server, in bytes, that only ever leaves: it takes calls, then says GOAWAY
 * in one of many ways, and goes.
 *
 * @module
 */

import {
  FLAG,
  frame,
  goaway,
  HEADER_BYTES,
  headers,
  PREFACE,
  reset,
  settings,
  SETTINGS_ACK,
  TYPE,
} from "../rude/frames.ts";
import { join } from "../rude/octets.ts";

const MAX_STREAM = 2 ** 31 - 1;
const SILENCE_MS = 20;

/** How it leaves, from the streams that are open. */
const FAREWELLS: readonly ((open: number[]) => Uint8Array[])[] = [
  // All calls at once.
  () => [goaway(0, 0)],
  // Some of them, then the rest.
  (open) => [goaway(0, middle(open)), goaway(0, 0)],
  // Politely, in one packet with replies.
  (open) => [
    join(
      goaway(0, MAX_STREAM),
      ...open.slice(0, 5).map(refusal),
      goaway(0, middle(open)),
    ),
  ],
  // With resets before and after.
  (open) => [
    join(...open.slice(0, 5).map((id) => reset(id)), goaway(2, middle(open))),
    join(...open.slice(5).map((id) => reset(id)), goaway(2, 0)),
  ],
  // In pieces that are no frames.
  (open) => halves(join(goaway(0, middle(open)), ...open.map(refusal))),
  // Without a word.
  () => [],
];

/** Such a server. */
export class LeavingServer implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #connections: Promise<void>;
  /** Connections that it has left. */
  left = 0;

  /** Listens on a free port. */
  constructor() {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#connections = this.#accept();
  }

  /** Where it listens. */
  get address(): string {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return `127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#connections;
  }

  async #accept(): Promise<void> {
    const open: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) {
        open.push(this.#leave(connection).catch(() => {}));
      }
    } catch {
      // The listener was closed.
    }
    await Promise.all(open);
  }

  async #leave(connection: Deno.TcpConn): Promise<void> {
    using _closed = connection;
    const turn = this.left++;
    await connection.write(settings());
    const streams = await openStreams(connection, 5 + turn % 30);
    const farewell = FAREWELLS[turn % FAREWELLS.length]!;
    for (const packet of farewell(streams)) {
      await connection.write(packet);
      if (turn % 2 === 0) await pause(1);
    }
    if (turn % 3 > 0) await pause(SILENCE_MS);
  }
}

/** Waits until a connection has so many streams; their ids. */
async function openStreams(
  connection: Deno.TcpConn,
  count: number,
): Promise<number[]> {
  const streams: number[] = [];
  const buffer = new Uint8Array(65_536);
  let rest: Uint8Array = new Uint8Array();
  let skip = PREFACE.length;
  while (streams.length < count) {
    const read = await connection.read(buffer);
    if (read === null) break;
    rest = join(rest, buffer.subarray(0, read));
    if (rest.length < skip) continue;
    rest = rest.subarray(skip);
    skip = 0;
    while (rest.length >= HEADER_BYTES) {
      const view = new DataView(rest.buffer, rest.byteOffset);
      const end = HEADER_BYTES + (view.getUint32(0) >> 8);
      if (rest.length < end) break;
      const [type, flags] = [view.getUint8(3), view.getUint8(4)];
      if (type === TYPE.HEADERS) streams.push(view.getUint32(5));
      if (type === TYPE.SETTINGS && flags === 0) {
        await connection.write(SETTINGS_ACK);
      }
      rest = rest.subarray(end);
    }
  }
  return streams;
}

/** A reply that is only trailers. */
function refusal(stream: number): Uint8Array {
  const fields = [[":status", "200"], ["grpc-status", "14"]] as const;
  return headers(stream, fields, FLAG.END_HEADERS | FLAG.END_STREAM);
}

function middle(open: readonly number[]): number {
  return open[open.length >> 1] ?? 0;
}

function halves(packet: Uint8Array): Uint8Array[] {
  const half = packet.length >> 1;
  return [packet.subarray(0, half), packet.subarray(half)];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
