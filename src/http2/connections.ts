/**
 * All connections of a process, whichever listener they came by: their number,
 * their buffers, and the limits of time.
 *
 * @module
 */

import { BufferPool } from "./buffers.ts";
import type { ByteStream } from "./byte_stream.ts";
import {
  DISMISSAL_SHARE,
  FLUSHES_PER_TURN,
  KEPT_LARGE_BUFFERS,
  KEPT_SMALL_BUFFERS,
  MAX_LARGE_BUFFERS,
  PING_ANSWER_MS,
  READ_BYTES,
  SMALL_WRITE_BYTES,
  SWEEP_INTERVAL_MS,
  WRITE_BYTES,
} from "./limits.ts";
import { FairTurns } from "./fair_turns.ts";
import {
  type ConnectionState,
  ServedConnection,
  type Surroundings,
} from "./served_connection.ts";
import {
  type ResolvedOptions,
  resolveOptions,
  type SharedOptions,
} from "./shared_limits.ts";
import type { RequestHandler } from "./stream_api.ts";
import { Gathered } from "./turns.ts";

const LARGE = { most: MAX_LARGE_BUFFERS, keep: KEPT_LARGE_BUFFERS };
const SMALL = { most: Infinity, keep: KEPT_SMALL_BUFFERS };

/** The open connections. */
export class Connections {
  readonly #options: ResolvedOptions;
  readonly #around: Surroundings;
  /** With when each was looked at last for whether it is idle, oldest first. */
  readonly #open = new Map<ServedConnection, number>();
  /** Those that have answers to PING, which leave with the next reply or soon. */
  #answering = new Set<ServedConnection>();
  #answerTimer: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isCrowded = false;

  /** The limits hold for all of them together. */
  constructor(options: SharedOptions) {
    this.#options = resolveOptions(options);
    const flushes = new Gathered<ServedConnection>(
      (each) => each.flush(),
      FLUSHES_PER_TURN,
    );
    this.#around = {
      options: this.#options,
      turns: new FairTurns(this.#options.nowMs),
      reading: new BufferPool(READ_BYTES, LARGE),
      writing: new BufferPool(WRITE_BYTES, LARGE),
      smallWriting: new BufferPool(SMALL_WRITE_BYTES, SMALL),
      flushSoon: (connection) => flushes.add(connection),
      flushLater: (connection) => this.#answerSoon(connection),
    };
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** How many are at what; looks at each. */
  get states(): Record<ConnectionState, number> {
    const counts = { opening: 0, busy: 0, idle: 0, leaving: 0 };
    for (const { state } of this.#open.keys()) counts[state]++;
    return counts;
  }

  /** Buffers that are in use. */
  get lentBuffers(): number {
    const { reading, writing, smallWriting } = this.#around;
    return reading.lent + writing.lent + smallWriting.lent;
  }

  /** Serves a connection, for which there is room, until it has ended. */
  serve(
    stream: ByteStream,
    peer: string,
    handler: RequestHandler,
  ): { readonly connection: ServedConnection; readonly ended: Promise<void> } {
    const connection = new ServedConnection(
      stream,
      peer,
      handler,
      this.#around,
    );
    this.#open.set(connection, this.#options.nowMs());
    this.#timer ??= setInterval(() => this.check(), SWEEP_INTERVAL_MS);
    const ended = connection.run().finally(() => this.#forget(connection));
    return { connection, ended };
  }

  /**
   * Makes place for one more.
   *
   * @returns Whether it may come.
   */
  makeRoom(): boolean {
    const { maxConnections, onDrop, warn } = this.#options;
    if (this.#open.size < maxConnections) {
      this.#isCrowded = false;
      return true;
    }
    const idlest = this.#idlest();
    if (idlest) {
      onDrop("crowded");
      idlest.goAway();
    } else if (!this.#isCrowded) {
      this.#isCrowded = true;
      warn(
        `${this.#open.size} connections are busy, more are refused until one ` +
          "ends (--max-connections)",
      );
    }
    return this.#open.size < maxConnections * (1 + DISMISSAL_SHARE);
  }

  /** Looks at the limits of time. */
  check(): void {
    for (const connection of this.#open.keys()) connection.check();
  }

  #answerSoon(connection: ServedConnection): void {
    this.#answering.add(connection);
    this.#answerTimer ??= setTimeout(() => {
      this.#answerTimer = undefined;
      const answering = this.#answering;
      this.#answering = new Set();
      for (const each of answering) this.#around.flushSoon(each);
    }, PING_ANSWER_MS);
  }

  #forget(connection: ServedConnection): void {
    this.#open.delete(connection);
    this.#answering.delete(connection);
    if (this.#open.size > 0) return;
    clearTimeout(this.#answerTimer);
    this.#answerTimer = undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * The first in the order that was not used since it was put there. Those that
   * were go to its end in the order of their use, so that each look costs little,
   * and who calls now is not taken for idle because its connection is old.
   */
  #idlest(): ServedConnection | undefined {
    const nowMs = this.#options.nowMs();
    const used: { connection: ServedConnection; usedMs: number }[] = [];
    let idlest: ServedConnection | undefined;
    for (const [connection, lookedMs] of this.#open) {
      if (lookedMs === nowMs) break;
      if (connection.isLeaving) continue;
      const { isIdle, readMs } = connection;
      if (isIdle && readMs <= lookedMs) {
        idlest = connection;
        break;
      }
      used.push({ connection, usedMs: isIdle ? readMs : nowMs });
    }
    used.sort((one, other) => one.usedMs - other.usedMs);
    for (const { connection } of used) {
      this.#open.delete(connection);
      this.#open.set(connection, nowMs);
    }
    return idlest;
  }
}
