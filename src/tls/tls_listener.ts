/**
 * Accepts connections over TLS. `node:tls` asks for client certificates and
 * takes a new certificate while connections live; Deno's own listener does
 * neither.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import {
  type Connections,
  ListenerConnections,
  type RequestHandler,
} from "../http2/mod.ts";
import { certificatesOf, type Identity, type IdentitySource } from "./pem.ts";
import { type RefusedHandshake, whyRefused } from "./refusals.ts";
import { peerOf, SocketStream } from "./socket_stream.ts";
import { isVouchedFor } from "./vouched.ts";

/** What gRPC is spoken over. */
const HTTP_2 = "h2";

/** A socket that listens already. */
export interface ListeningSocket {
  /** Hands its connections on, which are paused. */
  serve(
    taker: {
      readonly take: (raw: Socket) => void;
      readonly warn: (message: string) => void;
    },
  ): void;
  /** Takes no more. */
  close(): void;
}

/** What a listener is made of. */
export interface TlsListenerOptions {
  /** Where; port 0 picks one. Or what it stands on. */
  readonly on:
    | { readonly hostname: string; readonly port: number }
    | ListeningSocket;
  /** What it says who it is with, and whom it believes. */
  readonly certificates: IdentitySource;
  /** Takes the requests. */
  readonly handler: RequestHandler;
  /** The connections of all listeners. */
  readonly connections: Connections;
  /** Takes a line for the log. */
  readonly warn: (message: string, cause?: unknown) => void;
  /** Told of each client that did not get in, and of its IP address. */
  readonly onRefused?: (reason: RefusedHandshake, client: string) => void;
}

/** A connection that has just come. */
interface Begun {
  readonly stream: SocketStream;
  /** Its IP address. */
  readonly client: string;
}

/** An address that answers over TLS. */
export class TlsListener {
  readonly #server: Server;
  readonly #on: ListeningSocket | undefined;
  readonly #served: ListenerConnections;
  readonly #certificates: IdentitySource;
  /** That vouch for clients; `undefined`: clients need no certificate. */
  #authorities: readonly X509Certificate[] | undefined;
  /** Those whose handshake is under way, by where they come from. */
  readonly #greeting = new Map<string, SocketStream>();
  readonly #onRefused: NonNullable<TlsListenerOptions["onRefused"]>;
  /** Those whose handshake may fail, by the socket, which outlives its address. */
  readonly #begun = new WeakMap<Socket, Begun>();

  private constructor(
    { on, certificates, connections, handler, onRefused }: TlsListenerOptions,
  ) {
    this.#on = "serve" in on ? on : undefined;
    this.#certificates = certificates;
    this.#onRefused = onRefused ?? (() => {});
    this.#served = new ListenerConnections(connections, handler);
    const { current } = certificates;
    this.#authorities = authoritiesOf(current);
    const asks = current.ca !== undefined;
    this.#server = createServer({
      ...current,
      ALPNProtocols: [HTTP_2],
      requestCert: asks,
      rejectUnauthorized: asks,
    });
    this.#server.on("connection", (raw: Socket) => this.#take(raw));
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", this.#failed);
    certificates.onChange.add(this.#renew);
  }

  /** Binds the address; rejects with what the system says if that cannot be. */
  static async listen(options: TlsListenerOptions): Promise<TlsListener> {
    const { on, warn } = options;
    const listener = new TlsListener(options);
    const server = listener.#server;
    if ("serve" in on) {
      on.serve({
        take(raw) {
          server.emit("connection", raw);
          raw.resume();
        },
        warn,
      });
      return listener;
    }
    server.listen({ host: on.hostname, port: on.port });
    await once(server, "listening");
    server.on("error", (error) => {
      warn(`cannot accept connections now, trying on: ${error.message}`);
    });
    return listener;
  }

  /** The port, also where one was picked; of what listened already not known. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Takes no more connections and says goodbye to those there are; after
   * `limitMs` they end.
   */
  async close(limitMs: number): Promise<void> {
    this.#certificates.onChange.delete(this.#renew);
    this.#on?.close();
    this.#server.close();
    await this.#served.close(limitMs);
  }

  readonly #renew = (): void => {
    const { current } = this.#certificates;
    this.#authorities = authoritiesOf(current);
    this.#server.setSecureContext(current);
  };

  /** It counts from now on, though it has not said a word of TLS. */
  #take(raw: Socket): void {
    // It may break at any time, and what is within TLS is told of that, too.
    raw.on("error", () => {});
    const peer = peerOf(raw);
    if (peer === undefined || !this.#served.makeRoom()) {
      return void raw.destroy();
    }
    raw.setNoDelay(true);
    const stream = new SocketStream(raw);
    this.#begun.set(raw, { stream, client: raw.remoteAddress ?? "" });
    this.#greeting.set(peer, stream);
    raw.once("close", () => {
      if (this.#greeting.get(peer) === stream) this.#greeting.delete(peer);
    });
    this.#served.serve(stream, peer);
  }

  #secured(socket: TLSSocket): void {
    socket.on("error", () => {});
    const peer = peerOf(socket) ?? "";
    const stream = this.#greeting.get(peer);
    this.#greeting.delete(peer);
    const why = this.#whyNot(socket);
    if (why !== undefined) this.#onRefused(why, socket.remoteAddress ?? "");
    if (why !== undefined || stream === undefined) {
      return void socket.destroy();
    }
    stream.opened(socket);
  }

  /** Why a client does not get in whose handshake is done. */
  #whyNot(socket: TLSSocket): RefusedHandshake | undefined {
    if (socket.alpnProtocol !== HTTP_2) return "no-http2";
    const authorities = this.#authorities;
    if (!authorities || !socket.isSessionReused()) return undefined;
    const shown = socket.getPeerCertificate(true);
    const isKnown = isVouchedFor(shown, authorities, Date.now());
    return isKnown ? undefined : "certificate";
  }

  readonly #failed = (error: Error, socket: TLSSocket): void => {
    // By then the socket knows nothing of its peer; the one below it counts.
    const { _parent: raw } = socket as { readonly _parent?: Socket };
    const why = whyRefused({
      code: (error as { code?: string }).code ?? "",
      message: error.message,
      authorization: socket.authorizationError,
      bytes: raw?.bytesRead ?? 0,
    });
    const begun = raw && this.#begun.get(raw);
    // What was ended here, as it took too long, has been told of as that.
    if (why !== undefined && begun && !begun.stream.isClosed) {
      this.#onRefused(why, begun.client);
    }
    // What was never greeted stays open unless somebody closes it.
    socket.destroy();
  };
}

/** Read once: each handshake that resumes a session is held against them. */
function authoritiesOf({ ca }: Identity): X509Certificate[] | undefined {
  return ca === undefined ? undefined : certificatesOf(ca);
}
