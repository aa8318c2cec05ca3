/**
 * HPACK (RFC 7541): header blocks of HTTP/2, decoded and encoded. Pure: octets
 * in, fields out.
 *
 * @module
 */

export {
  type HeaderSink,
  HpackDecoder,
  type HpackDecoderOptions,
} from "./decoder.ts";
export { encodeHeaders, encodeTableSizeUpdate } from "./encoder.ts";
export { HpackError } from "./hpack_error.ts";
