/**
 * One connection to a server, and what is heard of it.
 *
 * @module
 */

import { Client, type ClientOptions, connectivityState } from "@grpc/grpc-js";
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import {
  clearInterval as clearNodeInterval,
  setInterval as nodeInterval,
  setTimeout as nodeTimeout,
} from "node:timers";
import { MAX_TIMER_MS } from "./call_signal.ts";
import { Connecting } from "./connecting.ts";
import { authorityOf, takeOver } from "./grpc_parts.ts";
import { wayTo } from "./proxy.ts";
import type { Security } from "./security.ts";
import { dropCalls } from "./session_call.ts";
import { toldOfSessions } from "./sessions.ts";

const OPTIONS: ClientOptions = {
  // A pool in common would hand a dead connection to the client that replaces it.
  "grpc.use_local_subchannel_pool": 1,
  // grpc-js tries again at once and for ever on a connection that ended while
  // it was being made, without letting timers run. We try again ourselves.
  "grpc.enable_retries": 0,
  // It knows nothing of the calls that go through its session.
  "grpc.client_idle_timeout_ms": MAX_TIMER_MS,
  // Nobody reads what it counts.
  "grpc.enable_channelz": 0,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
};

/** What a network has held back comes by then, when it lets anything through. */
const LEFT_MS = 2_000;

/** What the system takes of us, at the least, when something moves. */
const MOVED_BYTES = 16 * 1024;

/**
 * Ends a call with an error; one that is only left may be answered yet, if it
 * likes to.
 */
export type EndCall = (error: Error, isLeft?: boolean) => void;

/** A connection. grpc-js makes it, and makes it again when it broke. */
export class Line {
  /** Calls go through it. */
  readonly client: Client;
  /** Of each call that goes through its session. */
  readonly headers: OutgoingHttpHeaders;
  /** The calls that are under way, and whether somebody waits for one. */
  readonly #calls = new Map<EndCall, boolean>();
  #awaited = 0;
  readonly #sessions = new Map<ClientHttp2Session, Socket>();
  readonly #connecting = new Connecting(() => this.close());
  readonly #forget: () => void;
  /** Nothing else keeps the process alive. */
  #life: ReturnType<typeof nodeInterval> | undefined;
  #isNeeded = false;
  #isClosed = false;
  #received = 0;
  #sent = 0;

  /** Connects to `host:port` with the first call. */
  constructor(address: string, security: Security) {
    const secure = security.connection();
    const { options, stop } = toldOfSessions((session, socket) => {
      // It is not grpc-js that knows whether somebody waits.
      session.ref = () => {};
      this.#sessions.set(session, socket);
      socket.once("close", () => {
        this.#sessions.delete(session);
        dropCalls(session);
      });
    });
    this.#forget = stop;
    const way = wayTo(address);
    this.client = new Client(way.target, secure.credentials, {
      ...OPTIONS,
      ...secure.options,
      ...way.options,
      ...options,
    });
    this.headers = {
      ":authority": authorityOf(this.client),
      ...security.headers,
    };
    takeOver(this.client, (connector) => this.#connecting.take(connector));
  }

  /** Whether the server has answered on it, and it has not broken since. */
  get isReady(): boolean {
    return this.#state === connectivityState.READY;
  }

  /** What its calls can go through at once; `undefined`: there is nothing yet. */
  get session(): ClientHttp2Session | undefined {
    if (!this.isReady) return undefined;
    let last: ClientHttp2Session | undefined;
    for (const session of this.#sessions.keys()) {
      if (!session.closed && !session.destroyed) last = session;
    }
    return last;
  }

  /** Whether it was closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get #state(): connectivityState {
    return this.client.getChannel().getConnectivityState(false);
  }

  /** Whether something has come, or much has gone, since this was last asked. */
  hasMoved(): boolean {
    const { received, sent } = this;
    const hasMoved = received !== this.#received ||
      sent - this.#sent >= MOVED_BYTES;
    this.#received = received;
    if (hasMoved || sent < this.#sent) this.#sent = sent;
    return hasMoved;
  }

  /** Bytes that have come, or that the system has taken of us. */
  get moved(): number {
    return this.received + this.sent;
  }

  /** Bytes that have come. */
  get received(): number {
    let received = 0;
    for (const { bytesRead } of this.#sessions.values()) received += bytesRead;
    return received;
  }

  /** Bytes that the system has taken of us. */
  get sent(): number {
    let sent = 0;
    for (const { bytesWritten } of this.#sessions.values()) {
      sent += bytesWritten;
    }
    return sent;
  }

  /** Asks for a sign of life. */
  ping(): void {
    for (const session of this.#sessions.keys()) {
      try {
        session.ping(() => {});
      } catch {
        // It has been closed, or is not open yet.
      }
    }
  }

  /** Connects, if it is not connected; then `then` is called. */
  connect(then: () => void): void {
    this.client.waitForReady(Infinity, (error) => {
      if (!error) then();
    });
  }

  /** Whether somebody waits for a call of it. */
  get isAwaited(): boolean {
    return this.#awaited > 0;
  }

  /** Whether it is made for calls of another connection that are waited for. */
  set isNeeded(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
    this.#keepAlive();
  }

  /** A call is under way; `isAwaited`: the process is to live for it. */
  hold(end: EndCall, isAwaited = true): void {
    this.#awaited += Number(isAwaited) - Number(this.#calls.get(end) ?? false);
    this.#calls.set(end, isAwaited);
    this.#keepAlive();
  }

  /** A call has ended. */
  letGo(end: EndCall): void {
    this.#awaited -= Number(this.#calls.get(end) ?? false);
    this.#calls.delete(end);
    this.#keepAlive();
  }

  #keepAlive(): void {
    const isAwaited = this.isAwaited;
    if (isAwaited) {
      this.#life ??= nodeInterval(() => {}, MAX_TIMER_MS);
      this.#life.ref();
    } else if (this.#isClosed) {
      clearNodeInterval(this.#life);
      this.#life = undefined;
    } else {
      this.#life?.unref();
    }
    this.#connecting.isAwaited = isAwaited || this.#isNeeded;
  }

  /** No more calls; those that are under way may finish. */
  close(): void {
    this.#isClosed = true;
    this.client.close();
    this.#connecting.close();
    this.#forget();
    this.#keepAlive();
  }

  /**
   * Leaves it for another one, with all its calls. What it says yet may be of
   * worth to those who like to hear it.
   */
  leave(error: Error): void {
    this.close();
    for (const end of [...this.#calls.keys()]) end(error, true);
    if (this.#calls.size === 0) return this.#end(error);
    nodeTimeout(() => this.#end(error), LEFT_MS).unref();
  }

  #end(error: Error): void {
    for (const end of [...this.#calls.keys()]) end(error);
    for (const session of this.#sessions.keys()) session.destroy();
  }
}
