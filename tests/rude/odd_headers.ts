/**
 * Odd headers, methods, content types and timeouts.
 *
 * @module
 */

import { Flag } from "../../src/http2/frames.ts";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { call, callFields, type Fields, GET, message } from "./messages.ts";
import { expect, MALFORMED, type OddCall, PLAIN, STATUS } from "./odd_calls.ts";

const { OK, UNIMPLEMENTED, INTERNAL, DEADLINE_EXCEEDED } = STATUS;
const first = callFields(GET);

/** A call with headers of its own. */
function withFields(more: Fields): Uint8Array {
  return call(1, GET, PLAIN, more);
}

/** A call with exactly these headers. */
function only(fields: Fields): Uint8Array {
  return join(headers(1, fields), data(1, message(PLAIN), Flag.END_STREAM));
}

function without(name: string): Uint8Array {
  return only(first.filter(([one]) => one !== name));
}

function timeout(value: string): Uint8Array {
  return withFields([["grpc-timeout", value]]);
}

/** Headers, methods and types. */
export const ODD_HEADERS: readonly OddCall[] = [
  ...expect(UNIMPLEMENTED, {
    "an unknown method": call(1, "/remote.RemoteCache/Nothing", PLAIN),
    "an unknown service": call(1, "/no.Such/Get", PLAIN),
    "the other API's service": call(1, "/local.LocalCache/Get", PLAIN),
    "a path of 8 KiB": call(1, `/${"x".repeat(8_192)}`, PLAIN),
    "a path into the prototype": call(1, "/__proto__/constructor", PLAIN),
    "the path constructor": call(1, "/constructor", PLAIN),
    "the path toString": call(1, "/toString", PLAIN),
    "a path without a slash": call(1, "Get", PLAIN),
  }),
  ...expect("http 415", {
    "content type text/html": withFields([["content-type", "text/html"]]),
    "content type application/json": withFields([[
      "content-type",
      "application/json",
    ]]),
    "an empty content type": withFields([["content-type", ""]]),
    "no content type": without("content-type"),
  }),
  ...expect(OK, {
    "no te: trailers": without("te"),
    "no authority": without(":authority"),
    "an odd authority": withFields([[":authority", "%//\\"]]),
    "scheme https": withFields([[":scheme", "https"]]),
    "30 unknown fields": withFields(
      Array.from({ length: 30 }, (_, i) => [`x-${i}`, "y"] as const),
    ),
  }),
  ...expect("http 405", {
    "method GET": withFields([[":method", "GET"]]),
    "method BREW": withFields([[":method", "BREW"]]),
  }),
  ...expect(MALFORMED, {
    "an empty name": only([...first, ["", "1"]]),
    "a name with a blank": only([...first, ["a b", "1"]]),
    "a value with a line break": only([...first, ["x", "a\r\nb"]]),
    "a value with NUL": only([...first, ["x", "a\0b"]]),
    "no method": without(":method"),
    "no path": without(":path"),
    "no scheme": without(":scheme"),
    "an empty path": call(1, "", PLAIN),
    "two methods": only([first[0]!, ...first]),
    "two paths": only([first[2]!, ...first]),
    "an unknown pseudo header": only([[":rude", "1"], ...first]),
    "a reply's pseudo header": only([[":status", "200"], ...first]),
    "a pseudo header after the others": only([
      ...first.slice(1),
      [":method", "POST"],
    ]),
    "a name in upper case": only([...first, ["X-Upper", "1"]]),
    "connection: close": only([...first, ["connection", "close"]]),
    "transfer-encoding: chunked": only([
      ...first,
      ["transfer-encoding", "chunked"],
    ]),
    "te: gzip": withFields([["te", "gzip"]]),
    "a content length that is wrong": withFields([["content-length", "1"]]),
    "a content length that is no number": withFields([["content-length", "x"]]),
    "two content lengths": withFields([
      ["content-length", "9"],
      ["content-length", "8"],
    ]),
    "CONNECT with a path": withFields([[":method", "CONNECT"]]),
  }),
];

/** Values of grpc-timeout, and what they make of a call. */
export const ODD_TIMEOUTS: readonly OddCall[] = [
  ...expect(DEADLINE_EXCEEDED, {
    "timeout 0n": timeout("0n"),
    "timeout 0S": timeout("0S"),
  }),
  ...expect(OK, {
    "timeout 20S": timeout("20S"),
    "timeout 500H": timeout("500H"),
    "timeout 19999999u": timeout("19999999u"),
    "timeout 99999999H, 11,000 years": timeout("99999999H"),
    "two timeouts, of which the last one holds": withFields([
      ["grpc-timeout", "1S"],
      ["grpc-timeout", "20S"],
    ]),
  }),
  ...expect(INTERNAL, {
    "timeout -1S": timeout("-1S"),
    "timeout 1x": timeout("1x"),
    "timeout, empty": timeout(""),
    "timeout 1": timeout("1"),
    "timeout S": timeout("S"),
    "timeout 999999999S": timeout("999999999S"),
    "timeout 1e3S": timeout("1e3S"),
  }),
];
