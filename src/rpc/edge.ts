/**
 * The addresses that a process answers on, and what they share.
 *
 * @module
 */

import { systemClock } from "../clock.ts";
import { messageOf, StartError, systemReason } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { CallCounts, type RefusalReason } from "../grpc/counts.ts";
import type { CallPlace, Observe } from "../grpc/observer.ts";
import type { RequestBudget } from "../grpc/request_budget.ts";
import { type Around, type Authenticate, GrpcServer } from "../grpc/server.ts";
import {
  Connections,
  type ConnectionState,
  Http2Listener,
  type Http2ListenerOptions,
  type SharedOptions,
} from "../http2/mod.ts";
import { InheritedListener } from "../systemd/inherited_listener.ts";
import type { TakenSocket } from "../systemd/taken_socket.ts";
import type { IdentitySource } from "../tls/pem.ts";
import { REFUSED_WORDS, type RefusedHandshake } from "../tls/refusals.ts";
import { TlsListener } from "../tls/tls_listener.ts";
import { cannotListenAt } from "../unix/remedies.ts";
import { UnixListener } from "../unix/unix_listener.ts";
import type { Service } from "./service.ts";

/** What an edge is made of; its limits hold for all addresses together. */
export interface EdgeOptions extends Omit<SharedOptions, "warn"> {
  /** Takes what is for the log. */
  readonly warn: Log;
  /** Requests above this are refused with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  /** Makes buffers for large messages; they may hold anything. */
  readonly newBuffer?: (bytes: number) => Uint8Array;
  /** Who is told how calls end, a method. */
  readonly observe?: Observe;
  /** Stands around each handler. */
  readonly around?: Around;
  /** Is told of every call that a limit refuses. */
  readonly onRefused?: (reason: RefusalReason, detail?: string) => void;
  /** Is told of every client that TLS does not let in. */
  readonly onRefusedHandshake?: (reason: RefusedHandshake) => void;
  /** Memory for large requests. */
  readonly requestBudget?: RequestBudget;
}

/** An address that answers. */
export interface Listener {
  /** `ip:port`, with the port that was picked, `unix:PATH`, or `fd:NAME`. */
  readonly address: string;
  /** Lets the calls that are under way finish, but no longer than `limitMs`. */
  close(limitMs: number): Promise<void>;
}

/** What is held for clients now; all 0 when nobody is connected. */
export interface EdgeStats {
  /** Open connections. */
  readonly connections: number;
  /** Their read and write buffers. */
  readonly buffers: number;
  /** Calls whose stream is open or whose handler runs. */
  readonly openCalls: number;
  /** Requests that have begun and not ended … */
  readonly unfinishedRequests: number;
  /** … and what has come of them. */
  readonly unfinishedBytes: number;
  /** Calls that wait for their deadline. */
  readonly deadlines: number;
}

/** The listeners of one process. */
export class Edge {
  readonly #options: EdgeOptions;
  readonly #connections: Connections;
  readonly #counts: CallCounts;
  readonly #servers: GrpcServer[] = [];

  /** Answers nowhere yet. */
  constructor(options: EdgeOptions) {
    this.#options = options;
    const { onRefused } = options;
    this.#counts = new CallCounts({ ...onRefused && { onRefused } });
    this.#connections = new Connections({ ...options, warn: this.#warn });
  }

