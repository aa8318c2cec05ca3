/**
 * Drives one connection: what one read brings is handled in a row and answered
 * in one write.
 *
 * @module
 */

import type { BufferPool } from "./buffers.ts";
import type { ByteStream } from "./byte_stream.ts";
import { Http2Connection } from "./connection.ts";
import type { FairTurns } from "./fair_turns.ts";
import {
  FIRST_READ_BYTES,
  LIGHT_READ_BYTES,
  LIGHT_READ_MS,
  LINGER_BYTES,
  LINGER_MS,
  MIN_WRITE_BYTES,
  SPARSE_READ_FRACTION,
  SPARSE_READS,
} from "./limits.ts";
import type { DropReason, ResolvedOptions } from "./shared_limits.ts";
import type { RequestHandler } from "./stream_api.ts";
import { checkTimes } from "./time_limits.ts";

/** What a connection needs of the others. */
export interface Surroundings {
  readonly options: ResolvedOptions;
  /** Turns of those who have much to do. */
  readonly turns: FairTurns;
  /** Buffers to read with, of those who send much. */
  readonly reading: BufferPool;
  /** Buffers to write much with … */
  readonly writing: BufferPool;
  /** … and little. */
  readonly smallWriting: BufferPool;
  /** Flushes the connection in the next turn. */
  readonly flushSoon: (connection: ServedConnection) => void;
  /** The same within `PING_ANSWER_MS`. */
  readonly flushLater: (connection: ServedConnection) => void;
}

/** What a connection is at. */
export type ConnectionState =
  /** The client has not said yet what it is. */
  | "opening"
  /** Calls are open. */
  | "busy"
  /** None is. */
  | "idle"
  /** It was told to go, or has said goodbye; open calls go on. */
  | "leaving";

/** A connection with its byte stream. */
export class ServedConnection {
  readonly #around: Surroundings;
  readonly #stream: ByteStream;
  readonly #connection: Http2Connection;
  #readMs: number;
  /** Since when the write under way has taken nothing. */
  #stuckMs: number | undefined;
  /** The writes under way. */
  #writing: Promise<void> | undefined;
  #isWriting = false;
  /** When everything had been sent that ever will. */
  #endedMs: number | undefined;
  #isClosed = false;
  #isLeaving = false;
  #sparseReads = 0;
  /** Whether what was read last took long. */
  #isHeavy = false;
  /** Telling the handlers of a connection that is lost, or has failed. */
  #telling: Promise<void> | undefined;

