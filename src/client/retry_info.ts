/**
 * When a server that refused a call wants to be asked again: a
 * `google.rpc.RetryInfo` in the trailer `grpc-status-details-bin`.
 *
 * @module
 */

import type { CallStatus } from "./stream_status.ts";

const TYPE = /\/google\.rpc\.RetryInfo$/;
/** Their fields: `Status.details`, `Any.type_url` and `value`, and so on. */
const STATUS_DETAILS = 3;
const ANY_TYPE = 1;
const ANY_VALUE = 2;
const RETRY_DELAY = 1;
const DURATION_SECONDS = 1;
const DURATION_NANOS = 2;

/**
 * Reads it.
 *
 * @param thrown What a call failed with.
 * @returns In milliseconds; `undefined`: the server says nothing of it.
 */
export function retryDelayMs(thrown: unknown): number | undefined {
  const { more } = (thrown ?? {}) as Partial<CallStatus>;
  if (!(more instanceof Uint8Array)) return undefined;
  for (const any of all(more, STATUS_DETAILS)) {
    const [type] = all(any, ANY_TYPE);
    const [value] = all(any, ANY_VALUE);
    if (!type || !value || !TYPE.test(new TextDecoder().decode(type))) continue;
    const [delay] = all(value, RETRY_DELAY);
    if (!delay) return 0;
    return numberOf(delay, DURATION_SECONDS) * 1_000 +
      numberOf(delay, DURATION_NANOS) / 1_000_000;
  }
  return undefined;
}

/** The fields of a message that are bytes and have this number. */
function all(message: Uint8Array, wanted: number): Uint8Array[] {
  return fieldsOf(message).flatMap(({ field, bytes }) =>
    field === wanted && bytes ? [bytes] : []
  );
}

function numberOf(message: Uint8Array, wanted: number): number {
  const found = fieldsOf(message).find(({ field }) => field === wanted);
  return found?.number ?? 0;
}

interface Field {
  readonly field: number;
  readonly number?: number;
  readonly bytes?: Uint8Array;
}

/** As far as it is a message of numbers and bytes. */
function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; at < message.length; shift *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < message.length) {
    const tag = varint();
    const field = tag >>> 3;
    const number = varint();
    if ((tag & 7) === 0) fields.push({ field, number });
    else if ((tag & 7) === 2) {
      fields.push({ field, bytes: message.subarray(at, at + number) });
      at += number;
    } else break;
  }
  return fields;
}
