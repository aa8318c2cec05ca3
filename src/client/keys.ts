import { Buffer } from "node:buffer";
import type { JsonValue } from "./codecs/mod.ts";
export function keyBytes(key: Uint8Array | JsonValue): Uint8Array {
  return key instanceof Uint8Array ? key : Buffer.from(JSON.stringify(key));
}
