/**
 * Refuses what is not a whole, well-formed protobuf message. protobufjs takes
 * strings that are cut short and bytes that are no UTF-8 without a word, so
 * that a garbled request would be understood by half: as another key.
 *
 * @module
 */

/** The protobuf types that our requests are made of. */
export type FieldType = "string" | "bytes" | "varint" | MessageShape;

/** The known fields of a message by number; others are skipped, as ever. */
export interface MessageShape extends ReadonlyMap<number, FieldType> {}

const VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5;
/** A uint64 takes ten bytes of seven bits; the last one carries one bit. */
const MAX_VARINT_BYTES = 10;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Says what is wrong with a message; `undefined`: nothing. */
export function checkMessage(
  bytes: Uint8Array,
  shape: MessageShape,
): string | undefined {
  let at = 0;
  function varint(): number | undefined {
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      if (i === MAX_VARINT_BYTES - 1 && byte > 1) return undefined;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return undefined;
  }
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    if (tag === undefined || tag >= 2 ** 32) return `bad tag at byte ${start}`;
    const wire = tag & 7;
    const field = tag >>> 3;
    const known = shape.get(field);
    if (field === 0) return `field 0 at byte ${start}`;
    if (known && (known === "varint" ? VARINT : LENGTH) !== wire) {
      return `field ${field} has wire type ${wire}`;
    }
    switch (wire) {
      case VARINT:
        if (varint() === undefined) return `field ${field} is cut short`;
        break;
      case FIXED64:
        at += 8;
        break;
      case FIXED32:
        at += 4;
        break;
      case LENGTH: {
        const length = varint();
        const end = at + (length ?? Infinity);
        if (end > bytes.length) return `field ${field} is cut short`;
        if (known === "string" && !isUtf8(bytes, at, end)) {
          return `field ${field} is no UTF-8`;
        }
        if (typeof known === "object") {
          const why = checkMessage(bytes.subarray(at, end), known);
          if (why !== undefined) return `field ${field}: ${why}`;
        }
        at = end;
        break;
      }
      default:
        return `field ${field} has wire type ${wire}`;
    }
  }
  return at === bytes.length ? undefined : "the last field is cut short";
}

function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  // Namespaces are ASCII: nearly everything is decided here.
  let at = start;
  while (at < end && bytes[at]! < 0x80) at++;
  if (at === end) return true;
  try {
    utf8.decode(bytes.subarray(at, end));
    return true;
  } catch {
    return false;
  }
}

/** What proto-loader tells of a message, by its name without the package. */
export type Described = (message: string) => {
  readonly field: readonly {
    readonly number: number;
    readonly type: string;
    readonly typeName: string;
  }[];
};

/** The shape of a message, by its name. */
export function shapeOf(
  message: string,
  describe: Described,
): MessageShape {
  return new Map<number, FieldType>(
    describe(message).field.map(({ number, type, typeName }) => {
      switch (type) {
        case "TYPE_STRING":
          return [number, "string"];
        case "TYPE_BYTES":
          return [number, "bytes"];
        case "TYPE_BOOL":
        case "TYPE_INT32":
        case "TYPE_UINT32":
        case "TYPE_UINT64":
          return [number, "varint"];
        case "TYPE_MESSAGE":
          return [number, shapeOf(typeName, describe)];
        default:
          throw new Error(`${message}: field type ${type} is not checked yet`);
      }
    }),
  );
}
