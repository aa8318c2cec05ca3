/**
 * GOAWAY in two steps: first one that refuses nothing yet, so that a request on
 * its way is still taken; then, when the client has seen it, the true last
 * stream. One-shot clients take any error as final.
 *
 * @module
 */

import type { ControlFrames } from "./control_frames.ts";
import { ErrorCode } from "./error_codes.ts";
import { GOODBYE_MS, MAX_STREAM_ID, RETIRING_STREAM_ID } from "./limits.ts";

/** What the PING between the two carries. */
const PAYLOAD = new TextEncoder().encode("goodbye!");

/** A connection's goodbye. */
export class Goodbye {
  readonly #control: ControlFrames;
  #begunMs: number | undefined;
  #isFinal = false;
  #isMutual = false;

  /** Its frames go out with the others. */
  constructor(control: ControlFrames) {
    this.#control = control;
  }

  /** Whether new streams are refused, and the last one ends the connection. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  /** Whether the client has said it as well: it waits for no frame of ours. */
  get isMutual(): boolean {
    return this.#isMutual;
  }

  /** The first step. */
  begin(nowMs: number): void {
    if (this.#begunMs !== undefined || this.#isFinal) return;
    this.#begunMs = nowMs;
    this.#control.goAway(MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    this.#control.ping(PAYLOAD, false);
  }

  /** Whether an acknowledged PING is ours. */
  isAnsweredBy(payload: Uint8Array): boolean {
    return this.#begunMs !== undefined &&
      payload.every((byte, at) => byte === PAYLOAD[at]);
  }

  /** Whether the client has had its time to answer. */
  isOverdue(nowMs: number): boolean {
    return this.#begunMs !== undefined && !this.#isFinal &&
      nowMs - this.#begunMs >= GOODBYE_MS;
  }

  /** The second step. */
  finish(lastStreamId: number): void {
    if (this.#isFinal) return;
    this.#isFinal = true;
    this.#control.goAway(lastStreamId, ErrorCode.NO_ERROR, "");
  }

  /** The client says it: what it has asked for is answered, and that is all. */
  answer(): void {
    this.#isFinal = this.#isMutual = true;
  }

  /** A connection whose ids run out makes place for a new one in time. */
  opened(streamId: number, nowMs: number): void {
    if (streamId >= RETIRING_STREAM_ID) this.begin(nowMs);
  }
}