  /** Figures for metrics and tests. */
  get stats(): EdgeStats {
    const { open, unfinished } = this.#counts;
    return {
      connections: this.#connections.size,
      buffers: this.#connections.lentBuffers,
      openCalls: open.size,
      unfinishedRequests: unfinished.size,
      unfinishedBytes: unfinished.bytes,
      deadlines: this.#servers.reduce(
        (sum, server) => sum + server.waitingDeadlines,
        0,
      ),
    };
  }

  /** How many connections are at what. */
  get connectionStates(): Record<ConnectionState, number> {
    return this.#connections.states;
  }

  /**
   * Answers on an address.
   *
   * @param address `ip:port`; port 0 picks one.
   * @param services What is served there.
   * @param options Says who calls; without it nobody asks.
   * @throws {StartError} If the port is taken.
   */
  listen(
    address: string,
    services: readonly Service[],
    { authenticate }: { readonly authenticate?: Authenticate } = {},
  ): Listener {
    const options = this.#serveAt(address, services, authenticate);
    try {
      return listenerAt(address, new Http2Listener(options));
    } catch (error) {
      throw cannotListen(address, error, options);
    }
  }

  /**
   * Answers on an address over TLS.
   *
   * @param address `ip:port`; port 0 picks one.
   * @param services What is served there.
   * @param options What it says who it is with, and what says who calls.
   * @throws {StartError} If the port is taken.
   */
  async listenTls(
    address: string,
    services: readonly Service[],
    { certificates, authenticate }: {
      readonly certificates: IdentitySource;
      readonly authenticate?: Authenticate;
    },
  ): Promise<Listener> {
    const options = this.#serveAt(address, services, authenticate);
    const { hostname, port } = options;
    try {
      const listening = TlsListener.listen({
        ...options,
        on: { hostname, port },
        certificates,
        onRefused: this.#refusedAt(address),
      });
      return listenerAt(address, await listening);
    } catch (error) {
      throw cannotListen(address, error, options);
    }
  }

  /**
   * Answers on a socket that listens already.
   *
   * @param address `ip:port`, or the name of the socket.
   * @param taken The socket.
   * @param services What is served there.
   * @param options What it says who it is with, where it speaks TLS, and what says
   * who calls.
   */
  async listenInherited(
    address: string,
    taken: TakenSocket,
    services: readonly Service[],
    { certificates, authenticate }: {
      readonly certificates?: IdentitySource;
      readonly authenticate?: Authenticate;
    } = {},
  ): Promise<Listener> {
    const options = this.#serve(services, authenticate);
    const listener = certificates === undefined
      ? new InheritedListener({ ...options, taken })
      : await TlsListener.listen({
        ...options,
        on: taken,
        certificates,
        onRefused: this.#refusedAt(address),
      });
    return { address, close: (limitMs) => listener.close(limitMs) };
  }

  #refusedAt(
    address: string,
  ): (reason: RefusedHandshake, client: string) => void {
    return (reason, client) => {
      this.#options.onRefusedHandshake?.(reason);
      // Without its port: of one that tries again and again a line is enough.
      this.#options.warn(
        `a client was not let in at ${address}: it ${REFUSED_WORDS[reason]}`,
        { client },
      );
    };
  }

  /**
   * Answers on a Unix domain socket.
   *
   * @param socket Where it is, its permission bits, and its group.
   * @param services What is served there.
   * @param options Says who calls; without it nobody asks.
   * @throws {StartError} If it cannot be made.
   */
  async listenUnix(
    socket: {
      readonly path: string;
      readonly mode: number;
      readonly group?: number;
    },
    services: readonly Service[],
    { authenticate }: { readonly authenticate?: Authenticate } = {},
  ): Promise<Listener> {
    const options = this.#serve(services, authenticate);
    try {
      const listener = await UnixListener.listen({ ...options, ...socket });
      return {
        address: `unix:${listener.path}`,
        close: (limitMs) => listener.close(limitMs),
      };
    } catch (error) {
      throw cannotListenAt(socket, error);
    }
  }

  #serveAt(
    address: string,
    services: readonly Service[],
    authenticate: Authenticate | undefined,
  ): Http2ListenerOptions {
    const { host, port } = partsOf(address);
    const hostname = host.replace(/^\[(.*)\]$/, "$1");
    return { hostname, port, ...this.#serve(services, authenticate) };
  }

  #serve(
    services: readonly Service[],
    authenticate: Authenticate | undefined,
  ): Omit<Http2ListenerOptions, "hostname" | "port"> {
    const { maxMessageBytes, requestBudget, newBuffer, observe, around } =
      this.#options;
    const server = new GrpcServer({
      clock: systemClock,
      maxMessageBytes,
      log: this.#warn,
      counts: this.#counts,
      ...observe && { observe },
      ...around && { around },
      ...authenticate && { authenticate },
      ...requestBudget && { requestBudget },
      ...newBuffer && { newBuffer },
    });
    this.#servers.push(server);
    for (const addTo of services) addTo(server);
    return {
      handler: server.handleRequest,
      connections: this.#connections,
      warn: this.#warn,
    };
  }

  /** What was thrown belongs into the log: clients are told nothing of it. */
  readonly #warn = (
    message: string,
    cause?: unknown,
    place?: CallPlace,
  ): void => {
    const { warn } = this.#options;
    const facts = place
      ? { client: place.connection.peer, call: place.id }
      : {};
    if (cause === undefined) return warn(message, facts);
    const why = cause instanceof Error ? cause.stack : undefined;
    const text = `${message}: ${why ?? messageOf(cause)}`;
    warn(text, { level: "error", ...facts });
  };
}

function partsOf(
  address: string,
): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return {
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
  };
}

function listenerAt(
  address: string,
  listener: Http2Listener | TlsListener,
): Listener {
  return {
    address: `${partsOf(address).host}:${listener.port}`,
    close: (limitMs) => listener.close(limitMs),
  };
}

function cannotListen(
  address: string,
  error: unknown,
  options: Http2ListenerOptions,
): StartError {
  const { code } = error as { code?: string };
  const message = `cannot listen on ${address} ` +
    `(${code ?? systemReason(error)}): ${listenRemedy(code, options)}`;
  return new StartError(1, message, { cause: error });
}

/** Ports below it are for root, on most systems. */
const FIRST_FREE_PORT = 1_024;

/** What to do about an address on which one cannot listen. */
export function listenRemedy(
  code: string | undefined,
  { hostname, port }: { readonly hostname: string; readonly port: number },
): string {
  const another = "choose another address with -l or -r";
  if (code === "EADDRNOTAVAIL") {
    return `${hostname} is no address of this machine: ip addr lists them, ` +
      `and 0.0.0.0 is all of them; ${another}`;
  }
  if (code === "EACCES" && port < FIRST_FREE_PORT) {
    return `ports below ${FIRST_FREE_PORT} are for root: ${another}`;
  }
  return `stop what uses the port, or ${another} (port 0 picks one)`;
}
