/**
 * ConformanceService on our gRPC server: it answers as each request says, and
 * tells what it saw. `proto/connectrpc` says how in detail.
 *
 * @module
 */

import {
  type Call,
  type GrpcServer,
  type Method,
  type MethodDefinition,
  methodOf,
  type Requests,
  type Sender,
} from "../../src/grpc/mod.ts";
import {
  type Any,
  type ConformanceReply,
  type ConformanceRequest,
  conformanceService,
  type ResponseFrame,
  type StreamDefinition,
  type UnaryDefinition,
} from "./definitions.ts";
import { addMetadata, envelope, errorOf, requestInfo } from "./request_info.ts";

/** A request, and the bytes it came in. */
interface Heard<Definition> {
  readonly request: ConformanceRequest<Definition>;
  readonly bytes: Any;
}

/** On which deadlines are. */
type Now = () => number;

/**
 * Adds the service to a server.
 *
 * @param server Takes the calls.
 * @param nowMs The server's clock.
 */
export function addConformanceService(server: GrpcServer, nowMs: Now): void {
  for (const name of ["Unary", "IdempotentUnary"]) {
    server.unary(
      heard<UnaryDefinition>(name),
      ({ request, bytes }, call) =>
        one(call, request.response_definition, [bytes], nowMs),
    );
  }
  server.clientStreaming(
    heard<UnaryDefinition>("ClientStream"),
    async (requests, call) => {
      const all = await Array.fromAsync(requests);
      const definition = all[0]?.request.response_definition;
      return one(call, definition, all.map(({ bytes }) => bytes), nowMs);
    },
  );
  server.serverStreaming(
    heard<StreamDefinition>("ServerStream"),
    async ({ request, bytes }, call, sender) => {
      const definition = request.response_definition;
      if (definition === undefined) return;
      const stream = new Stream(definition, { call, sender, nowMs });
      stream.begin();
      await stream.finish([bytes]);
    },
  );
  server.duplex(
    heard<StreamDefinition>("BidiStream"),
    (requests, call, sender) => duplex(requests, { call, sender, nowMs }),
  );
}

/** A method whose handler also sees the bytes of its requests. */
function heard<Definition>(
  name: string,
): Method<Heard<Definition>, ConformanceReply> {
  const definition = conformanceService[name]!;
  const method = methodOf(
    definition as unknown as MethodDefinition<
      ConformanceRequest<Definition>,
      ConformanceReply
    >,
  );
  const { name: type } = definition.requestType.type as { name: string };
  return {
    ...method,
    decode: (bytes, owned) => ({
      bytes: envelope(type, bytes.slice()),
      request: method.decode(bytes, owned),
    }),
  };
}

async function one(
  call: Call,
  definition: UnaryDefinition | undefined,
  requests: readonly Any[],
  nowMs: Now,
): Promise<ConformanceReply> {
  if (definition !== undefined) {
    addMetadata(call, definition);
    call.sendHeaders();
    await delay(definition);
  }
  const request_info = requestInfo(call, requests, nowMs());
  if (definition?.error) throw errorOf(definition.error, request_info);
  const data = definition?.response_data;
  return { payload: { ...data && { data }, request_info } };
}

interface StreamTools {
  readonly call: Call;
  readonly sender: Sender<ConformanceReply>;
  readonly nowMs: Now;
}

/** The replies that one definition asks for. */
class Stream {
  readonly #definition: StreamDefinition;
  readonly #tools: StreamTools;
  #sent = 0;

  constructor(definition: StreamDefinition, tools: StreamTools) {
    this.#definition = definition;
    this.#tools = tools;
  }

  get isComplete(): boolean {
    return this.#sent >= this.#definition.response_data.length;
  }

  /** Sends the headers, so that the client need not wait for a message. */
  begin(): void {
    addMetadata(this.#tools.call, this.#definition);
    this.#tools.call.sendHeaders();
  }

  /** Sends the next reply; the first one tells all. */
  async next(requests: readonly Any[], always?: "requests"): Promise<void> {
    await delay(this.#definition);
    const { call, sender, nowMs } = this.#tools;
    const data = this.#definition.response_data[this.#sent]!;
    const request_info = this.#sent === 0
      ? requestInfo(call, requests, nowMs())
      : always && { requests };
    this.#sent++;
    await sender.send({
      payload: { data, ...request_info && { request_info } },
    });
  }

  /** Sends what is left, then the error. */
  async finish(requests: readonly Any[]): Promise<void> {
    const { call, nowMs } = this.#tools;
    while (!this.isComplete && !call.hasEnded) await this.next(requests);
    const { error } = this.#definition;
    if (error === undefined || error === null) return;
    throw this.#sent > 0
      ? errorOf(error)
      : errorOf(error, requestInfo(call, requests, nowMs()));
  }
}

async function duplex(
  requests: Requests<Heard<StreamDefinition>>,
  tools: StreamTools,
): Promise<void> {
  let stream: Stream | undefined;
  let isFullDuplex = false;
  let isFirst = true;
  let waiting: Any[] = [];
  for await (const { request, bytes } of requests) {
    waiting.push(bytes);
    if (isFirst) {
      isFirst = false;
      isFullDuplex = request.full_duplex ?? false;
      const definition = request.response_definition;
      stream = definition && new Stream(definition, tools);
      if (isFullDuplex) stream?.begin();
    }
    if (!isFullDuplex) continue;
    if (stream === undefined || stream.isComplete) break;
    await stream.next(waiting, "requests");
    waiting = [];
  }
  if (!isFullDuplex) stream?.begin();
  await stream?.finish(waiting);
}

function delay(
  { response_delay_ms }: ResponseFrame,
): Promise<void> | undefined {
  if (!response_delay_ms) return undefined;
  return new Promise((resolve) => setTimeout(resolve, response_delay_ms));
}
