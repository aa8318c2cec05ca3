/**
 * Codecs: bytes, JSON, MessagePack, flexbuffers, and your own.
 *
 * @module
 */

export { bytes } from "./bytes.ts";
export { type Codec, codec, CodecError } from "./codec.ts";
export { flexbuffers } from "./flexbuffers.ts";
export { float, Typed, uint } from "./flexbuffers_types.ts";
export { json, type JsonValue } from "./json.ts";
export { messagepack } from "./messagepack.ts";
