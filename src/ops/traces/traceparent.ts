/**
 * Whom a call continues the trace of: the field `traceparent` of W3C's Trace
 * Context.
 *
 * @module
 */

/** A span of a client's, on the other side of the network. */
export interface Parent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Whether its client has it taken down. */
  readonly isSampled: boolean;
}

const FIELD = "traceparent";
const FORM = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const ONLY_ZEROS = /^0+$/;
/** The bit of the flags. */
const SAMPLED = 1;

/**
 * Finds the parent in the head of a call.
 *
 * @param fields name, value, name, value …
 * @returns It; `undefined` where there is none, or what is no such field.
 */
export function parentOf(fields: readonly string[]): Parent | undefined {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (fields[at] === FIELD) return parseTraceparent(fields[at + 1]!);
  }
  return undefined;
}

/**
 * Reads the field. A version to come may have more behind what this one has.
 *
 * @param text `00-<trace>-<span>-<flags>`.
 * @returns What it says; `undefined` where it is malformed.
 */
export function parseTraceparent(text: string): Parent | undefined {
  const [, version, traceId, spanId, flags, more] = FORM.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  if (version === "ff" || version === "00" && more !== undefined) {
    return undefined;
  }
  if (ONLY_ZEROS.test(traceId) || ONLY_ZEROS.test(spanId)) return undefined;
  const isSampled = (parseInt(flags!, 16) & SAMPLED) !== 0;
  return { traceId, spanId, isSampled };
}
