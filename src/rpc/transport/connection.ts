/**
 * What the transport knows of one connection and of the calls on it.
 *
 * @module
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { SessionHandle } from "./internals.ts";
import type { RequestBudget } from "./options.ts";
import type { UnfinishedRequests } from "./unfinished_requests.ts";

/** One client's connection. Its identity is what reply budgets are keyed by. */
export class Connection {
  /** The session on it. */
  readonly session: ServerHttp2Session;
  /** The real socket, when this Deno lets us see it. */
  readonly socket: Socket | undefined;
  /** nghttp2's side, when this Deno lets us see it. */
  readonly handle: SessionHandle | undefined;
  /** When it was accepted. */
  readonly openedMs: number;
  /** Whether the client's SETTINGS have come. */
  handshaken = false;
  /** The native session is freed: nothing may touch the handle any more. */
  released = false;
  /** When the session ended; its socket may still have bytes to send. */
  endedMs: number | undefined;
  /** Whether the socket has more waiting than the high-water mark allows. */
  blocked = false;
  /** How often that has begun. */
  blocks = 0;
  /** Bytes that were given to the socket. */
  bytesSent = 0;
  /** What the last sweep saw of `blocks`. */
  blocksSeen = 0;
  /** How many bytes had left the socket at the last sweep. */
  leftBytesSeen = 0;
  /** When a sweep last saw that bytes had left. */
  movedMs: number;
  /** When a sweep first saw that waiting bytes do not leave; 0 if they do. */
  stuckMs = 0;
  /** Where large requests are counted, if they are. */
  requestBudget: RequestBudget | undefined;
  /** How many of its calls are open, if that is counted. */
  openCalls = 0;
  /** Where its requests are noted that are not complete, if they are. */
  unfinished: UnfinishedRequests | undefined;
  #nativeDepth = 0;

  /**
   * @param session The session of the connection.
   * @param parts What could be found behind it.
   * @param nowMs When it was accepted.
   */
  constructor(
    session: ServerHttp2Session,
    parts: { socket: Socket | undefined; handle: SessionHandle | undefined },
    nowMs: number,
  ) {
    this.session = session;
    this.socket = parts.socket;
    this.handle = parts.handle;
    this.openedMs = nowMs;
    this.movedMs = nowMs;
  }

  /** Whether native code of this connection is on the stack below us. */
  get insideNative(): boolean {
    return this.#nativeDepth > 0;
  }

  /** Whether nothing can be sent any more. */
  get gone(): boolean {
    return this.released || this.session.destroyed ||
      this.socket?.destroyed === true;
  }

  /**
   * Runs a call into native code. Native code calls back into JavaScript, and
   * whoever is called must be able to see that it is on the stack.
   *
   * @param call The call.
   * @returns What the call returned.
   */
  native<Result>(call: () => Result): Result {
    this.#nativeDepth++;
    try {
      return call();
    } finally {
      this.#nativeDepth--;
    }
  }

  /** Ends the connection without ceremony; `close` events follow. */
  drop(): void {
    if (this.socket !== undefined) this.socket.destroy();
    else this.session.destroy();
  }
}

/** What the transport keeps for one call. */
export interface StreamLink {
  /** The connection that the call came on. */
  readonly connection: Connection;
  /** Whether writes go through our slices and may have several parts. */
  sliced: boolean;
  /** Grows whenever a part of a reply has moved. */
  moves: number;
  /** What the last sweep saw of it. */
  movesSeen: number;
  /** When a sweep last saw it grow; 0 while nothing waits to be sent. */
  movedMs: number;
  /** Whether the request was incomplete when grpc-js heard of it, and still is. */
  receiving: boolean;
  /** Whether the client has said the end of its request, if that can be known. */
  isWhole: boolean;
  /** Grows whenever a part of the request has come. */
  arrivals: number;
  /** What the last sweep saw of it. */
  arrivalsSeen: number;
  /** When a sweep last saw it grow. */
  arrivedMs: number;
  /** Whether the request waits for room on our side. */
  waiting: boolean;
  /** Whether the request holds a part of the request budget. */
  holding: boolean;
  /** Its server has too many open calls: nobody is to answer it. */
  refused: boolean;
  /** Told of the length of a message that has only begun to come. */
  onAnnounced: ((messageBytes: number) => void) | undefined;
}

const kLink = Symbol("larder stream link");
type Linked = ServerHttp2Stream & { [kLink]?: StreamLink };

/**
 * Remembers the connection of a stream on the stream itself: a stream forgets
 * its session as soon as it is destroyed.
 *
 * @param stream A new stream.
 * @param connection Its connection.
 * @returns The link.
 */
export function linkStream(
  stream: ServerHttp2Stream,
  connection: Connection,
): StreamLink {
  const link: StreamLink = {
    connection,
    sliced: false,
    moves: 0,
    movesSeen: 0,
    movedMs: 0,
    receiving: false,
    isWhole: true,
    arrivals: 0,
    arrivalsSeen: 0,
    arrivedMs: 0,
    waiting: false,
    holding: false,
    refused: false,
    onAnnounced: undefined,
  };
  (stream as Linked)[kLink] = link;
  return link;
}

/**
 * The link of a stream.
 *
 * @param stream A stream.
 * @returns The link, or `undefined` for a stream of another server.
 */
export function linkOf(stream: ServerHttp2Stream): StreamLink | undefined {
  return (stream as Linked)[kLink];
}

/** The fields of grpc-js's call objects that lead to the stream. */
interface CallObject {
  call?: CallObject;
  nextCall?: CallObject;
  stream?: ServerHttp2Stream;
}

/**
 * Finds the connection that a call came on.
 *
 * @param call The first argument of a grpc-js handler.
 * @returns The connection, the same object for every call on it, or
 * `undefined` when the call is not of a hardened server.
 */
export function connectionOf(call: object): Connection | undefined {
  const stream = streamOf(call);
  return stream && linkOf(stream)?.connection;
}

/**
 * Finds the stream that a call came on.
 *
 * @param call The first argument of a grpc-js handler.
 * @returns The stream, or `undefined` when this grpc-js hides it elsewhere.
 */
export function streamOf(call: object): ServerHttp2Stream | undefined {
  let inner = (call as CallObject).call;
  // Interceptors wrap the call that holds the stream.
  while (inner?.nextCall !== undefined) inner = inner.nextCall;
  return inner?.stream;
}
