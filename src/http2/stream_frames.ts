/**
 * The small frames of single streams: PRIORITY, RST_STREAM, WINDOW_UPDATE.
 *
 * @module
 */

import { ConnectionError, ErrorCode, protocolError } from "./error_codes.ts";
import { checkLength, readUint31 } from "./frames.ts";
import { FRAME_COST, MAX_WINDOW_BYTES } from "./limits.ts";
import type { OpenStreams } from "./open_streams.ts";
import type { Stream } from "./stream.ts";

const PRIORITY_BYTES = 5;

/** Takes PRIORITY: what it asks for is not heeded, but has to be well-formed. */
export function takePriority(
  streams: OpenStreams,
  streamId: number,
  payload: Uint8Array,
): void {
  if (streamId === 0) protocolError("PRIORITY on stream 0");
  streams.pay(FRAME_COST, "PRIORITY");
  const isShort = payload.length !== PRIORITY_BYTES;
  if (!isShort && readUint31(payload, 0) !== streamId) return;
  const code = isShort ? ErrorCode.FRAME_SIZE_ERROR : ErrorCode.PROTOCOL_ERROR;
  const stream = streams.all.get(streamId);
  if (!stream) throw new ConnectionError(code, "a malformed PRIORITY");
  streams.fail(stream, code);
}

/** Takes RST_STREAM. */
export function takeReset(
  streams: OpenStreams,
  streamId: number,
  payload: Uint8Array,
): void {
  checkLength("RST_STREAM", payload, 4);
  const stream = streams.all.get(streamId);
  if (stream) return streams.resetByClient(stream);
  checkWasOpen(streams, streamId, "RST_STREAM");
  streams.pay(FRAME_COST, "RST_STREAM of closed streams");
}

/** Takes WINDOW_UPDATE of a stream, or of the connection: 0. */
export function takeWindowUpdate(
  streams: OpenStreams,
  streamId: number,
  payload: Uint8Array,
): void {
  checkLength("WINDOW_UPDATE", payload, 4);
  streams.pay(FRAME_COST, "WINDOW_UPDATE");
  const bytes = readUint31(payload, 0);
  if (streamId === 0) {
    if (bytes === 0) protocolError("WINDOW_UPDATE of nothing");
    if (streams.output.widen(bytes)) return;
    throw new ConnectionError(
      ErrorCode.FLOW_CONTROL_ERROR,
      "the connection's window is too large",
    );
  }
  const stream = streams.all.get(streamId);
  if (!stream) return checkWasOpen(streams, streamId, "WINDOW_UPDATE");
  if (bytes === 0) return streams.fail(stream, ErrorCode.PROTOCOL_ERROR);
  if (!widen(streams, stream, bytes)) {
    streams.fail(stream, ErrorCode.FLOW_CONTROL_ERROR);
  }
}

/** Changes what a stream may send; `false`: it is more than there can be. */
export function widen(
  streams: OpenStreams,
  stream: Stream,
  bytes: number,
): boolean {
  stream.sendWindow += bytes;
  if (stream.sendWindow > MAX_WINDOW_BYTES) return false;
  if (stream.sendWindow > 0 && stream.hasOutput && !stream.localEnded) {
    streams.output.enqueue(stream);
  }
  return true;
}

function checkWasOpen(streams: OpenStreams, id: number, what: string): void {
  const fate = streams.fateOf(id);
  if (fate === "idle" || fate === "never opened") {
    protocolError(`${what} on stream ${id}, which never was open`);
  }
}
