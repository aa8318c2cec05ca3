/**
 * SETTINGS, as RFC 9113, 6.5 has them.
 *
 * @module
 */

import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { readUint32 } from "./frames.ts";
import {
  INITIAL_WINDOW_BYTES,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
} from "./limits.ts";

/** Their numbers. */
export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

const SETTING_BYTES = 6;
const DEFAULT_HEADER_TABLE_BYTES = 4_096;
const LARGEST_MAX_FRAME_BYTES = 2 ** 24 - 1;

/** What of a client's settings concerns what we send. */
export class ClientSettings {
  /** What its streams' windows begin with. */
  initialWindowBytes = INITIAL_WINDOW_BYTES;
  /** Whether its header table has been made smaller than ours would be. */
  hasSmallTable = false;

  /** Takes a SETTINGS payload that is no acknowledgement. */
  take(payload: Uint8Array): void {
    if (payload.length % SETTING_BYTES !== 0) {
      throw new ConnectionError(
        ErrorCode.FRAME_SIZE_ERROR,
        `SETTINGS of ${payload.length} bytes`,
      );
    }
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      const setting = (payload[at]! << 8) | payload[at + 1]!;
      this.#take(setting, readUint32(payload, at + 2));
    }
  }

  #take(setting: number, value: number): void {
    switch (setting) {
      case Setting.HEADER_TABLE_SIZE:
        if (value < DEFAULT_HEADER_TABLE_BYTES) this.hasSmallTable = true;
        break;
      case Setting.ENABLE_PUSH:
        if (value > 1) refuse(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH", value);
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) {
          refuse(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE", value);
        }
        this.initialWindowBytes = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        // We never make larger ones than everybody has to take.
        if (value < MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES) {
          refuse(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE", value);
        }
        break;
    }
  }
}

function refuse(code: number, setting: string, value: number): never {
  throw new ConnectionError(code, `${setting} of ${value}`);
}
