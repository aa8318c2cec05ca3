/**
 * Counts large requests before they are in memory.
 *
 * A gRPC message begins with its length. grpc-js's decoder knows it as soon as
 * those five bytes have come, while the message may be 64 MiB and take a while.
 * Whether there is room for it is asked when its first piece is there: room for
 * whoever announces 60 MiB, sends a byte and sits there would be taken from
 * others for nothing.
 *
 * @module
 */
import type { ServerHttp2Stream } from "node:http2";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/build/src/server-interceptors.js";
import { linkOf, type StreamLink } from "./connection.ts";
import {
  assembleInPlace,
  begunMessage,
  type MessageDecoder,
} from "./large_messages.ts";
import { UNCOUNTED_MESSAGE_BYTES } from "./limits.ts";
import type { Releasable, RequestBudget } from "./options.ts";

/** What we use of grpc-js's call. */
interface ReceivingCall {
  stream: ServerHttp2Stream;
  decoder?: MessageDecoder;
}
type HandleData = (this: ReceivingCall, data: Uint8Array) => void;

const installed = install();

function install(): boolean {
  const prototype = BaseServerInterceptingCall?.prototype as unknown as
    | { handleDataFrame?: HandleData }
    | undefined;
  const original = prototype?.handleDataFrame;
  if (prototype === undefined || typeof original !== "function") return false;
  prototype.handleDataFrame = function (data): void {
    original.call(this, data);
    const begun = begunMessage(this.decoder);
    if (!begun || begun.comeBytes < UNCOUNTED_MESSAGE_BYTES) return;
    assembleInPlace(this.decoder!);
    const link = linkOf(this.stream);
    const budget = link?.connection.requestBudget;
    if (!link || !budget || this.stream.destroyed) return;
    link.onAnnounced ??= countAnnounced(this.stream, link, budget);
    link.onAnnounced(begun.messageBytes);
  };
  return true;
}

/**
 * Whether announced lengths are seen.
 *
 * @returns Whether the wrapper is in place.
 */
export function announcementsAvailable(): boolean {
  return installed;
}

/**
 * Makes the client of a large request wait until there is room for it: a stream
 * that is not read keeps HTTP/2's window closed. Nearly all calls are small and
 * never come here.
 */
function countAnnounced(
  stream: ServerHttp2Stream,
  link: StreamLink,
  budget: RequestBudget,
): (messageBytes: number) => void {
  let countedBytes = 0;
  const ends = new Set<() => void>();
  stream.once("close", () => {
    for (const end of ends) end();
  });

  return (messageBytes) => {
    // One message of a call at a time is incomplete: the largest counts.
    const bytes = messageBytes - countedBytes;
    if (bytes <= UNCOUNTED_MESSAGE_BYTES) return;
    countedBytes = messageBytes;
    const controller = new AbortController();
    const taken = budget.take(link.connection, bytes, controller.signal);
    const hold = (grant: Releasable) => {
      link.holding = true;
      link.connection.unfinished?.remove(stream);
      ends.add(() => grant.release());
    };
    if (!(taken instanceof Promise)) return hold(taken);
    link.waiting = true;
    stream.pause();
    const stop = () => controller.abort();
    ends.add(stop);
    const settle = (grant?: Releasable) => {
      ends.delete(stop);
      link.waiting = false;
      stream.resume();
      if (stream.destroyed) grant?.release();
      else if (grant !== undefined) hold(grant);
    };
    taken.then(settle, () => settle());
  };
}
