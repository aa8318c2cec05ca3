/**
 * The names that a certificate gives its owner.
 *
 * Read from its bytes: as text, a name that holds a comma looks like several.
 *
 * @module
 */

/** A value of DER: its tag, and its contents. */
interface Value {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OCTET_STRING = 0x04;
/** `[3]` of a TBSCertificate: its extensions. */
const EXTENSIONS = 0xa3;
/** `[0]` of it: its version, which may be left out. */
const VERSION = 0xa0;
/** Within what may be left out of it, the subject is the fifth. */
const SUBJECT_AT = 4;
/** Of the alternative names, `[2]` and `[6]`. */
const DNS_NAME = 0x82;
const URI = 0x86;
const SUBJECT_ALT_NAME = "551d11";
const COMMON_NAME = "550403";
const NONE = new Uint8Array();
/** What a name may hold: nothing that somebody could take for another. */
const NAME = /^[\x21-\x7e]+$/;

/**
 * The URIs and DNS names of a certificate, in this order; where it has neither,
 * its common name.
 *
 * @param der The certificate.
 * @returns None where it cannot be read.
 */
export function namesOf(der: Uint8Array): readonly string[] {
  try {
    const tbs = firstOf(firstOf(der).bytes);
    const fields = childrenOf(tbs.bytes).filter(({ tag }) => tag !== VERSION);
    const alternatives = alternativesOf(fields);
    const named = [URI, DNS_NAME].flatMap((kind) =>
      alternatives.filter(({ tag }) => tag === kind).map(textOf)
    );
    const names = named.length > 0
      ? named
      : commonNamesOf(fields[SUBJECT_AT]?.bytes ?? NONE);
    return names.filter((name) => NAME.test(name));
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function alternativesOf(fields: readonly Value[]): readonly Value[] {
  const extensions = fields.find(({ tag }) => tag === EXTENSIONS);
  if (!extensions) return [];
  for (const { bytes } of childrenOf(firstOf(extensions.bytes).bytes)) {
    const [oid, ...rest] = childrenOf(bytes);
    if (oid?.bytes.toHex() !== SUBJECT_ALT_NAME) continue;
    const value = rest.find(({ tag }) => tag === OCTET_STRING);
    return value ? childrenOf(firstOf(value.bytes).bytes) : [];
  }
  return [];
}

function commonNamesOf(subject: Uint8Array): string[] {
  return childrenOf(subject).filter(({ tag }) => tag === SET)
    .flatMap(({ bytes }) => childrenOf(bytes))
    .filter(({ tag }) => tag === SEQUENCE)
    .map(({ bytes }) => childrenOf(bytes))
    .filter(([oid]) => oid?.bytes.toHex() === COMMON_NAME)
    .map(([, value]) => value ? textOf(value) : "");
}

function textOf({ bytes }: Value): string {
  return new TextDecoder().decode(bytes);
}

function firstOf(bytes: Uint8Array): Value {
  const [first] = childrenOf(bytes);
  if (first === undefined) throw new RangeError("it ends early");
  return first;
}

/** What follows each other in some bytes; throws a RangeError where they end early. */
function childrenOf(bytes: Uint8Array): Value[] {
  const children: Value[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = byteAt(bytes, at++);
    let length = byteAt(bytes, at++);
    if (length > 0x7f) {
      const digits = length & 0x7f;
      if (digits > 4) throw new RangeError("a length that is none");
      length = 0;
      for (let digit = 0; digit < digits; digit++) {
        length = length * 256 + byteAt(bytes, at++);
      }
    }
    if (at + length > bytes.length) throw new RangeError("it ends early");
    children.push({ tag, bytes: bytes.subarray(at, at += length) });
  }
  return children;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError("it ends early");
  return byte;
}
