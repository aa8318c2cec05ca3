/**
 * The two services that the original server has, too. They know no waiting:
 * who wants a value that is being computed asks again and again.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { ServiceDefinition } from "@grpc/grpc-js";
import type {
  Empty,
  GetRequest,
  IdRequest,
  LocalGetReply,
  RemoteGetReply,
  SetRequest,
} from "../rpc/wire.ts";
import { Backoff, sleep } from "./backoff.ts";
import {
  type AskOptions,
  type Backend,
  type BeatOptions,
  type Fetched,
  type FetchRequest,
  LET_GO_TIMEOUT_MS,
  type Pieces,
} from "./backend.ts";
import type { Channel, UnaryOptions } from "./channel.ts";
import { loadService } from "./services.ts";
import { fileBody } from "./local_files.ts";
import { bytesBody, eachPiece } from "./transfer.ts";

/** A server that has not answered by then is not there. */
const SMALL_TIMEOUT_MS = 10_000;
/** A whole value is in the message, and the network may be slow. */
const VALUE_TIMEOUT_MS = 120_000;
const FIRST_POLL_MS = 50;
const MAX_POLL_MS = 2_000;

const UNASSIGNED: Fetched = {
  kind: "unassigned",
  reason: "the server has no value and gives out no work for it",
};

/** A reply, and what is aborted when the connection that brought it breaks. */
interface Answer<Reply> {
  readonly reply: Reply;
  readonly lost: AbortSignal;
}

/**
 * What `LocalCache` and `RemoteCache` have in common. An original server counts
 * its ids from 1 when it starts: what goes to another process than the one that
 * gave an id out would be taken for somebody else's, so an id is used only as
 * long as the connection lasts that brought it.
 */
abstract class OriginalBackend<Reply extends object> implements Backend {
  protected readonly channel: Channel;
  protected readonly service: ServiceDefinition;

  constructor(channel: Channel, service: ServiceDefinition) {
    this.channel = channel;
    this.service = service;
  }

  protected abstract readonly getTimeoutMs: number;
  protected abstract fetched(answer: Answer<Reply>): Promise<Fetched>;
  abstract publish(
    id: string,
    value: Pieces | undefined,
    options: AskOptions,
  ): Promise<void>;

  async fetch(
    { namespace, key, assign: isWanted, wait, ttlMs }: FetchRequest,
    { signal, wanted, onContact }: AskOptions,
  ): Promise<Fetched> {
    // It would keep the value for ever.
    const assign = isWanted && ttlMs === undefined;
    const request: GetRequest = { namespace, key, assign };
    const backoff = new Backoff(FIRST_POLL_MS, MAX_POLL_MS);
    for (;;) {
      let lost!: AbortSignal;
      const reply = await this.channel.unary<Reply>(
        this.service["Get"]!,
        request,
        {
          signal,
          wanted,
          timeoutMs: this.getTimeoutMs,
          onReply: (broken) => lost = broken,
        },
      );
      const fetched = await this.fetched({ reply, lost });
      if (fetched.kind !== "loading" || !wait) return fetched;
      onContact?.();
      await sleep(backoff.nextMs(), signal, wanted);
    }
  }

  /** Never through another connection: see above. */
  async heartbeat(
    id: string,
    { signal, wanted, timeoutMs }: BeatOptions,
  ): Promise<void> {
    await this.byId("Heartbeat", id, { signal, wanted, timeoutMs });
  }

  /** There is no call for it: the lease ends by itself. */
  async abandon(): Promise<void> {}

  protected async byId(
    name: string,
    id: string,
    options: Partial<UnaryOptions> = {},
  ): Promise<void> {
    const request: IdRequest = { id };
    await this.channel.unary<Empty>(this.service[name]!, request, {
      timeoutMs: SMALL_TIMEOUT_MS,
      ...options,
    });
  }
}

/** `remote.RemoteCache`: values travel in the messages. */
export class OriginalRemote extends OriginalBackend<RemoteGetReply> {
  protected readonly getTimeoutMs: number = VALUE_TIMEOUT_MS;

  constructor(channel: Channel) {
    super(channel, loadService("remote.proto", "remote.RemoteCache"));
  }

  async publish(
    id: string,
    value: Pieces,
    { signal, wanted, isForOthers }: AskOptions,
  ): Promise<void> {
    const request: SetRequest = { id, value: await whole(value) };
    await this.channel.unary<Empty>(this.service["Set"]!, request, {
      ...{ signal, wanted, isForOthers },
      timeoutMs: VALUE_TIMEOUT_MS,
    });
  }

  protected fetched(answer: Answer<RemoteGetReply>): Promise<Fetched> {
    return Promise.resolve(readRemote(answer));
  }
}

function readRemote({ reply, lost }: Answer<RemoteGetReply>): Fetched {
  if ("ready" in reply) return { kind: "ready", body: bytesBody(reply.ready) };
  if ("loading" in reply) return { kind: "loading" };
  if (!("assign" in reply)) return UNASSIGNED;
  const { id, heartbeatIntervalMs } = reply.assign;
  const work = { id, heartbeatIntervalMs: Number(heartbeatIntervalMs), lost };
  return { kind: "assigned", work };
}

/** `local.LocalCache`: values are files that client and server both see. */
export class OriginalLocal extends OriginalBackend<LocalGetReply> {
  protected readonly getTimeoutMs: number = SMALL_TIMEOUT_MS;

  constructor(channel: Channel) {
    super(channel, loadService("local.proto", "local.LocalCache"));
  }

  async publish(
    id: string,
    _value: undefined,
    { signal, wanted, isForOthers }: AskOptions,
  ): Promise<void> {
    await this.byId("Done", id, { signal, wanted, isForOthers });
  }

  protected async fetched(
    { reply, lost: signal }: Answer<LocalGetReply>,
  ): Promise<Fetched> {
    if ("ready" in reply) {
      const { id, path } = reply.ready;
      // A handle that is not dropped ends with its lease.
      const options = { signal, timeoutMs: LET_GO_TIMEOUT_MS };
      const release = () => this.byId("Drop", id, options).catch(() => {});
      return { kind: "ready", body: await fileBody(path, release) };
    }
    if ("loading" in reply) return { kind: "loading" };
    if (!("assign" in reply)) return UNASSIGNED;
    const { id, path, heartbeatIntervalMs } = reply.assign;
    return {
      kind: "assigned",
      work: {
        id,
        path,
        heartbeatIntervalMs: Number(heartbeatIntervalMs),
        lost: signal,
      },
    };
  }
}

async function whole(value: Pieces): Promise<Uint8Array> {
  if (value instanceof Uint8Array) return value;
  const pieces: Uint8Array[] = [];
  for await (const piece of eachPiece(value)) pieces.push(piece);
  return Buffer.concat(pieces);
}
