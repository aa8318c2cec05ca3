/**
 * Calls with one request.
 *
 * @module
 */

import { PREFIX_BYTES } from "./framing.ts";
import {
  ASKING_BYTES,
  INITIAL_WINDOW_BYTES,
  UNCOUNTED_REQUEST_BYTES,
} from "./limits.ts";
import { brokenOff, MessageReader } from "./message_reader.ts";
import { noRoom } from "./no_room.ts";
import { ServerCall } from "./server_call.ts";
import { release } from "./release.ts";
import { Status, StatusError } from "./status.ts";

/** A call with one request: its handler starts when the request has ended. */
export class UnaryRequestCall extends ServerCall {
  #reader: MessageReader | undefined = undefined;
  #isComplete = false;
  #request: unknown = undefined;
  #requestBytes = 0;
  /** What the request may be a view of, until its handler has it. */
  #message: Uint8Array | undefined = undefined;
  /** Why the request cannot be read. */
  #malformed: unknown = undefined;
  #hasAsked = false;

  /** {@inheritDoc StreamEvents.data} */
  data(bytes: Uint8Array): void {
    if (this.isOver || bytes.length === 0) return;
    if (this.#isComplete) return this.fail(tooMany());
    this.core.counts.unfinished.arrived(this, bytes.length);
    if (this.isOver) return;
    if (this.#reader === undefined && this.#isWhole(bytes)) {
      this.#decode(bytes.subarray(PREFIX_BYTES), false);
    } else this.#read(bytes);
  }

  /** Nearly all requests are one message in one piece. */
  #isWhole(bytes: Uint8Array): boolean {
    if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) return false;
    const length = bytes.length - PREFIX_BYTES;
    return length <= this.core.maxMessageBytes &&
      length ===
        (bytes[1]! << 24 | bytes[2]! << 16 | bytes[3]! << 8 | bytes[4]!);
  }

  #read(bytes: Uint8Array): void {
    this.#reader ??= new MessageReader(this.core);
    let end: number;
    try {
      end = this.#reader.read(bytes, 0, (message) => {
        const isUsedUp = message.length + PREFIX_BYTES === INITIAL_WINDOW_BYTES;
        this.#decode(message, true);
        // Whoever wants to send more is not to wait for ever, but to be told.
        if (isUsedUp && !this.#hasAsked) this.stream.allow(PREFIX_BYTES);
      });
    } catch (error) {
      return this.fail(error);
    }
    if (!this.#isComplete) this.#askForRoom(this.#reader);
    else if (end < bytes.length) this.fail(tooMany());
  }

  /** At once, as long as the bytes are there; the handler has to wait. */
  #decode(message: Uint8Array, owned: boolean): void {
    this.#isComplete = true;
    this.#reader = undefined;
    this.#requestBytes = message.length;
    if (owned) this.#message = message;
    try {
      this.#request = this.method.decode(message, owned);
    } catch (error) {
      this.#malformed = error;
    }
  }

  #askForRoom(reader: MessageReader): void {
    const { announcedBytes } = reader;
    if (announcedBytes + PREFIX_BYTES <= INITIAL_WINDOW_BYTES) return;
    if (this.#hasAsked || reader.comeBytes < ASKING_BYTES) return;
    this.#hasAsked = true;
    this.#ask(announcedBytes, () => {
      reader.reserve();
      this.core.counts.unfinished.remove(this);
      this.stream.allow(announcedBytes);
    });
  }

  /** Calls once its caller may send so many bytes, and there is room for them. */
  #ask(bytes: number, then: () => void): void {
    // Whoever waits for their turn to send holds no memory.
    this.paced(bytes, () => {
      this.grant.ask(bytes, (refusal) => {
        if (this.isOver) return;
        if (refusal !== undefined) return this.fail(noRoom(refusal));
        then();
      });
    });
  }

  /** {@inheritDoc StreamEvents.end} */
  end(): void {
    if (this.isOver) return;
    if (this.#reader?.isInside) return this.fail(brokenOff());
    if (!this.#isComplete) return this.fail(tooFew());
    if (this.#malformed !== undefined) return this.fail(this.#malformed);
    const isCounted = this.#hasAsked ||
      this.#requestBytes <= UNCOUNTED_REQUEST_BYTES;
    if (isCounted) {
      if (!this.#hasAsked) this.pace?.count(this.#requestBytes);
      return this.#start();
    }
    // Until then it is unfinished: the stillest make room for others.
    this.#ask(this.#requestBytes, () => this.#start());
  }

  #start(): void {
    this.core.counts.unfinished.remove(this);
    if (this.core.deadlines.hasPassed(this)) return this.expire();
    const request = this.#request;
    // It is the handler's: a call may take as long as its client likes.
    this.#request = this.#message = undefined;
    this.run(request);
  }

  /** Nothing more of the request is of use. */
  protected letGo(): void {
    this.#reader?.drop();
    if (this.#message) release(this.#message);
    this.#reader = this.#request = this.#message = undefined;
  }
}

function tooFew(): StatusError {
  return new StatusError(
    Status.UNIMPLEMENTED,
    "the request has no message: this method takes one",
  );
}

function tooMany(): StatusError {
  return new StatusError(
    Status.UNIMPLEMENTED,
    "the request has more than one message: this method takes one",
  );
}
