/**
 * What operators' tools read by HTTP. `Deno.serve` has no limits: whoever opens
 * connections and says nothing would keep them. `node:http` has them.
 *
 * @module
 */

import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { messageOf, StartError } from "../errors.ts";
import {
  HTTP_HEAD_MS,
  HTTP_IDLE_MS,
  HTTP_STALL_MS,
  MAX_HTTP_CONNECTIONS,
  MAX_HTTP_HEAD_BYTES,
} from "../limits.ts";
import { createServer as createTlsServer } from "node:https";
import { answer, type AnswerOptions } from "./http_answers.ts";

/** What clients may take, and for how long. */
export interface HttpLimits {
  readonly maxConnections: number;
  readonly maxHeadBytes: number;
  readonly headMs: number;
  readonly idleMs: number;
  readonly stallMs: number;
}

const LIMITS: HttpLimits = {
  maxConnections: MAX_HTTP_CONNECTIONS,
  maxHeadBytes: MAX_HTTP_HEAD_BYTES,
  headMs: HTTP_HEAD_MS,
  idleMs: HTTP_IDLE_MS,
  stallMs: HTTP_STALL_MS,
};

/** What is served. */
export interface HttpOptions extends AnswerOptions {
  /** Where; or a socket that listens already, and what it is called. */
  readonly address:
    | { readonly host: string; readonly port: number }
    | { readonly name: string; readonly taken: TakenHttp };
  /** Takes a line for the log. */
  readonly warn: (message: string) => void;
  /** What it says who it is with, over TLS; in plain text where absent. */
  readonly certificates?: HttpCertificates;
}

/** A certificate and its key, as PEM, which change while connections live. */
export interface HttpCertificates {
  readonly current: { readonly cert: string; readonly key: string };
  /** Called when they are others. */
  readonly onChange: Set<() => void>;
}

/** A socket that listens already. */
export interface TakenHttp {
  /** Hands its connections on, which are paused. */
  serve(taker: {
    readonly take: (socket: Socket) => void;
    readonly warn: (message: string) => void;
    readonly maxConnections: number;
  }): void;
  /** Takes no more. */
  close(): void;
}

/** It answers. */
export interface HttpListener extends AsyncDisposable {
  /** `ip:port`, with the port that was picked; or the name of a socket. */
  readonly address: string;
}

/** Of the time that a head may take, how often it is looked whether it does. */
const LOOKS = 10;
/** Who speaks otherwise, gRPC for one, hears what there is. */
const NO_HTTP = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n" +
  "connection: close\r\n\r\nHere are Larder's metrics and probes, in " +
  "HTTP/1.1; for gRPC it has other addresses.\n";

/**
 * Answers on an address; throws a {@linkcode StartError} where that cannot be.
 * Other limits are for tests.
 */
export async function serveHttp(
  options: HttpOptions,
  limits: HttpLimits = LIMITS,
): Promise<HttpListener> {
  const { address, warn } = options;
  const { maxConnections } = limits;
  const { server, stop } = createdServer(options, limits);
  server.maxConnections = maxConnections;
  // Destroys those on which nothing moves.
  server.timeout = limits.stallMs;
  const sockets = openSockets(server);
  if ("taken" in address) {
    const { name, taken } = address;
    taken.serve({
      take(socket) {
        server.emit("connection", socket);
        socket.resume();
      },
      ...{ warn, maxConnections },
    });
    // It begins to look then whether heads take too long.
    server.emit("listening");
    return {
      address: name,
      [Symbol.asyncDispose]() {
        stop();
        taken.close();
        server.close();
        for (const socket of sockets) socket.destroy();
        return Promise.resolve();
      },
    };
  }
  const { host, port } = address;
  await listening(server, { host: host.replace(/^\[(.*)\]$/, "$1"), port });
  server.on("error", (error) => warn(`the HTTP server: ${messageOf(error)}`));
  const { port: picked } = server.address() as AddressInfo;
  return {
    address: `${host}:${picked}`,
    async [Symbol.asyncDispose]() {
      stop();
      const closed = once(server, "close");
      server.close();
      // Whoever reads at leisure is not waited for.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Where it listens is for the caller to say. */
function createdServer(
  options: HttpOptions,
  limits: HttpLimits,
): { readonly server: Server; readonly stop: () => void } {
  const { certificates } = options;
  const times = {
    maxHeaderSize: limits.maxHeadBytes,
    requestTimeout: limits.headMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: limits.headMs / LOOKS,
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    void reply(request, response, options);
  if (certificates === undefined) {
    return { server: createServer(times, onRequest), stop: () => {} };
  }
  const identity = () => {
    const { cert, key } = certificates.current;
    return { cert, key };
  };
  const server = createTlsServer({
    ...{ ...times, ...identity() },
    handshakeTimeout: limits.headMs,
  }, onRequest);
  // What was never greeted stays open unless somebody closes it.
  server.on("tlsClientError", (_, socket) => socket.destroy());
  const renew = () => server.setSecureContext(identity());
  certificates.onChange.add(renew);
  return { server, stop: () => void certificates.onChange.delete(renew) };
}

/** Those that are open; what breaks one of them breaks nothing else. */
function openSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  // Garbage, a head that is too long or takes too long.
  server.on("clientError", (_: Error, socket: Socket) => {
    if (!socket.writable) return void socket.destroy();
    socket.end(NO_HTTP, () => socket.destroy());
  });
  return sockets;
}

async function listening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  try {
    server.listen({ host, port });
    await once(server, "listening");
  } catch (error) {
    throw new StartError(
      1,
      `cannot listen on ${host}:${port} for --http: ${messageOf(error)}: ` +
        "stop what uses the port, or choose another address with --http",
      { cause: error },
    );
  }
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
): Promise<void> {
  response.on("error", () => {});
  try {
    const { method = "", url = "", headers } = request;
    const site = headers["sec-fetch-site"];
    const { status, headers: told, body } = await answer({
      method,
      url,
      host: headers.host,
      site: typeof site === "string" ? site : undefined,
      authorization: headers.authorization,
      client: request.socket.remoteAddress ?? "",
    }, options);
    // A body that was sent along is not read: its connection ends.
    const hasBody = headers["content-length"] !== undefined ||
      headers["transfer-encoding"] !== undefined;
    response.writeHead(status, {
      ...told,
      ...hasBody && { connection: "close" },
    });
    if (method === "HEAD") response.end();
    else if (typeof body === "string") response.end(body);
    else await stream(body, response);
  } catch (error) {
    options.warn(`a request by HTTP failed: ${messageOf(error)}`);
    if (response.headersSent) return void response.destroy();
    response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
    response.end("the server failed; its log says why\n");
  }
}

/** The next piece is made when the one before has been taken. */
async function stream(
  pieces: AsyncGenerator<string>,
  response: ServerResponse,
): Promise<void> {
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  // Ends a wait for the next piece, too.
  void gone.then(() => pieces.return(undefined));
  for await (const piece of pieces) {
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    await Promise.race([gone, once(response, "drain").catch(() => {})]);
  }
  response.end();
}
