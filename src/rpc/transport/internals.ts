/**
 * The parts of Deno's `node:http2` that its types do not show. Everything that
 * could be renamed by another Deno is looked up here, and here only; whatever
 * is missing comes back as `undefined` and the cure that wanted it stays off.
 *
 * @module
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** nghttp2's side of a connection. */
export interface SessionHandle {
  /** Takes bytes from the client and calls back for each frame in them. */
  receive(data: Uint8Array): void;
  /** Moves what waits to the socket; here replaced by our drain loop. */
  sendPending(): void;
  /** The next frame to send, a copy of its own; empty when there is none. */
  getOutgoingChunk(): Uint8Array | undefined;
  /** Whether nghttp2 still wants to read or to write. */
  hasPendingData(): boolean;
  /** Frees the native session. Touching the handle later is fatal. */
  destroy(...args: unknown[]): void;
  /** Ends the session as if the transport had closed. */
  onstreamclose?: (() => void) | null;
}

/** A write that native code acknowledges by calling `oncomplete`. */
export interface WriteRequest {
  /** Called by native code with a status, 0 for success. */
  oncomplete: (status: number) => void;
}

/** nghttp2's side of a stream. */
export interface StreamHandle {
  /** Copies bytes into native memory; 0 means that `oncomplete` will come. */
  writeBuffer(request: WriteRequest, data: Uint8Array): number;
  /** The same for several; pairs of chunk and encoding unless `allBuffers`. */
  writev(request: WriteRequest, chunks: unknown[], allBuffers: boolean): number;
  /** No more writes; 1 when that took effect at once. */
  shutdown(request: WriteRequest): number;
  /** Lets the next write carry END_STREAM. */
  markEnding?: unknown;
  /** Called by native code for each piece of the body. */
  onread?: (this: unknown, ...args: unknown[]) => unknown;
}

const symbols = new Map<string, symbol>();

/** An own property of `target` that is named by a symbol of this description. */
function hidden(target: object, description: string): unknown {
  let symbol = symbols.get(description);
  if (symbol === undefined || !Object.hasOwn(target, symbol)) {
    symbol = Object.getOwnPropertySymbols(target).find((candidate) =>
      candidate.description === description
    );
    if (symbol === undefined) return undefined;
    symbols.set(description, symbol);
  }
  return (target as Record<symbol, unknown>)[symbol];
}

function hasMethods(target: unknown, names: string[]): boolean {
  if (target === null || typeof target !== "object") return false;
  const methods = target as Record<string, unknown>;
  return names.every((name) => typeof methods[name] === "function");
}

/**
 * The handle of a session.
 *
 * @param session A session that is connected.
 * @returns The handle, or `undefined` when this Deno hides it elsewhere.
 */
export function sessionHandle(
  session: ServerHttp2Session,
): SessionHandle | undefined {
  const handle = hidden(session, "kHandle");
  const complete = hasMethods(handle, [
    "receive",
    "sendPending",
    "getOutgoingChunk",
    "hasPendingData",
    "destroy",
  ]);
  return complete ? handle as SessionHandle : undefined;
}

/**
 * The real socket of a session; `session.socket` is a proxy that refuses to
 * write.
 *
 * @param session A session that is connected.
 * @returns The socket, or `undefined` when this Deno hides it elsewhere.
 */
export function sessionSocket(session: ServerHttp2Session): Socket | undefined {
  const socket = hidden(session, "socket");
  return hasMethods(socket, ["write", "cork", "uncork", "destroy", "end"])
    ? socket as Socket
    : undefined;
}

/**
 * The streams that a session knows of, open or not yet forgotten.
 *
 * @param session A session.
 * @returns A live map by stream id, or `undefined` when it is hidden elsewhere.
 */
export function sessionStreams(
  session: ServerHttp2Session,
): ReadonlyMap<number, ServerHttp2Stream> | undefined {
  const state = hidden(session, "state") as { streams?: unknown } | undefined;
  const streams = state?.streams as { size?: unknown } | undefined;
  // A SafeMap of Deno's own realm: `instanceof Map` is false.
  if (typeof streams?.size !== "number") return undefined;
  return streams as unknown as ReadonlyMap<number, ServerHttp2Stream>;
}

/**
 * The handle of a stream.
 *
 * @param stream A stream that is open.
 * @returns The handle, or `undefined` when this Deno hides it elsewhere.
 */
export function streamHandle(
  stream: ServerHttp2Stream,
): StreamHandle | undefined {
  const handle = hidden(stream, "kHandle");
  return hasMethods(handle, ["writeBuffer", "writev", "shutdown"])
    ? handle as StreamHandle
    : undefined;
}

/**
 * The native method below one that Deno's JavaScript has put on the handle
 * itself.
 *
 * @param handle A session's or a stream's handle.
 * @param name The method's name.
 * @returns The method, to be called with the handle as `this`.
 */
export function nativeMethod<Handle extends object>(
  handle: Handle,
  name: keyof Handle & string,
): ((...args: unknown[]) => unknown) | undefined {
  const prototype = Object.getPrototypeOf(handle) as Record<string, unknown>;
  const method = prototype?.[name];
  return typeof method === "function"
    ? method as (...args: unknown[]) => unknown
    : undefined;
}
