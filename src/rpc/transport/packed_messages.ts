/**
 * Takes the messages of a packet one at a time.
 *
 * A message can be 5 bytes small. grpc-js makes objects and promises for every
 * message that a DATA frame holds before it hands the first one over: 2,048
 * requests of 16 KiB each, 32 MB in all, were 6 million messages, and the end of
 * the process. Here the rest of a packet stays bytes until the message before
 * was taken, and others get their turn between two of them.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { ServerHttp2Stream } from "node:http2";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/build/src/server-interceptors.js";
import { linkOf } from "./connection.ts";
import {
  NO_DATA,
  PREFIX_BYTES,
  READING_MESSAGE,
  READING_SIZE,
} from "./large_messages.ts";

/** Each takes about 30 us until it is its handler's. */
const MESSAGES_PER_TURN = 64;

/** What a packet held beside the message that is being taken. */
const kRest = Symbol("larder packed messages");
/** The request has ended, after that. */
const kEnded = Symbol("larder request ended");

/** What we use of grpc-js's call. */
interface ReceivingCall {
  stream: ServerHttp2Stream;
  cancelled: boolean;
  readQueue: unknown[];
  decoder: {
    readState: number;
    readSizeRemaining: number;
    readMessageRemaining: number;
    readPartialMessage: unknown[];
  };
  handleDataFrame(data: Buffer): void;
  [kRest]?: Buffer | undefined;
  [kEnded]?: boolean;
}
type Method<Args extends unknown[]> = (
  this: ReceivingCall,
  ...args: Args
) => void;
interface Methods {
  handleDataFrame: Method<[data: Buffer]>;
  handleEndEvent: Method<[]>;
  startRead: Method<[]>;
}

const installed = install();

function install(): boolean {
  const prototype = BaseServerInterceptingCall?.prototype as unknown as
    | Partial<Methods>
    | undefined;
  const { handleDataFrame, handleEndEvent, startRead } = prototype ?? {};
  if (!prototype || !handleDataFrame || !handleEndEvent || !startRead) {
    return false;
  }
  prototype.handleDataFrame = function (data): void {
    if (linkOf(this.stream) === undefined) {
      return handleDataFrame.call(this, data);
    }
    for (let at = 0; at < data.length && !this.cancelled;) {
      const end = Math.min(at + missingBytes(this, data, at), data.length);
      const isAll = at === 0 && end === data.length;
      handleDataFrame.call(this, isAll ? data : data.subarray(at, end));
      at = end;
      if (at === data.length || this.readQueue.length === 0) continue;
      // With a message in its queue grpc-js has paused the stream.
      this[kRest] = data.subarray(at);
      break;
    }
    // It would keep the pieces of a message that it has made, to the call's end.
    const { decoder } = this;
    if (
      decoder.readState === NO_DATA && decoder.readPartialMessage.length > 0
    ) {
      decoder.readPartialMessage = [];
    }
  };
  prototype.handleEndEvent = function (): void {
    if (this[kRest] === undefined) handleEndEvent.call(this);
    else this[kEnded] = true;
  };
  prototype.startRead = function (): void {
    if (this[kRest] === undefined || this.readQueue.length > 0) {
      return startRead.call(this);
    }
    inTurn(() => {
      const rest = this[kRest];
      this[kRest] = undefined;
      if (rest !== undefined) this.handleDataFrame(rest);
      if (this[kRest] === undefined && this[kEnded]) handleEndEvent.call(this);
      startRead.call(this);
    });
  };
  return true;
}

const waiting: (() => void)[] = [];

/**
 * Goes on with a packet after the others that wait, a few in each turn of the
 * event loop: all that clients sent ahead would be gone through in one otherwise.
 */
function inTurn(goOn: () => void): void {
  if (waiting.push(goOn) === 1) setImmediate(takeTurn);
}

function takeTurn(): void {
  const next = waiting.splice(0, MESSAGES_PER_TURN);
  if (waiting.length > 0) setImmediate(takeTurn);
  for (const goOn of next) goOn();
}

/** How many bytes the message lacks that is being read; all, if unknown. */
function missingBytes(
  { decoder }: ReceivingCall,
  data: Buffer,
  at: number,
): number {
  switch (decoder.readState) {
    case NO_DATA:
      return data.length - at < PREFIX_BYTES
        ? Infinity
        : PREFIX_BYTES + data.readUInt32BE(at + 1);
    case READING_SIZE:
      return decoder.readSizeRemaining || Infinity;
    case READING_MESSAGE:
      return decoder.readMessageRemaining;
    default:
      return Infinity;
  }
}

/**
 * Whether messages are taken one at a time.
 *
 * @returns Whether the wrapper is in place.
 */
export function unpackingAvailable(): boolean {
  return installed;
}
