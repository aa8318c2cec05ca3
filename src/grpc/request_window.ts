/**
 * How much a client may send of a streaming request.
 *
 * It begins with the window of HTTP/2. Once that much has come, a standing grant of
 * the request budget makes it larger; where a message needs more than that, a
 * grant for the whole of it. What is taken by the handler may be sent again, so
 * that what lies here, and what may come, is never more than the window.
 *
 * @module
 */

import { PREFIX_BYTES } from "./framing.ts";
import {
  ASKING_BYTES,
  INITIAL_WINDOW_BYTES,
  STANDING_GRANT_BYTES,
  WINDOW_STEP_BYTES,
} from "./limits.ts";
import type { MessageReader } from "./message_reader.ts";
import type { RequestGrant } from "./request_budget.ts";

/** What a window needs of its call. */
export interface WindowHost {
  /** Asked at most once at a time. */
  readonly grant: RequestGrant;
  /** Lets the client send so much more. */
  allow(bytes: number): void;
  /** What lies here is counted by the budget from now on. */
  granted(): void;
  /** So much lies here, and is counted by no budget for now. */
  ungranted(bytes: number): void;
  /** The budget gives nothing. */
  refused(refusal: unknown): void;
}

/** The window of one streaming request. */
export class RequestWindow {
  readonly #host: WindowHost;
  readonly #reader: MessageReader;
  #windowBytes = INITIAL_WINDOW_BYTES;
  #grantedBytes = 0;
  #heldBytes = 0;
  #owedBytes = 0;
  #comeBytes = 0;
  #isShut = false;

  /**
   * @param host Its call.
   * @param reader Knows the message that comes.
   */
  constructor(host: WindowHost, reader: MessageReader) {
    this.#host = host;
    this.#reader = reader;
  }

  /** So many bytes have come, and were given to the reader as far as it goes. */
  arrived(bytes: number): void {
    this.#heldBytes += bytes;
    this.#comeBytes += bytes;
    this.#ask();
    this.#giveBack();
  }

  /** The handler has taken a message of so many bytes. */
  taken(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#owedBytes += bytes;
    // The reader may have got to another message.
    this.#ask();
    this.#giveBack();
  }

  /** The client sends nothing more. */
  shut(): void {
    this.#isShut = true;
    // Memory for what will not come would only be taken from others.
    if (this.#host.grant.isWaiting) this.#host.grant.end();
  }

  #ask(): void {
    const { grant } = this.#host;
    if (this.#isShut || grant.isWaiting) return;
    const bytes = this.#neededBytes();
    if (bytes === 0) return;
    if (this.#grantedBytes > 0) this.#host.ungranted(this.#heldBytes);
    this.#grantedBytes = 0;
    grant.ask(bytes, (refusal) => {
      if (this.#isShut) return;
      if (refusal !== undefined) return this.#host.refused(refusal);
      this.#grantedBytes = bytes;
      this.#reader.reserve();
      this.#host.granted();
      const moreBytes = INITIAL_WINDOW_BYTES + bytes - this.#windowBytes;
      if (moreBytes > 0) {
        this.#windowBytes += moreBytes;
        this.#host.allow(moreBytes);
      }
      // Meanwhile a message may have begun that needs more.
      this.#ask();
    });
  }

  #neededBytes(): number {
    const { announcedBytes, comeBytes } = this.#reader;
    const isLarge = announcedBytes + PREFIX_BYTES > this.#windowBytes &&
      comeBytes >= ASKING_BYTES;
    if (isLarge) return Math.max(announcedBytes, STANDING_GRANT_BYTES);
    const isFirst = this.#grantedBytes === 0 && this.#comeBytes >= ASKING_BYTES;
    return isFirst ? STANDING_GRANT_BYTES : 0;
  }

  /** In steps, but never so late that the message that comes has to wait for it. */
  #giveBack(): void {
    if (this.#owedBytes === 0 || this.#isShut) return;
    const neededBytes = this.#reader.announcedBytes + PREFIX_BYTES;
    const isNeeded = neededBytes > this.#windowBytes - this.#owedBytes;
    if (this.#owedBytes < WINDOW_STEP_BYTES && !isNeeded) return;
    this.#host.allow(this.#owedBytes);
    this.#owedBytes = 0;
  }
}