  /** Runs when it is told to. */
  constructor(
    stream: ByteStream,
    peer: string,
    handler: RequestHandler,
    around: Surroundings,
  ) {
    const { maxStreams, nowMs, warn } = around.options;
    this.#stream = stream;
    this.#around = around;
    this.#readMs = nowMs();
    this.#connection = new Http2Connection({
      peer,
      transport: stream,
      handler,
      maxStreams,
      nowMs,
      onOutput: () => {
        if (!this.#isWriting) around.flushSoon(this);
      },
      onError: (error) => warn("an error of the server at the edge", error),
    });
  }

  /** When a byte came last. */
  get readMs(): number {
    return this.#readMs;
  }

  /** Whether it has been asked to go. */
  get isLeaving(): boolean {
    return this.#isLeaving || this.#connection.isOver;
  }

  /** What it is at. */
  get state(): ConnectionState {
    if (this.isLeaving) return "leaving";
    if (!this.#connection.hasSettings) return "opening";
    return this.isIdle ? "idle" : "busy";
  }

  /** Whether nothing is asked of it now. */
  get isIdle(): boolean {
    return this.#connection.streams.size === 0;
  }

  /** Serves until the connection has ended. Never rejects. */
  async run(): Promise<void> {
    let buffer: Uint8Array = new Uint8Array(FIRST_READ_BYTES);
    try {
      for (let unread = 0; unread <= LINGER_BYTES;) {
        const count = await this.#stream.read(buffer);
        if (count === null || this.#isClosed) break;
        if (this.#connection.isOver) {
          unread += count;
          continue;
        }
        const rest = this.#takeAll(buffer.subarray(0, count));
        if (rest) await rest;
        buffer = this.#nextBuffer(buffer, count);
      }
      // Last words, to a client that has said its own.
      if (this.#connection.isOver) await this.#writing;
    } catch {
      // A reset, or our own close: either way there is nobody any more.
    } finally {
      this.#around.reading.give(buffer);
      this.close();
      await this.#telling;
    }
  }

  /** Writes what waits, unless a write is under way: then it goes on with it. */
  flush(): void {
    if (this.#isWriting || this.#isClosed) return;
    if (this.#connection.hasOutput) this.#writing = this.#write();
    else if (this.#connection.isOver) this.#closeWrite();
  }

  /** Says goodbye; calls that are open go on. */
  goAway(): void {
    this.#isLeaving = true;
    this.#connection.goAway();
  }

  /** Looks at the limits of time. */
  check(): void {
    if (this.#isClosed) return;
    const { options } = this.#around;
    const socket = { readMs: this.#readMs, stuckMs: this.#stuckMs };
    if (this.#connection.isOver) {
      const sinceMs = this.#endedMs ?? socket.stuckMs;
      if (sinceMs === undefined) return this.flush();
      if (options.nowMs() - sinceMs >= LINGER_MS) this.#drop("linger");
      return;
    }
    const reason = checkTimes(this.#connection, socket, options);
    if (reason !== undefined) this.#drop(reason);
  }

  /** Ends everything at once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.lost();
    this.#tellRest();
    try {
      this.#stream.close();
    } catch {
      // It has closed itself.
    }
  }

  #drop(reason: DropReason): void {
    this.#around.options.onDrop(reason);
    this.close();
  }

  /** Others have their turn between the parts. */
  #takeAll(bytes: Uint8Array): Promise<void> | undefined {
    const { turns } = this.#around;
    const isHeavy = this.#isHeavy || bytes.length >= LIGHT_READ_BYTES;
    if (isHeavy && turns.isSpent) return this.#takeInTurns(bytes);
    const taken = this.#take(bytes);
    if (taken === bytes.length) return undefined;
    return this.#takeInTurns(bytes, taken);
  }

  async #takeInTurns(bytes: Uint8Array, from: number = 0): Promise<void> {
    const isSmall = bytes.length < LIGHT_READ_BYTES;
    for (let at = from; at < bytes.length;) {
      await this.#around.turns.next(isSmall);
      at += this.#take(bytes.subarray(at));
    }
  }

  /** Handles what may be handled in one go, and writes what can be. */
  #take(bytes: Uint8Array): number {
    const { turns, options: { nowMs } } = this.#around;
    const connection = this.#connection;
    const startMs = nowMs();
    this.#readMs = connection.turnMs = startMs;
    const taken = connection.receive(bytes);
    if (connection.hasOutput && connection.mayWait) {
      this.#around.flushLater(this);
    } else this.flush();
    this.#tellRest();
    const tookMs = nowMs() - startMs;
    this.#isHeavy = tookMs >= LIGHT_READ_MS || taken < bytes.length;
    if (this.#isHeavy) turns.worked(tookMs);
    return taken;
  }

  /** Handlers of many streams that ended at once are told in turns. */
  #tellRest(): void {
    if (!this.#connection.hasUntold) return;
    this.#telling ??= this.#tellInTurns();
  }

  async #tellInTurns(): Promise<void> {
    const { turns, options: { nowMs } } = this.#around;
    while (this.#connection.hasUntold) {
      await turns.next();
      const startMs = nowMs();
      this.#connection.tellSome();
      turns.worked(nowMs() - startMs);
    }
    this.#telling = undefined;
  }

  /** Who sends much reads much at once, as long as there are buffers. */
  #nextBuffer(buffer: Uint8Array, count: number): Uint8Array {
    const { reading } = this.#around;
    if (buffer.length < reading.bytes) {
      return count < buffer.length ? buffer : reading.take() ?? buffer;
    }
    const isSparse = count < buffer.length * SPARSE_READ_FRACTION;
    this.#sparseReads = isSparse ? this.#sparseReads + 1 : 0;
    if (this.#sparseReads < SPARSE_READS) return buffer;
    this.#sparseReads = 0;
    reading.give(buffer);
    return new Uint8Array(FIRST_READ_BYTES);
  }

  async #write(): Promise<void> {
    const { turns } = this.#around;
    this.#isWriting = true;
    try {
      while (this.#connection.hasOutput && !this.#isClosed) {
        if (!await this.#writeOnce()) break;
        // A socket that has room takes the next one in this very turn.
        if (turns.isSpent && this.#connection.hasOutput) await turns.next();
      }
    } catch {
      // Nobody reads any more; it is not certain that a read ends as well.
      this.close();
    } finally {
      this.#isWriting = false;
      this.#stuckMs = undefined;
    }
    if (this.#connection.isOver) this.#closeWrite();
  }

  /** Writes a buffer; whether there was anything to put into it. */
  async #writeOnce(): Promise<boolean> {
    const { turns, options: { nowMs } } = this.#around;
    const connection = this.#connection;
    const pool = this.#poolFor(connection);
    const buffer = pool.take() ?? new Uint8Array(MIN_WRITE_BYTES);
    try {
      const startMs = nowMs();
      connection.turnMs = startMs;
      const filled = connection.fill(buffer);
      if (filled === 0) return false;
      const written = this.#stream.write(buffer.subarray(0, filled));
      connection.written();
      if (pool === this.#around.writing) turns.worked(nowMs() - startMs);
      await this.#finish(buffer.subarray(0, filled), written);
      return true;
    } finally {
      pool.give(buffer);
    }
  }

  #poolFor(connection: Http2Connection): BufferPool {
    const { smallWriting, writing } = this.#around;
    const { bytes } = smallWriting;
    return connection.waitingBytes(bytes) < bytes ? smallWriting : writing;
  }

  /** The rest of a buffer of which not all was written. */
  async #finish(buffer: Uint8Array, written: Promise<number>): Promise<void> {
    const { nowMs } = this.#around.options;
    this.#stuckMs = nowMs();
    for (let at = await written; at < buffer.length;) {
      this.#stuckMs = nowMs();
      at += await this.#stream.write(buffer.subarray(at));
    }
  }

  /** The last byte has left: the client's own end is awaited, for a while. */
  #closeWrite(): void {
    if (this.#isClosed || this.#endedMs !== undefined) return;
    this.#endedMs = this.#around.options.nowMs();
    // It may have gone meanwhile; then the read ends, too.
    this.#stream.closeWrite().catch(() => {});
  }
}
