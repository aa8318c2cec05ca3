/**
 * Moves frames from nghttp2 to the socket.
 *
 * Deno writes each frame on its own and ignores the socket's backpressure: a
 * reply is three writes, and a client that announces huge windows and never
 * reads makes the process keep everything for it. This loop runs once a turn
 * for all that was submitted in it, hands the frames over as one `writev`, and
 * stops at a high-water mark until the socket has drained.
 *
 * @module
 */
import process from "node:process";
import type { Socket } from "node:net";
import type { Connection } from "./connection.ts";
import { nativeMethod, type SessionHandle } from "./internals.ts";

/** The drain loop of one connection. */
export class DrainLoop {
  readonly #connection: Connection;
  readonly #socket: Socket;
  readonly #handle: SessionHandle;
  readonly #sendPending: () => unknown;
  readonly #nextChunk: () => Uint8Array | undefined;
  readonly #highWaterBytes: number;
  #scheduled = false;
  #running = false;
  #again = false;
  #synchronous = false;
  #ended = false;
  #ready: (() => void)[] = [];

  private constructor(
    connection: Connection,
    parts: {
      socket: Socket;
      handle: SessionHandle;
      sendPending: () => unknown;
      nextChunk: () => Uint8Array | undefined;
      highWaterBytes: number;
    },
  ) {
    this.#connection = connection;
    this.#socket = parts.socket;
    this.#handle = parts.handle;
    this.#sendPending = parts.sendPending;
    this.#nextChunk = parts.nextChunk;
    this.#highWaterBytes = parts.highWaterBytes;
  }

  /**
   * Takes over the sending of a connection.
   *
   * @param connection The connection.
   * @param highWaterBytes Bytes in the socket at which to stop.
   * @returns The loop, or `undefined` when this Deno does not let us.
   */
  static install(
    connection: Connection,
    highWaterBytes: number,
  ): DrainLoop | undefined {
    const { socket, handle } = connection;
    if (socket === undefined || handle === undefined) return undefined;
    const sendPending = nativeMethod(handle, "sendPending");
    // An own method is Deno's loop, which is what we replace. Where there is
    // none, native code writes to the socket itself.
    if (sendPending === undefined || !Object.hasOwn(handle, "sendPending")) {
      return undefined;
    }
    const loop = new DrainLoop(connection, {
      socket,
      handle,
      sendPending: sendPending.bind(handle),
      nextChunk: handle.getOutgoingChunk.bind(handle),
      highWaterBytes,
    });
    handle.sendPending = () => {
      if (loop.#synchronous) loop.#flush();
      else loop.schedule();
    };
    // Deno empties nghttp2 into the socket when it destroys a session, however
    // much the socket already holds for a client that does not read.
    handle.getOutgoingChunk = () =>
      connection.blocked ? undefined : loop.#nextChunk();
    socket.on("drain", loop.#onDrain);
    return loop;
  }

  /** Asks for a run at the end of this turn of the event loop. */
  schedule(): void {
    this.#again = true;
    if (this.#running || this.#scheduled || this.#connection.blocked) return;
    this.#scheduled = true;
    setImmediate(this.#onImmediate);
  }

  /**
   * Runs `step` as soon as no native code is on the stack: right after the
   * native call when the loop is running, in a run of its own otherwise.
   *
   * @param step What to do.
   */
  whenReady(step: () => void): void {
    this.#ready.push(step);
    // Native code can acknowledge a write outside the loop. Nobody else would
    // wake it: a client with 64 KiB windows would wait for ever.
    this.schedule();
  }

  /**
   * Runs `step` with sends taking effect at once, and sends what waits.
   *
   * @param step What to do, typically closing the session.
   */
  flushAround(step: () => void): void {
    this.#flush();
    const before = this.#synchronous;
    this.#synchronous = true;
    try {
      step();
    } finally {
      this.#synchronous = before;
    }
  }

  readonly #onImmediate = (): void => {
    this.#scheduled = false;
    this.#drain();
  };

  readonly #onDrain = (): void => {
    this.#connection.blocked = false;
    // Not at once: a client that reads as fast as we write makes one drain
    // follow the other within one turn, and everybody else waits meanwhile.
    this.schedule();
  };

  #drain(): void {
    const connection = this.#connection;
    // A nested run would re-enter nghttp2 from one of its callbacks.
    if (this.#running || connection.insideNative || connection.gone) return;
    this.#running = true;
    this.#socket.cork();
    try {
      this.#runReady();
      do {
        this.#again = this.#takeFrames(this.#highWaterBytes);
        if (connection.gone) return;
        // Acknowledges what was taken and submits resets that had to wait;
        // both may make more frames, so look again.
        connection.native(this.#sendPending);
        this.#runReady();
      } while (this.#again && !connection.blocked && !connection.gone);
    } finally {
      this.#socket.uncork();
      this.#running = false;
    }
    if (!connection.gone && !connection.blocked) this.#endIfFinished();
  }

  /** Sends what nghttp2 holds now, without going on to the next slices. */
  #flush(): void {
    const connection = this.#connection;
    if (this.#running || connection.insideNative || connection.gone) return;
    if (connection.blocked) return;
    this.#running = true;
    this.#socket.cork();
    try {
      this.#takeFrames(Infinity);
      if (connection.gone) return;
      connection.native(this.#sendPending);
      this.#takeFrames(Infinity);
    } finally {
      this.#socket.uncork();
      this.#running = false;
    }
    if (this.#ready.length > 0) this.schedule();
  }

  /** Moves frames until there are none or the socket is full. */
  #takeFrames(limitBytes: number): boolean {
    const connection = this.#connection;
    const socket = this.#socket;
    let took = false;
    while (!connection.gone) {
      if (socket.writableLength >= limitBytes && socket.writableNeedDrain) {
        connection.blocked = true;
        connection.blocks++;
        break;
      }
      const chunk = connection.native(this.#nextChunk);
      if (chunk === undefined || chunk.byteLength === 0) break;
      connection.bytesSent += chunk.byteLength;
      socket.write(chunk);
      took = true;
    }
    return took;
  }

  #runReady(): void {
    while (this.#ready.length > 0) {
      const ready = this.#ready;
      this.#ready = [];
      for (const step of ready) step();
      this.#again = true;
    }
  }

  /**
   * Ends a session that neither reads nor writes any more. Deno checks this
   * right after each packet, when our frames have not left yet.
   */
  #endIfFinished(): void {
    if (this.#ended || this.#handle.hasPendingData()) return;
    this.#ended = true;
    process.nextTick(() => {
      if (this.#connection.gone) return;
      this.#handle.onstreamclose?.();
      // Whoever closes on bytes it has not read resets the connection, and what
      // is still on its way to the client is lost: its end comes first, or the
      // sweeper.
      this.#connection.endedMs ??= Date.now();
      if (!this.#socket.destroyed) this.#socket.end();
    });
  }
}
