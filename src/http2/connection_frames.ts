/**
 * Frames of the connection as a whole: SETTINGS, PING, GOAWAY.
 *
 * @module
 */

import { ConnectionError, ErrorCode, protocolError } from "./error_codes.ts";
import { checkLength, Flag, readUint32 } from "./frames.ts";
import type { Goodbye } from "./goodbye.ts";
import { encodeTableSizeUpdate } from "./hpack/mod.ts";
import { FRAME_COST } from "./limits.ts";
import type { OpenStreams } from "./open_streams.ts";
import { ClientSettings } from "./settings.ts";
import { widen } from "./stream_frames.ts";

/** Their errors and their answers. */
export class ConnectionFrames {
  /** What the client has said of itself. */
  readonly clientSettings = new ClientSettings();
  /** The client has sent its SETTINGS. */
  hasSettings = false;
  /** Since when they, or the acknowledgement of ours, are awaited. */
  awaitedMs: number;
  readonly #streams: OpenStreams;
  readonly #goodbye: Goodbye;

  /** Of one connection. */
  constructor(streams: OpenStreams, goodbye: Goodbye) {
    this.#streams = streams;
    this.#goodbye = goodbye;
    this.awaitedMs = streams.turnMs;
  }

  /** Takes SETTINGS. */
  settings(flags: number, streamId: number, payload: Uint8Array): void {
    if (streamId !== 0) protocolError(`SETTINGS on stream ${streamId}`);
    if (flags & Flag.ACK) return this.#acknowledged(payload);
    const streams = this.#streams;
    if (this.hasSettings) streams.pay(FRAME_COST, "SETTINGS");
    else this.awaitedMs = streams.turnMs;
    this.hasSettings = true;
    const settings = this.clientSettings;
    const before = settings.initialWindowBytes;
    const hadSmallTable = settings.hasSmallTable;
    settings.take(payload);
    streams.output.control.settingsAck();
    if (settings.hasSmallTable && !hadSmallTable) {
      streams.output.prefix = encodeTableSizeUpdate(0);
    }
    const change = settings.initialWindowBytes - before;
    if (change === 0) return;
    for (const stream of streams.all.values()) {
      if (widen(streams, stream, change)) continue;
      throw new ConnectionError(
        ErrorCode.FLOW_CONTROL_ERROR,
        "INITIAL_WINDOW_SIZE makes a window too large",
      );
    }
  }

  /** Takes PING. */
  ping(flags: number, streamId: number, payload: Uint8Array): void {
    if (streamId !== 0) protocolError(`PING on stream ${streamId}`);
    checkLength("PING", payload, 8);
    this.#streams.pay(FRAME_COST, "PING");
    if (!(flags & Flag.ACK)) {
      this.#streams.output.control.ping(payload, true);
    } else if (this.#goodbye.isAnsweredBy(payload)) {
      this.#goodbye.finish(this.#streams.lastId);
    }
  }

  /** Takes GOAWAY: no stream follows on those that are open. */
  goAway(streamId: number, payload: Uint8Array): void {
    if (streamId !== 0) protocolError(`GOAWAY on stream ${streamId}`);
    if (payload.length < 8) {
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY too short");
    }
    this.#streams.pay(FRAME_COST, "GOAWAY");
    // With an error it waits for nothing any more.
    if (readUint32(payload, 4) !== ErrorCode.NO_ERROR) this.#streams.closeAll();
    this.#goodbye.answer();
  }

  #acknowledged(payload: Uint8Array): void {
    checkLength("acknowledged SETTINGS", payload, 0);
    if (!this.hasSettings) protocolError("the first frame has to be SETTINGS");
    const streams = this.#streams;
    // There is one to acknowledge.
    if (streams.isLimitKnown) streams.pay(FRAME_COST, "acknowledged SETTINGS");
    streams.isLimitKnown = true;
  }
}
