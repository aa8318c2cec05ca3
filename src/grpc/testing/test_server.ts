/**
 * A server whose messages are bytes, and what a test asks of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeClock } from "../../clock.ts";
import type { Connection } from "../../http2/stream_api.ts";
import { join } from "../../http2/testing/octets.ts";
import type {
  ClientStreamingHandler,
  DuplexHandler,
  ServerStreamingHandler,
  UnaryHandler,
} from "../call.ts";
import { CallCounts, type CallCountsOptions } from "../counts.ts";
import type { Method } from "../method.ts";
import type { Observe } from "../observer.ts";
import { type Around, type Authenticate, GrpcServer } from "../server.ts";
import { FakeStream } from "./fake_stream.ts";
import { TestBudget } from "./test_budget.ts";

type Bytes = Uint8Array;

/** What a test server is made of. */
export interface TestServerOptions extends CallCountsOptions {
  /** The handler of `/test.Test/Unary`. */
  readonly unary?: UnaryHandler<Bytes, Bytes>;
  /** The handler of `/test.Test/ServerStream`. */
  readonly serverStream?: ServerStreamingHandler<Bytes, Bytes>;
  /** The handler of `/test.Test/ClientStream`. */
  readonly clientStream?: ClientStreamingHandler<Bytes, Bytes>;
  /** The handler of `/test.Test/Duplex`. */
  readonly duplex?: DuplexHandler<Bytes, Bytes>;
  /** Changes what the methods do with messages. */
  readonly codec?: Partial<Pick<Method<Bytes, Bytes>, "decode" | "encode">>;
  /** What the calls of unary methods get that their caller's limit refuses. */
  readonly overLimit?: NonNullable<Method<Bytes, Bytes>["overLimit"]>;
  /** Says who calls. */
  readonly authenticate?: Authenticate;
  /** Who is told how calls end. */
  readonly observe?: Observe;
  /** Stands around each handler. */
  readonly around?: Around;
  /** By default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** By default there is room for everything. */
  readonly budgetBytes?: number;
}

/** A clock that knows how many timers run. */
class CountingClock extends FakeClock {
  timers = 0;
  #sleptMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.#sleptMs;
  }

  /** Time passes while nobody, and no timer, has a turn. */
  sleepThrough(ms: number): void {
    this.#sleptMs += ms;
  }

  override setTimer(delayMs: number, wake: () => void): { cancel(): void } {
    this.timers++;
    let runs = true;
    const stop = () => {
      if (runs) this.timers--;
      runs = false;
    };
    const timer = super.setTimer(delayMs, () => {
      stop();
      wake();
    });
    return {
      cancel: () => {
        stop();
        timer.cancel();
      },
    };
  }
}

/** A server, its clock, and what it counts. */
export class TestServer {
  /** Moves only when it is told to. */
  readonly clock = new CountingClock();
  /** What calls are open. */
  readonly counts: CallCounts;
  /** Memory for requests. */
  readonly budget: TestBudget;
  /** What an operator is told. */
  readonly logged: { message: string; cause: unknown }[] = [];
  /** The server. */
  readonly server: GrpcServer;
  /** Messages that were read, and whether they were their handler's own. */
  readonly decoded: { bytes: Bytes; owned: boolean }[] = [];
  readonly #work: (() => void)[] = [];

  /** Methods without a handler are not implemented. */
  constructor(options: TestServerOptions = {}) {
    this.counts = new CallCounts(options);
    this.budget = new TestBudget(options.budgetBytes);
    this.server = new GrpcServer({
      clock: this.clock,
      maxMessageBytes: options.maxMessageBytes ?? 4 * 1024 * 1024,
      log: (message, cause) => void this.logged.push({ message, cause }),
      counts: this.counts,
      requestBudget: this.budget,
      ...options.observe && { observe: options.observe },
      ...options.authenticate && { authenticate: options.authenticate },
      ...options.around && { around: options.around },
      nextTurn: (work) => void this.#work.push(work),
    });
    const method = (
      name: string,
      requestStream: boolean,
      responseStream: boolean,
    ): Method<Bytes, Bytes> => ({
      path: `/test.Test/${name}`,
      requestStream,
      responseStream,
      decode: (bytes, owned) => {
        this.decoded.push({ bytes: bytes.slice(), owned });
        return owned ? bytes : bytes.slice();
      },
      encode: (bytes) => [bytes],
      ...options.codec,
    });
    const { unary, serverStream, clientStream, duplex } = options;
    const { server } = this;
    const { overLimit } = options;
    if (unary) {
      server.unary({
        ...method("Unary", false, false),
        ...overLimit && { overLimit },
      }, unary);
    }
    if (serverStream) {
      server.serverStreaming(method("ServerStream", false, true), serverStream);
    }
    if (clientStream) {
      server.clientStreaming(method("ClientStream", true, false), clientStream);
    }
    if (duplex) server.duplex(method("Duplex", true, true), duplex);
  }

  /** Begins a call. */
  open(
    name: string,
    { fields = [], connection, method = "POST" }: {
      readonly fields?: readonly string[];
      readonly connection?: Connection;
      readonly method?: string;
    } = {},
  ): FakeStream {
    return new FakeStream(connection).open(this.server.handleRequest, {
      method,
      scheme: "http",
      path: name.startsWith("/") ? name : `/test.Test/${name}`,
      authority: "localhost",
      fields: ["content-type", "application/grpc", "te", "trailers", ...fields],
    });
  }

  /** A whole call whose request comes in one piece. */
  call(
    name: string,
    messages: readonly Bytes[],
    options: Parameters<TestServer["open"]>[1] = {},
  ): FakeStream {
    const stream = this.open(name, options);
    if (messages.length > 0) {
      stream.receive(join(...messages.map((one) => frame(one))));
    }
    stream.receiveEnd();
    return stream;
  }

  /** One turn of the event loop: what was put off, and promises. */
  async turn(): Promise<void> {
    await settled();
    for (const work of this.#work.splice(0)) work();
    await settled();
  }

  /** Whether something was put off to a later turn. */
  get hasWork(): boolean {
    return this.#work.length > 0;
  }

  /** Nothing is left of any call. */
  async assertQuiet(): Promise<void> {
    await this.turn();
    assert.deepEqual({
      openCalls: this.counts.open.size,
      unfinished: this.counts.unfinished.size,
      ungrantedBytes: this.counts.unfinished.bytes,
      grantedBytes: this.budget.usedBytes,
      waitsForMemory: this.budget.contended,
      deadlines: this.server.waitingDeadlines,
      timers: this.clock.timers,
    }, {
      openCalls: 0,
      unfinished: 0,
      ungrantedBytes: 0,
      grantedBytes: 0,
      waitsForMemory: false,
      deadlines: 0,
      timers: 0,
    });
  }
}

/** A message behind its prefix. */
export function frame(message: Bytes, flag = 0): Uint8Array<ArrayBuffer> {
  const prefix = new Uint8Array(5);
  prefix[0] = flag;
  new DataView(prefix.buffer).setUint32(1, message.length);
  return join(prefix, message);
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The text of bytes. */
export function text(message: Bytes | undefined): string {
  return new TextDecoder().decode(message);
}

/**
 * All promises that can go on have gone on: not so when a message comes through a
 * channel, where something has loaded Node's ticks.
 */
export function settled(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0));
}
